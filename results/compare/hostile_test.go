package compare

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// everything compares two texts in all ways, writes all outputs, and checks what every report promises.
func everything(t *testing.T, a, b string) {
	t.Helper()
	old, errOld := Read(strings.NewReader(a), "old.txt")
	new, errNew := Read(strings.NewReader(b), "new.txt")
	var all []*Report
	for _, set := range []*Set{old, new} {
		if set == nil {
			continue
		}
		for _, by := range []struct{ key, base string }{{ArmKey, ArmA}, {"impl", "a"}, {"", ""}, {"gomaxprocs", "8"}} {
			if r, err := Within(set, by.key, by.base, Margin); err == nil {
				all = append(all, r)
			}
		}
	}
	if errOld == nil && errNew == nil {
		if r, err := Between(old, new, Margin); err == nil {
			all = append(all, r)
		}
	}
	for _, r := range all {
		for _, write := range []func(io.Writer) error{r.WriteText, r.WriteMarkdown, r.WriteMail, r.WriteJSON, r.WriteCSV} {
			if text := written(t, write); text == "" {
				t.Error("an output is empty")
			}
		}
		check(t, r)
	}
}

// check fails if a report contradicts itself.
func check(t *testing.T, r *Report) {
	t.Helper()
	if r.Regressed() != (r.Whole == Worse || r.Whole == Slower) || r.Worse() != (r.Whole == Worse) {
		t.Errorf("Regressed is %v and Worse %v of %s", r.Regressed(), r.Worse(), r.Whole)
	}
	for _, l := range r.Lines {
		switch {
		case l.Word == "":
			t.Errorf("%s has no word", l.Name)
		case l.Lo > l.Ratio || l.Ratio > l.Hi:
			t.Errorf("%s: %v is not in [%v, %v]", l.Name, l.Ratio, l.Lo, l.Hi)
		case !(l.P >= 0 && l.P <= 1) || !(l.Adjusted >= 0 && l.Adjusted <= 1) || l.Detectable < 0:
			t.Errorf("%s: P %v, adjusted %v, detectable %v", l.Name, l.P, l.Adjusted, l.Detectable)
		case (l.Word == Slower || l.Word == Faster || l.Word == Changed && l.test != nil && len(l.Counts) == 0) && l.Adjusted > Level:
			t.Errorf("%s: %s with an adjusted p value of %v", l.Name, l.Word, l.Adjusted)
		case (l.Word == Slower || l.Word == Faster) && !l.Linear && l.better <= 0 && (l.Word == Slower) != (l.Ratio > 1):
			t.Errorf("%s: %s with a ratio of %v", l.Name, l.Word, l.Ratio)
		case l.Word == Equal && l.test != nil && math.IsInf(l.Hi, 1):
			t.Errorf("%s: equal without an interval", l.Name)
		}
	}
}

// oddities are texts that have something in them that a comparison must bear.
var oddities = []string{
	"BenchmarkX 1 0 ns/op\nBenchmarkX 1 0 ns/op\n",
	"BenchmarkX 1 5 ns/op\n",
	strings.Repeat("BenchmarkX 1 5 ns/op\n", 10),
	strings.Repeat("BenchmarkX-8 1 5 ns/op 16 B/op 1 allocs/op\n", 10),
	strings.Repeat("BenchmarkX 1 NaN ns/op\nBenchmarkX 1 -4 ns/op\nBenchmarkX 1 6 ns/op\nBenchmarkX 1 Inf ns/op\n", 8),
	"BenchmarkX 1 5 ns/op\nBenchmarkX 1 5 ms/op\nBenchmarkX 1 5 ns/op 5 ms/op\n",
	"pkg: a\nBenchmarkX 1 5 ns/op\npkg: b\nBenchmarkX 1 7 ns/op\nBenchmarkX 1 8 ns/op\n",
	"pkg: a\nBenchmarkX 1 5 ns/op\nBenchmarkX 1 7 ns/op\n",
	"BenchmarkX/impl=a 1 5 ns/op 3 MB/s\nBenchmarkX/impl=b 1 1e300 ns/op 0 MB/s\nBenchmarkX/impl=b 1 1e-300 ns/op 1e300 MB/s\n",
	"BenchmarkX/arm=A-8 1 5 ns/op\nBenchmarkX/arm=A2-8 1 6 ns/op\nBenchmarkX/arm=B-8 1 7 ns/op\nBenchmarkY/arm=B-8 1 7 ns/op\n",
	"tpbench: 2\nlooks: 1 x 3\n# session 1\n# block 0 round 0 layout 1\nBenchmarkX/impl=a 1 5 ns/op\nBenchmarkX/impl=b 1 6 ns/op\n# block 1 round 1 layout 2 build 3\nBenchmarkX/impl=a 1 5 ns/op\n# lost round 4 BenchmarkX/impl=b: gone\n# lost round 4 BenchmarkTorture/impl=b: gone\n",
	"tpbench: 2\n# session 1\n# block 0 round 0 build 1\nBenchmarkX/arm=A 1 5 ns/op\nBenchmarkX/arm=B 1 6 ns/op\nBenchmarkX/arm=A2 1 6 ns/op\n# block 1 round 1 build 1\nBenchmarkX/arm=A 1 5 ns/op\nBenchmarkX/arm=B 1 9 ns/op\n# end decided 5 of 9 samples\n",
	"Unit odd better=higher assume=exact\nBenchmarkX 1 5 odd\n",
	"Unit odd better=lower assume=exact\nBenchmarkX 1 5 odd\nBenchmarkX 1 6 odd\n",
	"BenchmarkTorture/impl=a 1 0 mistakes/op\nBenchmarkTorture/impl=b 1 3 mistakes/op\n",
	"BenchmarkX/=/a=/=b//-3 1 5 ns/op\nBenchmark/impl=a 1 5 ns/op\n",
}

// If this fails, an odd file stops the comparison, or a report contradicts itself.
func TestOddities(t *testing.T) {
	for i, a := range oddities {
		for j, b := range oddities {
			t.Run(fmt.Sprint(i, " ", j), func(t *testing.T) { everything(t, a, b) })
		}
	}
}

// FuzzCompare fails if two texts that can be read stop the comparison, or make a report that contradicts itself.
func FuzzCompare(f *testing.F) {
	for i, a := range oddities {
		f.Add(a, oddities[(i+1)%len(oddities)])
	}
	f.Fuzz(everything)
}

// If this fails, the files that the repository keeps cannot be compared.
func TestRecordedRuns(t *testing.T) {
	paths, _ := filepath.Glob("../data/*/*.txt")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		everything(t, string(text), string(text))
		set := read(t, string(text))
		r, err := Between(set, set, Margin)
		if err != nil {
			t.Fatal(err)
		}
		if w := words(r); r.Regressed() || w[Slower]+w[Faster]+w[Worse]+w[Better]+w[Changed] > 0 {
			t.Errorf("%s, compared with itself: got %v", path, w)
		}
	}
	if len(paths) < 5 {
		t.Errorf("found %q", paths)
	}
}

// If this fails, a report leaves out one of these facts.
func TestWhatIsSaid(t *testing.T) {
	for _, c := range []struct {
		name, a, b, said string
	}{
		{"a missing side", oddities[9] + "BenchmarkZ 1 5 ns/op\n", oddities[1] + "BenchmarkZ 1 5 ns/op\n", "only new.txt has X [sec/op]"},
		{"a value that is none", oddities[4], oddities[1], "expected a finite number"},
		{"zero", oddities[0], oddities[1], "a value is 0"},
		{"one sample", oddities[1], oddities[1], "inconclusive"},
		{"two packages", oddities[6], oddities[6], "pkg:b"},
		{"one package of two", oddities[6], oddities[7], "only old.txt has X pkg:b"},
	} {
		r := sessions(t, c.a, c.b)
		if text := written(t, r.WriteText) + strings.Join(r.Warnings, "\n"); !strings.Contains(text, c.said) {
			t.Errorf("%s: want %q in\n%s", c.name, c.said, text)
		}
	}
	for _, by := range []struct{ key, base string }{{"impl", "a"}, {ArmKey, "C"}} {
		if r, err := Within(read(t, oddities[9]), by.key, by.base, Margin); err == nil || !strings.Contains(err.Error(), by.key) {
			t.Errorf("by %s, base %s: got %v and %v, want an error that names the key", by.key, by.base, r, err)
		}
	}
	if _, err := Between(read(t, oddities[1]), read(t, oddities[12]), Margin); err == nil {
		t.Error("files with nothing in common: got no error")
	}
}
