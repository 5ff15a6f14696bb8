package builds

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// A lineTable is the section .gopclntab of a Go 1.26 program, in its parts: see cmd/link/internal/ld/pcln.go
// and runtime/symtab.go of the Go release. Other releases have other parts; those tables, unless they are
// the same byte by byte, are of an unknown form.
type lineTable struct {
	parts []part
	funcs uint64
}

// A part is a table in the section, from its start to the next one's.
type part struct {
	name  string
	addr  uint64
	bytes []byte
}

// The parts, in their order in memory.
const (
	partHeader   = "header"   // sizes, and the offsets of the next five
	partNames    = "names"    // of functions
	partUnits    = "units"    // for each compiled package, where its files are in partFiles
	partFiles    = "files"    // names
	partDeltas   = "deltas"   // for each function: several sequences of values and program counters
	partFuncs    = "funcs"    // for each function: its description
	partFuncdata = "funcdata" // stack maps, inlined calls, and so on
	partFind     = "find"     // an index of partFuncs
	partEnd      = "end"
)

// lineTable finds the parts, or returns nil if the form is unknown.
func (m *image) lineTable() *lineTable {
	const magic, headerSize = 0xfffffff1, 72 // of Go 1.20 to 1.26
	start, ok := m.symbol("runtime.pclntab")
	i := slices.IndexFunc(m.sections, func(s section) bool { return s.Name == ".gopclntab" })
	if !ok || i < 0 || m.sections[i].Addr != start || m.Class != elf.ELFCLASS64 || m.ByteOrder != binary.LittleEndian {
		return nil
	}
	data := m.sections[i].bytes
	if len(data) < headerSize || m.ByteOrder.Uint32(data) != magic {
		return nil
	}
	t := &lineTable{funcs: m.ByteOrder.Uint64(data[8:])}
	t.parts = []part{{name: partHeader, addr: start}}
	for i, name := range []string{partNames, partUnits, partFiles, partDeltas, partFuncs} {
		t.parts = append(t.parts, part{name: name, addr: start + m.ByteOrder.Uint64(data[32+8*i:])})
	}
	for _, one := range [][2]string{{partFuncdata, "go:func.*"}, {partFind, "runtime.findfunctab"}, {partEnd, "runtime.epclntab"}} {
		addr, ok := m.symbol(one[1])
		if !ok {
			return nil
		}
		t.parts = append(t.parts, part{name: one[0], addr: addr})
	}
	for i := range t.parts[1:] {
		from, to := t.parts[i].addr-start, t.parts[i+1].addr-start
		if from > to || to > uint64(len(data)) {
			return nil
		}
		t.parts[i].bytes = data[from:to]
	}
	return t
}

// bytes returns a part.
func (t *lineTable) bytes(name string) []byte {
	i := slices.IndexFunc(t.parts, func(p part) bool { return p.name == name })
	return t.parts[i].bytes
}

// place names an address in the table, by its part and the offset in it, or is "".
func (t *lineTable) place(addr uint64) string {
	if t == nil || addr < t.parts[0].addr || addr > t.parts[len(t.parts)-1].addr {
		return ""
	}
	i, ok := slices.BinarySearchFunc(t.parts, addr, func(p part, addr uint64) int { return cmp.Compare(p.addr, addr) })
	if !ok {
		i--
	}
	return fmt.Sprintf("%s+%d", t.parts[i].name, addr-t.parts[i].addr)
}

// hasSlice reports whether the module's description has, after an address of this place, a length and a
// capacity, which follow from the size of what may differ.
func (t *lineTable) hasSlice(place string) bool {
	return slices.Contains([]string{partUnits + "+0", partFiles + "+0", partDeltas + "+0", partFuncs + "+0"}, place)
}

// differs returns what differs first between two tables, other than files and lines, or "".
func (t *lineTable) differs(u *lineTable) string {
	if t == nil || u == nil {
		return "the line tables differ, and their form is unknown"
	}
	for _, name := range []string{partNames, partFind} {
		if !bytes.Equal(t.bytes(name), u.bytes(name)) {
			return fmt.Sprintf("the table of functions differs (%s)", name)
		}
	}
	if t.funcs != u.funcs {
		return fmt.Sprintf("one program has %d functions, the other %d", t.funcs, u.funcs)
	}
	inlined := map[uint64]bool{}
	starts := []uint64{uint64(len(t.bytes(partFuncdata)))}
	for i := range t.funcs {
		x, okX := t.function(i)
		y, okY := u.function(i)
		if !okX || !okY {
			return "the line tables differ, and their form is unknown"
		}
		if !x.equal(y) {
			return fmt.Sprintf("the description of %s differs (stack maps, inlining or where it can be preempted)", t.name(x))
		}
		for j, off := range x.funcdata {
			starts = append(starts, uint64(off))
			if j == inlinedCalls && off != none {
				inlined[uint64(off)] = true
			}
		}
	}
	if !funcdataSame(t.bytes(partFuncdata), u.bytes(partFuncdata), starts, inlined) {
		return "the descriptions of functions differ (stack maps or inlined calls)"
	}
	return ""
}

// name returns the name of a function.
func (t *lineTable) name(f *function) string {
	names := t.bytes(partNames)
	if uint64(f.words[0]) >= uint64(len(names)) {
		return "a function"
	}
	name, _, _ := bytes.Cut(names[f.words[0]:], []byte{0})
	return string(name)
}

// A function is a function's description without its files and lines.
type function struct {
	entry, end uint32   // in the code
	words      []uint32 // name, arguments, where deferred calls return to, numbers of tables, kind and flags
	deltas     [][]byte // sizes of the stack; then tables that the program counter selects from
	funcdata   []uint32 // offsets in partFuncdata, or none
}

const (
	none         = 1<<32 - 1 // no funcdata
	inlinedCalls = 3         // the index of the funcdata that has a function's inlined calls
)

// function decodes the description of the i-th function.
func (t *lineTable) function(i uint64) (f *function, ok bool) {
	ok = true
	funcs, deltas := t.bytes(partFuncs), t.bytes(partDeltas)
	get := func(off uint64) uint32 {
		const size = 4
		if off > uint64(len(funcs)) || uint64(len(funcs))-off < size {
			ok = false
			return 0
		}
		return binary.LittleEndian.Uint32(funcs[off:])
	}
	f = &function{entry: get(8 * i), end: get(8*i + 8)}
	at := uint64(get(8*i + 4))
	// The fields of runtime._func: entry, name, arguments, deferreturn, stack sizes, files, lines,
	// number of deltas, unit, first line, and in four bytes: kind, flags, 0, number of funcdata.
	f.words = []uint32{get(at + 4), get(at), get(at + 8), get(at + 12), get(at + 28), get(at + 40)}
	delta := func(off uint32) {
		seq, whole := sequence(deltas, off)
		f.deltas = append(f.deltas, seq)
		ok = ok && whole
	}
	delta(get(at + 16))
	at += 44
	for range f.words[4] {
		if !ok {
			return nil, false
		}
		delta(get(at))
		at += 4
	}
	for range f.words[5] >> 24 {
		f.funcdata = append(f.funcdata, get(at))
		at += 4
	}
	return f, ok
}

func (f *function) equal(g *function) bool {
	return f.entry == g.entry && f.end == g.end && slices.Equal(f.words, g.words) &&
		slices.EqualFunc(f.deltas, g.deltas, bytes.Equal) && slices.Equal(f.funcdata, g.funcdata)
}

// sequence returns the pairs of differences at an offset, up to the 0 that ends them. Offset 0
// is no sequence.
func sequence(deltas []byte, off uint32) (seq []byte, ok bool) {
	if off == 0 {
		return nil, true
	}
	if uint64(off) >= uint64(len(deltas)) {
		return nil, false
	}
	rest := deltas[off:]
	n := 0
	for first := true; ; first = false {
		value, size := binary.Uvarint(rest[n:])
		if size <= 0 {
			return nil, false
		}
		n += size
		if value == 0 && !first {
			return rest[:n], true
		}
		if _, size = binary.Uvarint(rest[n:]); size <= 0 {
			return nil, false
		}
		n += size
	}
}

// funcdataSame compares all funcdata without the first lines of inlined functions. starts has the
// offset of every funcdata and the end of all; inlined those that are lists of inlined calls.
func funcdataSame(a, b []byte, starts []uint64, inlined map[uint64]bool) bool {
	if len(a) != len(b) {
		return false
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	a, b = bytes.Clone(a), bytes.Clone(b)
	for i, from := range starts {
		if !inlined[from] || from >= uint64(len(a)) {
			continue
		}
		// runtime.inlinedCall: kind, name, program counter, first line.
		const size, line = 16, 12
		for call := from; call+size <= min(starts[i+1], uint64(len(a))); call += size {
			clear(a[call+line : call+size])
			clear(b[call+line : call+size])
		}
	}
	return bytes.Equal(a, b)
}
