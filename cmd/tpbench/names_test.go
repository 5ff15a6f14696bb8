package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/benches"
)

// mayName matches the files that may have the name of a variant or of a benchmark in their code: the
// packages of the implementations, benches, which chooses what the evidence measures, and
// judge, which only tests import.
var mayName = regexp.MustCompile(`^(benches|impls/(rcu|textpoke|dispatch|tracepoint|unregister|livepatch|uprobe|kernel|internal/judge))/`)

// exceptions are names in other packages, each with its reason.
var exceptions = map[string]string{
	"results/verdict.go naive-sync":    "the sentence of the evidence is about it",
	"results/verdict.go rcu-cond-sync": "the sentence of the evidence is about it",
	"harness/host/host.go fail":        "what doctor says of a check",
	"impls/torture/rcu/rcu.go rcu":     "the family, not livepatch's variant",
	"plots/charts.go fail":             "a key of the benchmark's name, which says how many allocations fail",
}

// If this fails, a new variant or benchmark is more than one file and one entry: a package
// that should take it from a list, or by a property or a role, has names instead.
func TestNamesAreNotWiredIn(t *testing.T) {
	names := map[string]bool{}
	for _, i := range benches.Impls() {
		names[i.Name] = true
	}
	for _, b := range benches.Benchmarks() {
		for _, n := range b.Names {
			names[n] = true
		}
	}
	root, used := filepath.Join("..", ".."), map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		file, _ := filepath.Rel(root, path)
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(file, "/testdata/") || mayName.MatchString(file) {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			expr, _ := n.(ast.Expr)
			text, ok := literal(expr)
			if !ok {
				return true
			}
			for _, name := range wiredIn(text, names) {
				at := file + " " + name
				used[at] = true
				if exceptions[at] == "" {
					t.Errorf("%s: %q names %s: select it by a property, or by the role of a benchmark", file, text, name)
				}
			}
			return true
		})
		return nil
	})
	must(t, err)
	for at := range exceptions {
		if !used[at] {
			t.Errorf("the exception %q is not needed any more", at)
		}
	}
}

// literal returns the text of a string literal, or of several that + joins.
func literal(e ast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, isLeft := literal(e.X)
		right, isRight := literal(e.Y)
		return left + right, e.Op == token.ADD && isLeft && isRight
	}
	return "", false
}

// components find the parts of a benchmark's full name in a text.
var components = []*regexp.Regexp{
	regexp.MustCompile(`\bBenchmark([A-Za-z]+)`),
	regexp.MustCompile(`\b([A-Z][A-Za-z]+)/[a-z]+=`),
	regexp.MustCompile(`\b(?:impl|gp)=([a-z0-9-]+)`),
}

// wiredIn returns the names that a literal is, or holds as a part of a list or of a benchmark's name.
func wiredIn(text string, names map[string]bool) []string {
	parts := []string{text}
	// A list, or a family and a name.
	if strings.ContainsAny(text, "/,|") && !strings.ContainsAny(text, " =") {
		parts = strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/,|^$()", r) })
	}
	for _, c := range components {
		for _, m := range c.FindAllStringSubmatch(text, -1) {
			parts = append(parts, m[1])
		}
	}
	return slices.DeleteFunc(parts, func(part string) bool { return !names[part] })
}

// If this fails, TestNamesAreNotWiredIn overlooks names, or finds some where there are none.
func TestWiredIn(t *testing.T) {
	names := map[string]bool{"naive-sync": true, "memb": true, "Churn": true}
	for text, want := range map[string]string{
		"naive-sync":                      "naive-sync",
		"naive-sync is slow":              "",
		"as naive-syncs":                  "",
		"Churn/impl=naive-sync/gp=memb":   "Churn naive-sync memb",
		"impl=other/gp=memb":              "memb",
		"BenchmarkChurn ":                 "Churn",
		"of BenchmarkChurn/gp=x":          "Churn",
		"tpbench run --bench Churn":       "",
		"run --impl naive-sync --gp memb": "",
		"Churn":                           "Churn",
		"tracepoint/naive-sync":           "naive-sync",
		"^(memb|naive-sync)$":             "memb naive-sync",
		"memb,other":                      "memb",
	} {
		if got := strings.Join(wiredIn(text, names), " "); got != want {
			t.Errorf("%q names %q, expected %q", text, got, want)
		}
	}
}
