package step_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, a binary without the tag has a call of package step in it, the name of a
// place, or a hook in assembler, and every measurement includes them. Or this test does not
// see such things any more: it must see them in a binary with the tag.
func TestAbsent(t *testing.T) {
	places := readPlaces(t, "../..")
	if len(places) < 3 {
		t.Fatalf("the sources have only the places %q: is this test still looking for the right calls?", places)
	}
	without, with := build(t, ""), build(t, "steps")

	for _, place := range places {
		if without.holds(place) {
			t.Errorf("without the tag the binary holds the name of the place %q", place)
		}
		if !with.holds(place) {
			t.Errorf("with the tag the binary does not hold the name of the place %q", place)
		}
	}

	for _, point := range []*regexp.Regexp{
		regexp.MustCompile(`impls/internal/step\.[\w(]`),
		regexp.MustCompile(`impls/dispatch\.(hook|hold)[A-Z0-9]`), // the names of hooks in assembler: hookData, holdInt3
		regexp.MustCompile(`impls/textpoke\.(hook|hold)[A-Z0-9]`),
	} {
		if in := without.lines(point); len(in) > 0 {
			t.Errorf("without the tag there is %s:\n%s", point, strings.Join(in, "\n"))
		}
		if len(with.lines(point)) == 0 {
			t.Errorf("with the tag there is no %s", point)
		}
	}

	// An inlined function has no call, but its instructions keep their source lines. Only that of
	// Lock has some.
	source, err := os.ReadFile("step_off.go")
	judge.Check(t, err)
	before, _, found := strings.Cut(string(source), "mu.Lock()")
	lock := "step_off.go:" + strconv.Itoa(1+strings.Count(before, "\n")) + "\t"
	inlined := without.lines(regexp.MustCompile(`^\s+step_off\.go:`))
	if !found || len(inlined) == 0 {
		t.Error("without the tag no instruction of step.Lock is seen")
	}
	for _, line := range inlined {
		if !strings.Contains(line, lock) {
			t.Errorf("without the tag there is an instruction of step_off.go other than Lock's: %s", line)
		}
	}
}

// readPlaces returns the names of the places in the packages below dir, if they are constant.
// Those that are computed must stand in an "if step.Enabled".
func readPlaces(t *testing.T, dir string) (places []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		var enabled token.Pos // the end of the last "if step.Enabled"
		ast.Inspect(f, func(n ast.Node) bool {
			if cond, ok := n.(*ast.IfStmt); ok && isStep(cond.Cond, "Enabled") {
				enabled = cond.Body.End()
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || !isStep(call.Fun, "At", "Wait", "Lock") {
				return true
			}
			if name, ok := call.Args[0].(*ast.BasicLit); ok {
				place, err := strconv.Unquote(name.Value)
				judge.Check(t, err)
				places = append(places, place)
			} else if call.Pos() > enabled {
				t.Errorf("%s: the name of a place is computed outside of if step.Enabled", fset.Position(call.Pos()))
			}
			return true
		})
		return err
	})
	judge.Check(t, err)
	return places
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

// A binary is cmd/tpbench, built for the platform of its assembler.
type binary struct {
	image []byte
	text  []string // the lines of the disassembly of impls: "TEXT" and a symbol, or an instruction
}

func build(t *testing.T, tags string) binary {
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
	image, err := os.ReadFile(out)
	judge.Check(t, err)
	text, err := exec.Command(tool, "tool", "objdump", "-s", "tpbench/impls/", out).Output()
	judge.Check(t, err)
	return binary{image, strings.Split(string(text), "\n")}
}

// holds reports whether the bytes of s are anywhere in the binary.
func (b binary) holds(s string) bool { return bytes.Contains(b.image, []byte(s)) }

// lines returns the lines of the disassembly that match.
func (b binary) lines(re *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(b.text), func(line string) bool { return !re.MatchString(line) })
}
