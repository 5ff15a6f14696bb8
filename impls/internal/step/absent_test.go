package step_test

import (
	"bytes"
	"cmp"
	"debug/elf"
	"debug/gosym"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

const (
	impls = "github.com/tpbench/tpbench/impls"
	step  = impls + "/internal/step"
)

// If this fails, a binary without the tag has a call of package step in it, the name of a
// place, or a hook in assembler, and every measurement includes them. Or this test does not
// see such things any more: it must see them in a binary with the tag.
func TestAbsent(t *testing.T) {
	src := readSources(t, "../..")
	if len(src.places) < 3 {
		t.Fatalf("the sources have only the places %q: is this test still looking for the right calls?", src.places)
	}
	without, with := build(t, ""), build(t, "steps")

	for _, name := range without.names(step + ".") {
		t.Errorf("without the tag there is the symbol %s", name)
	}
	if len(with.names(step+".At")) == 0 {
		t.Error("with the tag there is no step.At")
	}

	for _, place := range src.places {
		if without.holds(place) {
			t.Errorf("without the tag the binary holds the name of the place %q", place)
		}
		if !with.holds(place) {
			t.Errorf("with the tag the binary does not hold the name of the place %q", place)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(src.tagged)) {
		if without.has(name) {
			t.Errorf("without the tag there is %s, from a file that needs the tag", name)
		}
		if assembler := src.tagged[name]; assembler && !with.has(name) {
			t.Errorf("with the tag there is no %s", name)
		}
	}

	for _, name := range slices.Concat(without.names(impls+"/dispatch."), without.names(impls+"/textpoke.")) {
		if hookName.MatchString(name) {
			t.Errorf("without the tag there is %s, which has the name of a hook", name)
		}
	}

	// point reports whether a target is of package step, or a hook. Functions refer to a target
	// if they call it, jump to it, take its address, or read or write it.
	point := func(target string) bool {
		_, tagged := src.tagged[target]
		return tagged || strings.HasPrefix(target, step+".")
	}
	for caller, targets := range without.references(t, point) {
		t.Errorf("without the tag %s refers to %s", caller, targets)
	}
	uses := with.references(t, point)
	for _, f := range src.functions {
		if !with.has(f) {
			continue // inlined into its callers
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(uses)), func(user string) bool {
			return user == f || strings.HasPrefix(user, f+".func") // a closure in it
		}) {
			t.Errorf("with the tag no call of package step is seen in %s, which has one in its source", f)
		}
	}
	for name, assembler := range src.tagged {
		used := func(targets []string) bool { return slices.Contains(targets, name) }
		if assembler && !slices.ContainsFunc(slices.Collect(maps.Values(uses)), used) {
			t.Errorf("with the tag no use of %s is seen", name)
		}
	}

	// An inlined function has no call, but its instructions keep their source lines.
	locks := false
	for at, caller := range without.inlined(t, "impls/internal/step/step_off.go") {
		if at.function != "Lock" { // which still takes the mutex
			t.Errorf("without the tag %s has instructions of %s in step_off.go", caller, at.function)
		}
		locks = locks || at.function == "Lock"
	}
	if !locks {
		t.Error("without the tag no instruction of step.Lock is seen")
	}
	t.Logf("places %q; in functions %q; %d functions refer to a point with the tag", src.places, src.functions, len(uses))
}

// hookName matches the names of hooks in assembler: hookData, holdInt3.
var hookName = regexp.MustCompile(`\.(hook|hold)[A-Z0-9]`)

// sources is what the source files say about places and hooks.
type sources struct {
	places    []string // names that At, Wait and Lock are called with, if constant
	functions []string // symbols that have such calls

	// tagged holds the functions that are in a build only with the tag, and the symbols to
	// which assembler refers only then. The value says whether assembler defines or uses it.
	tagged map[string]bool
}

// readSources reads all packages below dir, the directory of impls.
func readSources(t *testing.T, dir string) sources {
	t.Helper()
	src := sources{tagged: map[string]bool{}}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := strings.TrimSuffix(impls+"/"+filepath.ToSlash(rel), "/.")
		text := func() string {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		switch {
		case pkg == step, strings.HasSuffix(file, "_test.go"):
		case strings.HasSuffix(file, ".go"):
			src.readGo(t, pkg, file, text())
		case strings.HasSuffix(file, ".s"), strings.HasSuffix(file, ".h"):
			src.readAssembler(pkg, text())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(src.places)
	src.places = slices.Compact(src.places)
	slices.Sort(src.functions)
	src.functions = slices.Compact(src.functions)
	return src
}

func (src *sources) readGo(t *testing.T, pkg, file, text string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := symbol(pkg, fn)
		if needsTag(text) && fn.Body != nil {
			src.tagged[name] = false
		}
		var enabled token.Pos // the end of the last "if step.Enabled"
		ast.Inspect(fn, func(n ast.Node) bool {
			if cond, ok := n.(*ast.IfStmt); ok && isStep(cond.Cond, "Enabled") {
				enabled = cond.Body.End()
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || !isStep(call.Fun, "At", "Wait", "Lock") {
				return true
			}
			src.functions = append(src.functions, name)
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				place, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				src.places = append(src.places, place)
			} else if call.Pos() > enabled {
				t.Errorf("%s: the name of a place is computed outside of if step.Enabled", name)
			}
			return true
		})
	}
}

// isStep reports whether an expression is one of these names of package step.
func isStep(e ast.Expr, names ...string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "step" && slices.Contains(names, sel.Sel.Name)
}

// symbol returns the linker's name of a function that is not generic.
func symbol(pkg string, fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return pkg + "." + fn.Name.Name
	}
	switch recv := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := recv.X.(*ast.Ident); ok {
			return fmt.Sprintf("%s.(*%s).%s", pkg, id.Name, fn.Name.Name)
		}
	case *ast.Ident:
		return fmt.Sprintf("%s.%s.%s", pkg, recv.Name, fn.Name.Name)
	}
	return pkg + "." + fn.Name.Name
}

// needsTag reports whether a file is in a build with the tag and not in one without.
func needsTag(text string) bool {
	for line := range strings.Lines(text) {
		if constraint.IsGoBuild(line) {
			expr, err := constraint.Parse(strings.TrimSpace(line))
			in := func(steps bool) bool {
				return expr.Eval(func(tag string) bool {
					return tag == "linux" || tag == "unix" || tag == "amd64" || tag == "gc" || tag == "steps" && steps
				})
			}
			return err == nil && in(true) && !in(false)
		}
	}
	return false
}

var (
	textSymbol  = regexp.MustCompile(`^TEXT\s+·?(\w+)(<>)?\(SB\)`)
	reference   = regexp.MustCompile(`·(\w+)(?:[+-]\w+)?\(SB\)`)
	conditional = regexp.MustCompile(`^#ifdef\s+const_(hookOn|stepOn)\b`)
)

// readAssembler finds what only builds with the tag define or refer to: in files that need the
// tag, and in the parts of others that are conditional on a constant of such files.
func (src *sources) readAssembler(pkg, text string) {
	always, sometimes := map[string]bool{}, map[string]bool{}
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case conditional.MatchString(line):
			inside = true
		case strings.HasPrefix(line, "#else"), strings.HasPrefix(line, "#endif"):
			inside = false
		}
		if m := textSymbol.FindStringSubmatch(line); m != nil && needsTag(text) {
			sometimes[m[1]] = true
			continue
		}
		into := always
		if inside {
			into = sometimes
		}
		for _, m := range reference.FindAllStringSubmatch(line, -1) {
			into[m[1]] = true
		}
	}
	for name := range sometimes {
		if !always[name] {
			src.tagged[pkg+"."+name] = true
		}
	}
}

// A binary is cmd/tpbench, built for the platform of its assembler.
type binary struct {
	symbols   map[string]bool
	objects   []elf.Symbol // functions and variables, by address
	functions []elf.Symbol // by address
	data      [][]byte     // all that is loaded
	text      []byte
	base      uint64 // of text
	lines     *gosym.Table
}

func build(t *testing.T, tags string) *binary {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command builds the binaries to look at: ", err)
	}
	out := filepath.Join(t.TempDir(), "tpbench")
	cmd := exec.Command(tool, "build", "-tags="+tags, "-o", out, "./cmd/tpbench")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, msg)
	}
	f, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := &binary{symbols: map[string]bool{}}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		b.symbols[s.Name] = true
		if s.Size > 0 {
			b.objects = append(b.objects, s)
		}
	}
	slices.SortFunc(b.objects, func(x, y elf.Symbol) int { return cmp.Compare(x.Value, y.Value) })
	for _, s := range b.objects {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			b.functions = append(b.functions, s)
		}
	}
	var pclntab []byte
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		b.data = append(b.data, data)
		switch s.Name {
		case ".text":
			b.text, b.base = data, s.Addr
		case ".gopclntab":
			pclntab = data
		}
	}
	if b.lines, err = gosym.NewTable(nil, gosym.NewLineTable(pclntab, b.base)); err != nil {
		t.Fatal(err)
	}
	return b
}

// names lists the symbols with the prefix.
func (b *binary) names(prefix string) (list []string) {
	for name := range b.symbols {
		if strings.HasPrefix(name, prefix) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// has reports whether there is such a symbol, of either of Go's ABIs.
func (b *binary) has(name string) bool {
	return b.symbols[name] || b.symbols[name+".abi0"]
}

// holds reports whether the bytes of s are anywhere in the loaded sections.
func (b *binary) holds(s string) bool {
	return slices.ContainsFunc(b.data, func(data []byte) bool { return bytes.Contains(data, []byte(s)) })
}

// references disassembles every function of impls. It returns, for each function, the wanted
// targets to which it refers.
func (b *binary) references(t *testing.T, wanted func(target string) bool) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	seen := 0
	for _, s := range b.functions {
		if !strings.HasPrefix(s.Name, impls+"/") || strings.HasPrefix(s.Name, step+".") {
			continue
		}
		user := strings.TrimSuffix(s.Name, ".abi0")
		code := b.text[s.Value-b.base:][:s.Size]
		for at := 0; at < len(code); {
			insn, err := x86asm.Decode(code[at:], 64)
			if err != nil {
				t.Fatalf("%s+%#x: % x: %v", s.Name, at, code[at:min(len(code), at+8)], err)
			}
			at += insn.Len
			seen++
			for _, arg := range insn.Args {
				next := s.Value + uint64(at)
				target := ""
				switch arg := arg.(type) {
				case x86asm.Rel:
					target = b.at(next + uint64(int64(arg)))
				case x86asm.Mem:
					if arg.Base == x86asm.RIP {
						target = b.at(next + uint64(arg.Disp))
					}
				}
				if target != "" && target != user && wanted(target) {
					found[user] = append(found[user], target)
				}
			}
		}
	}
	if seen < 10_000 {
		t.Fatalf("only %d instructions of %s", seen, impls)
	}
	return found
}

// at returns the function or variable that an address is in, without its ABI.
func (b *binary) at(pc uint64) string {
	i, exact := slices.BinarySearchFunc(b.objects, pc, func(s elf.Symbol, pc uint64) int { return cmp.Compare(s.Value, pc) })
	if !exact {
		i-- // the last one that begins before it
	}
	if i < 0 || b.objects[i].Value+b.objects[i].Size <= pc {
		return ""
	}
	return strings.TrimSuffix(b.objects[i].Name, ".abi0")
}

// A line is a line of the source file, and the function that it is in.
type line struct {
	number   int
	function string
}

// inlined returns the lines of a file that have instructions in functions of impls, each with
// one such function.
func (b *binary) inlined(t *testing.T, file string) map[line]string {
	t.Helper()
	fset := token.NewFileSet()
	src, err := parser.ParseFile(fset, filepath.Join("../../..", file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	in := func(number int) string {
		for _, decl := range src.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fset.Position(fn.Pos()).Line <= number && number <= fset.Position(fn.End()).Line {
				return fn.Name.Name
			}
		}
		return fmt.Sprint("line ", number)
	}
	found := map[line]string{}
	for _, s := range b.functions {
		if !strings.HasPrefix(s.Name, impls+"/") || s.Size > 1<<16 { // nothing is inlined into assembler
			continue
		}
		for pc := s.Value; pc < s.Value+s.Size; pc++ {
			if name, number, _ := b.lines.PCToLine(pc); strings.HasSuffix(name, file) {
				found[line{number, in(number)}] = s.Name
			}
		}
	}
	return found
}
