package docs

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/impls"
)

// This file tests the words of the repository: that docs/interleavings.md names every busted
// variant, that a code means one thing, and that the glossary defines a word once.

const root = ".."

// raceFamilies is, for the prefix of each race's code, the families whose variants have it.
var raceFamilies = map[string][]string{
	"tp":  {"tracepoint", "dispatch"},
	"rcu": {"rcu"},
	"un":  {"unregister"},
	"klp": {"livepatch"},
	"tx":  {"textpoke"},
	"up":  {"uprobe"},
}

// A raceRow is one row of docs/interleavings.md.
type raceRow struct{ code, variants, breaks, replay string }

var raceRowRE = regexp.MustCompile(`(?m)^\| ([a-z]+-[A-Z]\d+) \| (.*?) \| (.*?) \| (.*?) \|$`)

func raceRows(t *testing.T) (rows []raceRow) {
	for _, m := range raceRowRE.FindAllStringSubmatch(read(t, "docs/interleavings.md"), -1) {
		rows = append(rows, raceRow{m[1], m[2], m[3], m[4]})
	}
	return rows
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources calls f with every Go, assembler and Markdown file, without recorded results.
func sources(t *testing.T, f func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "results/data" || d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case slices.Contains([]string{".go", ".s", ".h", ".md"}, filepath.Ext(name)):
			f(name, read(t, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// If this fails, a busted variant has no race in docs/interleavings.md, or a row there does not
// say which replay performs the race, or why none does.
func TestEveryBustedVariantHasARace(t *testing.T) {
	named := map[string]bool{} // "family variant"
	for _, row := range raceRows(t) {
		prefix, _, _ := strings.Cut(row.code, "-")
		families := raceFamilies[prefix]
		if families == nil {
			t.Errorf("%s: no family has races of this kind", row.code)
		}
		if reason, none := strings.CutPrefix(row.replay, "none:"); none && strings.TrimSpace(reason) == "" ||
			!none && !slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(row.replay, "`"+f+"`") }) {
			t.Errorf("%s: the replay is %q, want one of `%s` or \"none: \" and a reason", row.code, row.replay, strings.Join(families, "` `"))
		}
		if strings.HasPrefix(row.variants, "none:") {
			continue
		}
		for quoted := range strings.SplitSeq(row.variants, ", ") {
			name := strings.Trim(quoted, "`")
			i := slices.IndexFunc(benches.Impls(), func(i benches.Impl) bool {
				return i.Name == name && i.Status == impls.Busted && slices.Contains(families, i.Family)
			})
			if i < 0 {
				t.Errorf("%s: no busted variant of %s is called %q", row.code, families, name)
				continue
			}
			named[benches.Impls()[i].Family+" "+name] = true
		}
	}
	for _, i := range benches.Impls() {
		if i.Status == impls.Busted && !named[i.Family+" "+i.Name] {
			t.Errorf("docs/interleavings.md has no row for %s of %s", i.Name, i.Family)
		}
	}
}

var (
	invariantRE = regexp.MustCompile(`(?m)^//\s+- ([A-Z]\d+): `)
	raceRE      = regexp.MustCompile(`\b([a-z]+-[A-Z]\d+)\b`)
	codeRE      = regexp.MustCompile(`(^|[^-\w])([ABDGHKLMPRSTUVW]\d{1,2})\b`)

	// notCodes are registers, percentiles, and the arm that is the base again.
	notCodes = regexp.MustCompile(`^(R([089]|1[0-5])|P[1-9]0|A2)$`)
)

// If this fails, a code means two things or nothing. A race is defined in a table of
// docs/interleavings.md, an invariant in its package's doc.go; steps of a protocol have words.
func TestCodesAreUnique(t *testing.T) {
	races := map[string]bool{}
	for _, row := range raceRows(t) {
		if races[row.code] {
			t.Errorf("docs/interleavings.md defines %s twice", row.code)
		}
		races[row.code] = true
	}
	invariants, letters := map[string]string{}, map[string]string{} // where they are defined
	sources(t, func(path, text string) {
		if filepath.Base(path) != "doc.go" {
			return
		}
		for _, m := range invariantRE.FindAllStringSubmatch(text, -1) {
			code, letter := m[1], m[1][:1]
			if first := invariants[code]; first != "" {
				t.Errorf("%s and %s define %s", first, path, code)
			}
			if first := letters[letter]; first != "" && first != path {
				t.Errorf("%s and %s have invariants with the letter %s", first, path, letter)
			}
			invariants[code], letters[letter] = path, path
		}
	})
	if got, want := slices.Sorted(maps.Keys(letters)), strings.Split("BDGKMPT", ""); !slices.Equal(got, want) {
		t.Errorf("invariants have the letters %s, want %s: the lists in doc.go have another form now", got, want)
	}
	sources(t, func(path, text string) {
		for _, m := range raceRE.FindAllStringSubmatch(text, -1) {
			if !races[m[1]] {
				t.Errorf("%s: %s is no race of docs/interleavings.md", path, m[1])
			}
		}
		for _, m := range codeRE.FindAllStringSubmatch(text, -1) {
			if invariants[m[2]] == "" && !notCodes.MatchString(m[2]) {
				t.Errorf("%s: %s is no invariant; a race's code begins with its family, and a step has a word", path, m[2])
			}
		}
	})
}

// If this fails, the glossary defines a word twice, or a reader does not find it where the
// alphabet has it.
func TestGlossary(t *testing.T) {
	where := map[string]string{}
	heading, last := "the first part", ""
	for line := range strings.Lines(read(t, "docs/glossary.md")) {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			heading, last = strings.TrimSpace(h), ""
		}
		word, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !ok || word == "word" {
			continue
		}
		if first := where[word]; first != "" {
			t.Errorf("%q is defined in %s and in %s", word, first, heading)
		}
		if strings.ToLower(word) < strings.ToLower(last) {
			t.Errorf("%s: %q stands after %q", heading, word, last)
		}
		where[word], last = heading, word
	}
	for _, word := range []string{"busted", "core sync", "flavour", "grace period", "site", "strategy"} {
		if where[word] != "the first part" {
			t.Errorf("%q is not among the first words", word)
		}
	}
}
