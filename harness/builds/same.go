package builds

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
)

// referenceFlags link a program to be compared. The data are at a fixed address, far behind the code: if a
// line table grows, nothing else that instructions refer to moves.
const referenceFlags = "-w -buildid= -B=none -D=0x10000000"

// SameCode reports whether two revisions of the main package have the same machine code and the same
// data but for line tables, build ids and the list of module versions; if not, why is what differs
// first, in a few words. It calls progress as Build does. Errors are those of Build, and that a
// program is no ELF file.
func SameCode(ctx context.Context, a, b *Revision, pkg string, progress func(begun, total int, what string)) (same bool, why string, err error) {
	if a.Tree == b.Tree && a.module == b.module {
		return true, "", nil
	}
	var programs []string
	for i, r := range []*Revision{a, b} {
		if progress != nil {
			progress(i, 2, fmt.Sprintf("the code of %v", r))
		}
		c, err := r.checkout(ctx)
		if err != nil {
			return false, "", err
		}
		defer func() { _ = c.remove() }() // what stays is removed by the next sweep
		program, err := c.link(ctx, pkg, c.dir, referenceFlags)
		if err != nil {
			return false, "", err
		}
		programs = append(programs, program)
	}
	return compare(programs[0], programs[1])
}

// compare is SameCode of two references. An error means that a file is no program.
func compare(a, b string) (same bool, why string, err error) {
	x, err := openImage(a)
	if err != nil {
		return false, "", err
	}
	defer x.Close()
	y, err := openImage(b)
	if err != nil {
		return false, "", err
	}
	defer y.Close()
	why = x.differs(y)
	return why == "", why, nil
}

// An image is what of a program is loaded.
type image struct {
	*elf.File
	sections []section // those that are loaded, in the file's order
	symbols  []elf.Symbol
	lines    *lineTable // nil if there is none, or its form is unknown
}

// A section is a part of an image. Its bytes are nil if it has none in the file.
type section struct {
	*elf.Section
	bytes []byte
}

func openImage(path string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("builds: %s is no program of this machine: %w", path, err)
	}
	m := &image{File: f}
	if m.symbols, err = f.Symbols(); err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, errors.Join(fmt.Errorf("builds: the symbols of %s: %w", path, err), f.Close())
	}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		one := section{Section: s}
		if s.Type != elf.SHT_NOBITS {
			if one.bytes, err = s.Data(); err != nil {
				return nil, errors.Join(fmt.Errorf("builds: section %s of %s: %w", s.Name, path, err), f.Close())
			}
		}
		m.sections = append(m.sections, one)
	}
	m.lines = m.lineTable()
	return m, nil
}

// How a section of two references is compared.
const (
	exact  = iota // address and bytes
	moved         // bytes; nothing but what is linked refers to it
	linked        // address, and bytes after a translation of those that are addresses of what has moved
	lines         // decoded
	stamp         // address and length
)

// kinds are the sections that are not compared exactly. Those that may have moved follow the line
// tables in memory, in the same segment.
var kinds = map[string]int{
	".gopclntab":         lines,
	".note.go.buildid":   stamp,
	".note.gnu.build-id": stamp,
	".go.buildinfo":      stamp,
	".go.module":         linked,
	".dynamic":           linked,
	".rela":              moved,
	".rela.plt":          moved,
	".gnu.version":       moved,
	".gnu.version_r":     moved,
	".hash":              moved,
	".dynstr":            moved,
	".dynsym":            moved,
	".typelink":          moved,
	".itablink":          moved,
}

// differs says in a few words what differs between two images, or is "" if nothing does that counts.
func (m *image) differs(n *image) string {
	if m.Machine != n.Machine || m.Type != n.Type || m.ByteOrder != n.ByteOrder || m.Entry != n.Entry {
		return "the programs begin differently"
	}
	if len(m.sections) != len(n.sections) {
		return fmt.Sprintf("one program has %d sections, the other %d", len(m.sections), len(n.sections))
	}
	for i, s := range m.sections {
		if why := m.sectionDiffers(n, s, n.sections[i]); why != "" {
			// One function or datum of another size moves others, and what refers to those
			// differs too. So sizes say more than bytes.
			return cmp.Or(m.symbolDiffers(n), m.sizeDiffers(n), why)
		}
	}
	return ""
}

// sectionDiffers is differs for one section.
func (m *image) sectionDiffers(n *image, s, t section) string {
	kind := kinds[s.Name]
	if s.Name != t.Name || s.Type != t.Type || s.Flags != t.Flags {
		return fmt.Sprintf("one program has a section %s where the other has %s", s.Name, t.Name)
	}
	if kind != lines && s.Size != t.Size || kind != moved && s.Addr != t.Addr {
		return s.Name + " has another size or address"
	}
	same := true
	switch kind {
	case exact:
		same = bytes.Equal(m.unstamped(s), n.unstamped(t))
	case moved:
		same = bytes.Equal(s.bytes, t.bytes)
	case linked:
		same = m.linkedSame(n, s.bytes, t.bytes)
	case lines:
		if !bytes.Equal(s.bytes, t.bytes) {
			return m.lines.differs(n.lines)
		}
	}
	if same {
		return ""
	}
	return m.bytesDiffer(n, s, t)
}

// modules is the symbol of the list of module versions, which Go's runtime has as a string.
const modules = "runtime.modinfo.str"

// unstamped returns a section's bytes without the list of module versions.
func (m *image) unstamped(s section) []byte {
	for _, sym := range m.symbols {
		if sym.Name == modules && sym.Value >= s.Addr && sym.Value+sym.Size <= s.Addr+uint64(len(s.bytes)) {
			from := sym.Value - s.Addr
			text := bytes.Clone(s.bytes)
			clear(text[from : from+sym.Size])
			return text
		}
	}
	return s.bytes
}

// linkedSame compares a section of words, some of which are addresses.
func (m *image) linkedSame(n *image, a, b []byte) bool {
	const word = 8
	if m.Class != elf.ELFCLASS64 || len(a) != len(b) || len(a)%word != 0 {
		return bytes.Equal(a, b)
	}
	skip := 0
	for i := 0; i < len(a); i += word {
		p, q := m.ByteOrder.Uint64(a[i:]), n.ByteOrder.Uint64(b[i:])
		place := m.place(p)
		switch {
		case skip > 0: // a slice's length and capacity
			skip--
		case place != n.place(q), p != q && place == "":
			return false
		}
		if m.lines.hasSlice(place) {
			skip = 2
		}
	}
	return true
}

// place names an address in what may have moved: by its section, or by its part of the line tables, and the
// offset in it. "" is an address of anything else.
func (m *image) place(addr uint64) string {
	if place := m.lines.place(addr); place != "" {
		return place
	}
	for _, s := range m.sections {
		if kinds[s.Name] == moved && addr >= s.Addr && addr < s.Addr+s.Size {
			return fmt.Sprintf("%s+%d", s.Name, addr-s.Addr)
		}
	}
	return ""
}

// symbol returns the address of a symbol.
func (m *image) symbol(name string) (uint64, bool) {
	for _, s := range m.symbols {
		if s.Name == name {
			return s.Value, true
		}
	}
	return 0, false
}

// symbolDiffers names a function or datum that only one of two programs has, or that has another size, or
// is "". Strings and types have no symbols.
func (m *image) symbolDiffers(n *image) string {
	mine, theirs := m.sizes(), n.sizes()
	only := func(a *image, other map[string]uint64, which string) string {
		for _, s := range a.symbols {
			if _, ok := other[s.Name]; a.counts(s) && !ok {
				return fmt.Sprintf("%s is only in the %s", s.Name, which)
			}
		}
		return ""
	}
	if why := cmp.Or(only(m, theirs, "first"), only(n, mine, "second")); why != "" {
		return why
	}
	for _, s := range m.symbols {
		if a, b := mine[s.Name], theirs[s.Name]; a != 0 && b != 0 && a != b {
			return fmt.Sprintf("%s has %d bytes in the first and %d in the second", s.Name, a, b)
		}
	}
	return ""
}

// sizes returns the sizes of functions and data by their names; 0 if several have the name.
func (m *image) sizes() map[string]uint64 {
	size := map[string]uint64{}
	for _, s := range m.symbols {
		if _, ok := size[s.Name]; ok {
			size[s.Name] = 0
		} else if m.counts(s) {
			size[s.Name] = s.Size
		}
	}
	return size
}

// counts reports whether a symbol is a function or datum whose size tells two programs apart.
func (m *image) counts(s elf.Symbol) bool {
	return s.Size > 0 && s.Name != modules && int(s.Section) < len(m.Sections) && kinds[m.Sections[s.Section].Name] != lines
}

// sizeDiffers names a section with another size, or is "".
func (m *image) sizeDiffers(n *image) string {
	for i, s := range m.sections {
		if t := n.sections[i]; kinds[s.Name] != lines && s.Size != t.Size {
			return fmt.Sprintf("%s has %d bytes in the first and %d in the second", s.Name, s.Size, t.Size)
		}
	}
	return ""
}

// bytesDiffer names the first function or datum of a section that has other bytes.
func (m *image) bytesDiffer(n *image, s, t section) string {
	a, b := m.unstamped(s), n.unstamped(t)
	for _, sym := range m.symbols {
		from, to := sym.Value-s.Addr, sym.Value-s.Addr+sym.Size
		if from < to && to <= uint64(len(a)) && !bytes.Equal(a[from:to], b[from:to]) {
			return fmt.Sprintf("the first other bytes are in %s (%s)", sym.Name, s.Name)
		}
	}
	return "the first other bytes are in " + s.Name
}
