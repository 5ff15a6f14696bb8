package builds

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// comments is a comment of n lines.
func comments(n int) string { return strings.Repeat("// a comment\n", n) }

// large is a function of about 100 KB of code; of 10 KB in a short test, since it takes 10 s to compile.
func large() string {
	statements := 9000
	if testing.Short() {
		statements = 900
	}
	return "\n//go:noinline\nfunc Large(x, y int) int {\n" + strings.Repeat("\tx = x*y ^ (x >> 7)\n", statements) + "\treturn x\n}\n"
}

// If this fails, a revision is called the same code although an instruction, a constant, a
// datum, a type or a stack map differs; or a revision with other comments is called another code.
func TestSameCode(t *testing.T) {
	const lib, asm, main = "lib/lib.go", "lib/asm_amd64.s", "cmd/prog/main.go"
	with := func(name, from, to string) files { return module.with(t, name, from, to) }
	added := func(name, text string) files {
		f := maps.Clone(module)
		f[name] += text
		return f
	}
	cases := []struct {
		what  string
		files files
		why   string // a part of it; "" is the same code
	}{
		{"a comment above all", with(lib, "package lib\n", comments(3000)+"package lib\n"), ""},
		{"comments in functions", with(lib, "\n\tother()", "\n"+comments(70)+"\tother()"), ""},
		{"comments in an inlined function", with(lib, "\tif x < 0 {", comments(200)+"\tif x < 0 {"), ""},
		{"comments between functions", with(lib, "\nfunc ", "\n"+comments(40)+"\nfunc "), ""},
		{"comments in assembler", with(asm, "\tRET", comments(99)+"\tRET"), ""},
		{"white space", with(lib, "return x*7 + 1", "return   x*7  +  1"), ""},
		{"an unused function", added(lib, "\nfunc unused(x int) int { return x * 1234567 }\n"), ""},
		{"an unused large function", added(lib, large()), ""},
		{"a file that is not linked", added("more/more.go", "package more\n\nvar X = 3\n"), ""},
		{"a document", added("README.md", "read me\n"), ""},
		{"a version of a dependency", with("go.mod", "v1.0.0", "v1.2.3"), ""},
		{"a file's name of 9,000 bytes", with(lib, "package lib\n", "//line "+strings.Repeat("name/", 1800)+"x.go:1\npackage lib\n"), ""},
		{"a file's name", renamed(lib, "lib/another.go"), ""},

		{"a constant", with(lib, "x*7 + 1", "x*7 + 2"), "lib."},
		{"a string of the same length", with(lib, "good morning", "good evening"), ".rodata"},
		{"a longer string", with(lib, "good morning", "good morning to you"), ".rodata has"},
		{"an instruction of assembler", with(asm, "ADDQ $1", "ADDQ $2"), "lib.Asm"},
		{"an added instruction", with(asm, "\tRET", "\tXCHGL AX, AX\n\tRET"), "lib.Asm"},
		{"a global's initial value", with(lib, "Start = 41", "Start = 42"), "lib.Start"},
		{"a global's address", with(lib, "{&Start, new(int)}", "{&Start, &Start}"), "lib."},
		{"a global's type", with(lib, "var Plain = 7", "var Plain int32 = 7"), "lib.Plain"},
		{"a field's type", with(lib, "int32", "uint32"), ".rodata"},
		{"a field's name", with(lib, "p *T", "q *T"), ".rodata"},
		{"a large function that nothing calls", added(lib, large()).with(t, lib, "var sink stringer", "var sink stringer\n\nvar Linked = Large\n").with(t, main, "lib.Keep(", "println(lib.Linked != nil)\n\tlib.Keep("), "lib.Large"},
		{"a function's name", with(lib, "other()", "otter()"), "lib.ot"},
		{"a value that lives longer", with(lib, "\tprintln(t.String())\n\tother()\n", "\tprintln(t.String())\n\tother()\n\truntime.KeepAlive(t)\n"), "lib.Keep"},
		{"calls in another order", with(lib, "inlined(x) + inlined(x+1)", "inlined(x+1) + inlined(x)"), "lib."},
		{"a function that may be inlined", with(lib, "//go:noinline\nfunc other()", "func other()"), "lib."},
		{"a function that is not inlined", with(lib, "func inlined", "//go:noinline\nfunc inlined"), "lib."},
	}
	into := t.TempDir()
	base := reference(t, into, module)
	sizes, before := 0, lineTableSize(t, base)
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			program := reference(t, into, c.files)
			if c.why == "" && lineTableSize(t, program) != before {
				sizes++
			}
			for _, pair := range [][2]string{{base, program}, {program, base}} {
				same, why, err := compare(pair[0], pair[1])
				if err != nil || same != (c.why == "") || !strings.Contains(why, c.why) {
					t.Errorf("compare = %v, %q, %v; want %v with %q", same, why, err, c.why == "", c.why)
				}
			}
		})
	}
	if sizes == 0 {
		t.Error("in no case of the same code the line tables have another size, so nothing moved")
	}
}

func lineTableSize(t *testing.T, program string) uint64 {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Section(".gopclntab").Size
}

func renamed(from, to string) files {
	f := maps.Clone(module)
	f[to] = f[from]
	delete(f, from)
	return f
}

// reference links a program of the files to be compared.
func reference(t *testing.T, into string, f files) string {
	t.Helper()
	c, err := resolve(t, repository(t, f), "HEAD").checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.remove()
	program, err := c.link(t.Context(), "./cmd/prog", into, referenceFlags)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// If this fails, ab would measure two revisions with the same code, or would not measure two that differ.
func TestSameCodeOfRevisions(t *testing.T) {
	dir := repository(t, module)
	module.with(t, "lib/lib.go", "package lib\n", comments(7)+"package lib\n").write(t, dir)
	commit(t, dir)
	module.with(t, "lib/lib.go", "x*7", "x*6").write(t, dir)
	for name, want := range map[string]bool{"HEAD~1": true, "HEAD": true, ".": false} {
		var steps []string
		progress := func(done, total int, what string) { steps = append(steps, fmt.Sprint(done, total, what)) }
		same, why, err := SameCode(t.Context(), resolve(t, dir, "HEAD"), resolve(t, dir, name), "./cmd/prog", progress)
		if err != nil || same != want || same != (why == "") {
			t.Errorf("SameCode of HEAD and %s = %v, %q, %v", name, same, why, err)
		}
		if built := name != "HEAD"; built != (len(steps) == 2) {
			t.Errorf("SameCode of HEAD and %s said %q", name, steps)
		}
	}
	if left := leftover(t); left != nil {
		t.Errorf("SameCode left %v", left)
	}
}

// If this fails, some byte of a program is not compared, or one that only says a file or a line is.
func TestEveryPartIsCompared(t *testing.T) {
	into := t.TempDir()
	base := reference(t, into, module)
	text, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	m, err := openImage(base)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	changed := filepath.Join(into, "changed")
	// flip changes one bit, and says whether the program is still the same code.
	flip := func(what string, off uint64, want bool) {
		t.Helper()
		other := bytes.Clone(text)
		other[off] ^= 1
		if err := os.WriteFile(changed, other, 0o777); err != nil {
			t.Fatal(err)
		}
		if same, why, err := compare(base, changed); err != nil || same != want {
			t.Errorf("%s, at %#x of the file: compare = %v, %q, %v; want %v", what, off, same, why, err, want)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	lineTable := uint64(0)
	for _, s := range m.sections {
		switch kind := kinds[s.Name]; {
		case kind == lines:
			lineTable = s.Offset
		case kind == linked && s.Name == ".go.module":
			const minpc = 20 * 8 // behind the line tables' slices
			flip(s.Name, s.Offset+minpc, false)
		case len(s.bytes) > 0:
			for range 3 {
				off := rnd.Uint64N(uint64(len(s.bytes)))
				if from, to := span(m, modules); s.Addr+off < from || s.Addr+off >= to {
					flip(s.Name, s.Offset+off, kind == stamp)
				}
			}
		}
	}
	start := m.lines.parts[0].addr
	at := func(name string) uint64 {
		i := slices.IndexFunc(m.lines.parts, func(p part) bool { return p.name == name })
		return lineTable + m.lines.parts[i].addr - start
	}
	flip("a function's name", at(partNames)+3, false)
	flip("the index of functions", at(partFind)+9, false)
	flip("a file's name", at(partFiles)+3, true)
	flip("a unit's files", at(partUnits), true)

	funcs := m.lines.bytes(partFuncs)
	word := func(off uint64) uint64 { return uint64(binary.LittleEndian.Uint32(funcs[off:])) }
	for i := range m.lines.funcs {
		f, ok := m.lines.function(i)
		if !ok || m.lines.name(f) != "example.com/m/lib.Later.func1" {
			continue
		}
		d := word(8*i + 4)
		for field, what := range []string{"entry", "name", "arguments", "deferreturn", "stack sizes", "files", "lines",
			"number of deltas", "unit", "first line", "kind", "inlining", "inlining"} {
			flip(what, at(partFuncs)+d+uint64(4*field), slices.Contains([]string{"files", "lines", "unit", "first line"}, what))
		}
		flip("where its description is", at(partFuncs)+8*i+4, false)
		flip("the value of a stack size", at(partDeltas)+word(d+16), false)
		flip("a line", at(partDeltas)+word(d+24), true)
		last := d + 44 + 4*word(d+28)
		for j := range f.funcdata {
			if off := uint64(f.funcdata[j]); off != none {
				flip("the number of funcdata", at(partFuncs)+last+4*uint64(j), false)
				flip("a byte of funcdata", at(partFuncdata)+off, false)
			}
		}
		calls := uint64(f.funcdata[inlinedCalls])
		flip("an inlined call's name", at(partFuncdata)+calls+4, false)
		flip("an inlined call's place", at(partFuncdata)+calls+8, false)
		flip("an inlined call's line", at(partFuncdata)+calls+12, true)
		return
	}
	t.Error("the closure has no description")
}

// span returns the addresses from and to which a symbol is.
func span(m *image, name string) (from, to uint64) {
	for _, s := range m.symbols {
		if s.Name == name {
			return s.Value, s.Value + s.Size
		}
	}
	return 0, 0
}

// If this fails, a file that is no program, or a line table of an unknown form, ends in a panic or is
// called the same code.
func TestSameCodeOfOtherFiles(t *testing.T) {
	if _, _, err := compare("same_test.go", "same_test.go"); err == nil || !strings.Contains(err.Error(), "same_test.go is no program") {
		t.Errorf("compare of texts: %v", err)
	}
}
