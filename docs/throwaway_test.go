package docs

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var keep = flag.String("throwaway", "", "directory in which TestThrowaway leaves overlay.json, for `go test -overlay`")

// A throwaway is a variant that only this test has: one file, and one entry in the
// variants.go beside it.
type throwaway struct {
	file   string // where it would be, "impls/rcu/twice.go"
	source string // the file's content
	entry  string // its entry in the list of variants
	name   string // the variant's
	busted bool
}

// If this fails, a new variant needs more than one file and one entry. The test adds one of
// each kind without touching the tree (`go build -overlay`): the strategy that CONTRIBUTING.md
// shows, a strategy that may stay at the iterator, a busted strategy, a flavour, a way to
// patch and a uprobe variant. Then list, torture and run have them, and the commands of
// CONTRIBUTING.md work. All other tests run with them in .ci/run.
func TestThrowaway(t *testing.T) {
	if testing.Short() && *keep == "" {
		t.Skip("it builds tpbench with six more variants, for a minute")
	}
	all := throwaways(t)
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	overlay := writeOverlay(t, dir, all)
	if testing.Short() {
		return // the caller of -throwaway wants no more
	}
	bin := programs(t, "-overlay", overlay)

	list := output(t, bin, "list")
	var names, impls, flavours []string
	for _, v := range all {
		if !regexp.MustCompile(`(?m)^\s*(\S+\s+)?` + v.name + `\s`).MatchString(list) {
			t.Errorf("list does not have %s", v.name)
		}
		names = append(names, v.name)
		if strings.HasPrefix(v.file, "impls/rcu/") {
			flavours = append(flavours, v.name)
		} else {
			impls = append(impls, v.name)
		}
	}

	// It exits with an error if a sound one broke or a busted one was not caught.
	verdicts := output(t, bin, "torture", "--impl", strings.Join(names, ","), "--for", "2s")
	for _, v := range all {
		want := `sound .* held `
		if v.busted {
			want = `busted .* caught `
		}
		if !regexp.MustCompile(`(?m)\s` + v.name + `\s+` + want).MatchString(verdicts) {
			t.Errorf("torture's verdict of %s is wrong:\n%s", v.name, verdicts)
		}
	}

	file := filepath.Join(t.TempDir(), "run.txt")
	output(t, bin, "run", "--bench", "Churn|Poke|UprobeHit|Disturb", "--impl", strings.Join(impls, ","), "--gp", strings.Join(flavours, ","), "--rounds", "1", "-o", file)
	samples, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if !regexp.MustCompile(`(?m)^Benchmark.*/(impl|gp)=` + v.name + `/`).Match(samples) {
			t.Errorf("run measured nothing with %s", v.name)
		}
	}

	text, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	executeAll(t, "CONTRIBUTING.md", bin, string(text), commandsOf(string(text)))
}

// output runs tpbench, which must succeed, and returns what it printed.
func output(t *testing.T, bin string, args ...string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "tpbench"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("tpbench %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// throwaways reads them from testdata/throwaway and from CONTRIBUTING.md. A file's first
// comment is its path and its entry.
func throwaways(t *testing.T) []throwaway {
	t.Helper()
	files, err := filepath.Glob("testdata/throwaway/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("testdata/throwaway has no variants: ", err)
	}
	var all []throwaway
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		head, source, _ := strings.Cut(string(text), "\n\n")
		path, entry, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(head, "// "), "\n//", "\n"), "\n")
		all = append(all, newThrowaway(t, path, source, entry))
	}
	guide, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.MustCompile("`(impls/tracepoint/[a-z]+\\.go)`: one").FindSubmatch(guide)
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(guide, -1)
	if path == nil || len(code) != 2 {
		t.Fatal("CONTRIBUTING.md does not show a strategy's file and entry")
	}
	return append(all, newThrowaway(t, string(path[1]), string(code[0][1]), string(code[1][1])))
}

func newThrowaway(t *testing.T, path, source, entry string) throwaway {
	t.Helper()
	name := regexp.MustCompile(`"([a-z0-9-]+)"`).FindStringSubmatch(entry)
	if name == nil {
		t.Fatalf("%s: its entry has no name:\n%s", path, entry)
	}
	return throwaway{path, source, entry, name[1], strings.Contains(entry, "Busted")}
}

// writeOverlay writes the files as they would be, and the list by which the go command
// takes them for the tree's, and returns its path.
func writeOverlay(t *testing.T, dir string, all []throwaway) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	write := func(path, content string) {
		at := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(at, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, path)] = at
	}
	lists := map[string]string{} // the variants.go so far, by path
	for _, v := range all {
		write(v.file, v.source)
		path := filepath.Join(filepath.Dir(v.file), "variants.go")
		if _, ok := lists[path]; !ok {
			content, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				t.Fatal(err)
			}
			lists[path] = string(content)
		}
		lists[path] = withEntry(t, path, lists[path], v.entry)
		write(path, lists[path])
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// withEntry returns a variants.go with one more entry at the end of its list: the last
// literal of type []Variant.
func withEntry(t *testing.T, path, content, entry string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, content, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if list, ok := n.(*ast.CompositeLit); ok {
			if slice, ok := list.Type.(*ast.ArrayType); ok && slice.Len == nil {
				if element, ok := slice.Elt.(*ast.Ident); ok && element.Name == "Variant" {
					end = int(list.Rbrace) - int(file.FileStart)
				}
			}
		}
		return true
	})
	if end == 0 {
		t.Fatalf("%s has no list of variants", path)
	}
	return content[:end] + "\n" + strings.TrimSpace(entry) + "\n" + content[end:]
}
