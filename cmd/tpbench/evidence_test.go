package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

// If this fails, the evidence leaves out something that a file has and does not say so, shows
// a busted strategy as sound, or has exit code 0 when something was not shown.
func TestShow(t *testing.T) {
	const (
		main    = benches.MainSection
		head    = "tpbench: 2\n# plan 1 samples\n# block 0 round 0\n"
		churn   = head + "BenchmarkChurn/impl=naive-sync/gp=kernelgp 1 9 ns/op\n"
		end     = "# end complete\n"
		unsafe  = "BenchmarkChurn/impl=direct-static-call/gp=kernelgp 1 9 ns/op\n"
		again   = "# superseded BenchmarkX 1 9 ns/op\n# again: a neighbour shared the core\n"
		zero    = head + "BenchmarkChurn/impl=naive-sync/gp=kernelgp 1 0 ns/op\n" + end
		verdict = "BenchmarkDisableAll/impl=naive-sync/events=9 1 9 ns/op\nBenchmarkDisableAll/impl=rcu-cond-sync/events=9 1 9 ns/op\n"
	)
	for _, tc := range []struct {
		why, text string
		section   string
		complete  bool
		code      int
		want      []string // regular expressions; "!..." is not to be there
		chart     string   // of transitions: drawn, blocked by a directory, or not drawn
	}{
		{"one benchmark", churn + unsafe + end, main, true, 2, []string{`direct-static-call +busted`, `naive-sync +sound`, `no chart scaling: .*DisableAll`, `wrote .*transitions\.svg and \.png`, `wrote .*evidence\.txt`, `!taken again`, `!did not finish`}, "drawn"},
		{"the same, of another part", churn + end, "uprobe", true, 0, []string{`Single transitions`, `no chart uprobe: `, `!scaling`}, ""},
		{"the same, of a run that lost samples", churn + end, main, false, 0, []string{`Single transitions`, `!no chart`}, "drawn"},
		{"cut off", churn, main, false, 0, []string{`did not finish`}, "drawn"},
		{"with the sentence", churn + again + verdict + end, main, true, 0, []string{`(?m)^Disabling 9 events took .*\.$`, `(?m)^1 samples were taken again `}, "drawn"},
		{"what no chart can show", zero, main, false, 1, []string{`Single transitions`}, ""},
		{"no samples", head, main, false, 2, []string{`!.`}, ""},
		{"a directory in the place of a chart", churn + end, main, false, 2, nil, "blocked"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "evidence.txt")
		must(t, os.WriteFile(path, []byte(tc.text), 0o666))
		chosen, err := benches.Evidence(9, tc.section)
		must(t, err)
		if tc.chart == "blocked" {
			must(t, os.Mkdir(filepath.Join(dir, "transitions.svg"), 0o777))
		}
		var out strings.Builder
		err = show(&out, path, dir, chosen, tc.complete)
		if exitCode(err) != tc.code {
			t.Errorf("%s: %v, exit code %d, want %d", tc.why, err, exitCode(err), tc.code)
		}
		for _, want := range tc.want {
			pattern, not := strings.CutPrefix(want, "!")
			if regexp.MustCompile(pattern).MatchString(out.String()) == not {
				t.Errorf("%s: want %s in\n%s", tc.why, want, &out)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "transitions.png")); (err == nil) != (tc.chart == "drawn") {
			t.Errorf("%s: the chart: %v", tc.why, err)
		}
		if tc.code != 0 {
			continue
		}
		for room := 0; room < out.Len(); room += 1 + out.Len()/9 {
			if err := show(&smallDisk{room: room}, path, dir, chosen, tc.complete); !errors.Is(err, syscall.ENOSPC) || exitCode(err) != 1 {
				t.Errorf("%s: %d of %d bytes written: %v", tc.why, room, out.Len(), err)
			}
		}
	}
}

// If this fails, the tables and charts take a busted implementation for a sound one.
func TestCatalogStatus(t *testing.T) {
	cat := catalog()
	for _, i := range benches.Impls() {
		want := i.Status.String()
		if i.Family == benches.FloorFamily {
			want = ""
		}
		if got := cat.Status(i.Name); got != want {
			t.Errorf("%s/%s: %q, want %q", i.Family, i.Name, got, want)
		}
	}
}

// If this fails, a table, a chart or the sentence finds no benchmark, because benches and
// results call its role by different words; or a benchmark has a role that nothing shows.
func TestRoles(t *testing.T) {
	cat := catalog()
	shown := map[results.Role]bool{results.Enable: true, results.RunningKernel: true, results.GracePeriod: true, results.Torture: true} // by tables
	for _, d := range plots.Charts() {
		shown[d.Role] = true
	}
	for role := range shown {
		if len(cat.Names(role)) == 0 {
			t.Errorf("no benchmark has the role %q", role)
		}
	}
	for _, b := range cat.Benchmarks {
		if b.Role != "" && !shown[b.Role] {
			t.Errorf("%s has the role %q, which nothing shows", b.Name, b.Role)
		}
	}
	for _, known := range []string{cat.EmptyLoop, cat.PlainCall, cat.KernelGP} {
		if !slices.ContainsFunc(benches.Impls(), func(i benches.Impl) bool { return i.Name == known }) {
			t.Errorf("there is no %q", known)
		}
	}
}
