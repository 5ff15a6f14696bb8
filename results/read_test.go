package results

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

const head = "tpbench: 2\ncpu: made up\n# block 0 round 0\n"

func parse(t *testing.T, text string) *Run {
	t.Helper()
	run, err := Read(strings.NewReader(text), "made-up.txt")
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func open(t *testing.T, path string) *Run {
	t.Helper()
	run, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// If this fails, a file that cannot be trusted is read, or its error does not say the line.
func TestRefuse(t *testing.T) {
	for _, tc := range []struct {
		why, text string
		line      int
		msg       string // part of
	}{
		{"nothing at all", "", 0, "no benchmark lines"},
		{"no benchmarks", head, 0, "no benchmark lines"},
		{"no version", "# block 0 round 0\nBenchmarkA 1 1 ns/op\n", 2, `expected "tpbench: 2"`},
		{"a version of the future", strings.Replace(head, "2", "3", 1) + "BenchmarkA 1 1 ns/op\n", 4, `found "3"`},
		{"cut off in a number", head + "BenchmarkA 1 1 ns/op\nBenchmarkB 1 1", 5, "cut off"},
		{"cut off after a unit", head + "BenchmarkA 1 1 ns/op", 4, "cut off"},
		{"name only, which benchfmt skips", head + "BenchmarkA\nBenchmarkB 1 1 ns/op\n", 4, "expected"},
		{"no value", head + "BenchmarkA 1\n", 4, "expected"},
		{"no unit", head + "BenchmarkA 1 1 ns/op 2\n", 4, "missing units"},
		{"no number", head + "BenchmarkA 1 one ns/op\n", 4, "parsing measurement"},
		{"no iterations", head + "BenchmarkA 0 1 ns/op\n", 4, "0 iterations"},
		{"no name", head + "Benchmark/impl=x 1 1 ns/op\n", 4, "without a name"},
		{"NaN", head + "BenchmarkA 1 NaN ns/op\n", 4, "NaN"},
		{"infinite", head + "BenchmarkA 1 +Inf ns/op\n", 4, "Inf"},
		{"negative", head + "BenchmarkA 1 -1 ns/op\n", 4, "0 or more"},
		{"a unit twice", head + "BenchmarkA 1 1 ns/op 1 ns/op\n", 4, "twice"},
		{"a sample twice", head + "BenchmarkA 1 1 ns/op\nBenchmarkA 1 1 ns/op\n", 5, "in line 4"},
		{"above the first round", "tpbench: 2\nBenchmarkA 1 1 ns/op\n" + head, 2, "# block"},
		{"another machine", head + "BenchmarkA 1 1 ns/op\ncpu: other\nBenchmarkB 1 1 ns/op\n", 6, `from "made up" to "other"`},
		{"a round without number", "# block one\n" + head, 1, "expected"},
		{"a round too large", "# block 99999999999999999999 round 99999999999999999999\n" + head, 1, "expected"},
		{"a sample without a time", head + "# sample at noon tried 1 kept 1 shared 0\nBenchmarkA 1 1 ns/op\n", 4, "expected"},
		{"a loss of nothing", "# lost round 0: gone\n" + head, 1, "expected"},
		{"an end of another kind", head + "BenchmarkA 1 1 ns/op\n# end soon\n", 5, "expected"},
		{"a unit line that says nothing", "Unit\n" + head, 1, "missing unit"},
		{"a line without end", head + "x" + strings.Repeat("x", 1<<16) + "\n", 4, "64 KiB"},
	} {
		_, err := Read(strings.NewReader(tc.text), "made-up.txt")
		var bad *FormatError
		if !errors.As(err, &bad) || bad.File != "made-up.txt" || bad.Line != tc.line || !strings.Contains(bad.Msg, tc.msg) {
			t.Errorf("%s: %v; want line %d: ...%s...", tc.why, err, tc.line, tc.msg)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", tc.why, err)
		}
	}
	if _, err := Open("testdata/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// If this fails, a file is read as another one than was written: samples, facts, marks or
// warnings.
func TestRead(t *testing.T) {
	run := parse(t, `# a remark
tpbench: 2
kernel: 6.1
Unit ns/event better=lower
# plan 5 samples
# session 00ff
# block 5 round 0 layout 3
# sample at 2026-11-21T15:04:05.678Z tried 130 kept 101 shared 90 disturbed
# superseded BenchmarkDisableAll/impl=naive-sync/removed/events=10-8 2 0 ns/op 12 p50-ns 4 gp-waits/op
# sample at 2026-11-21T15:04:05.678Z tried 130 kept 101 shared 90 disturbed
# superseded BenchmarkDispatch/impl=y 2 1 ns/op
# again: a neighbour shared the core
# block 5 round 0 layout 3
# sample at 2026-11-21T15:04:05.678Z tried 120 kept 101 shared 40 disturbed
BenchmarkDisableAll/impl=naive-sync/removed/events=10-8 2 0 ns/op 12 p50-ns 4 gp-waits/op
# lost round 0 BenchmarkDispatch/impl=x: worker died: signal: killed
# lost round 0 BenchmarkDispatch/impl=y: worker died
# end interrupted 2 of 5 samples
# session a1
# block 6 round 0
BenchmarkDispatch/impl=y 1 5 ns/op
# block 7 round 1
BenchmarkDispatch/impl=x 1 7 ns/op
`)
	s := run.Samples[0]
	if s.Name != "DisableAll/impl=naive-sync/removed/events=10-8" || s.Base != "DisableAll" || s.Line != 15 || s.Round != 0 || s.Layout != 3 || s.Session != 1 || s.Block != 5 || s.Tried != 120 || s.Kept != 101 || s.Shared != 40 || !s.Disturbed || s.At.Second() != 5 {
		t.Errorf("sample %+v", s)
	}
	if s.Key("impl") != "naive-sync" || s.Key("") != "removed" || s.Key("gomaxprocs") != "8" || s.Key("gp") != "" {
		t.Errorf("keys %v", s.Keys)
	}
	if got := s.Except("impl", "gomaxprocs"); got != "DisableAll/removed/events=10" {
		t.Errorf("Except: %s", got)
	}
	// benchfmt would leave the zero in ns/op.
	for unit, want := range map[string]float64{"sec/op": 0, "p50-sec": 12e-9, "gp-waits/op": 4} {
		if v, ok := s.Value(unit); !ok || math.Abs(v-want) > 1e-20 {
			t.Errorf("%s: %v, %v", unit, v, ok)
		}
	}
	if run.Samples[2].Round != 1 || run.Samples[2].Layout != NoLayout || run.Samples[2].Session != 2 || run.Samples[2].Kept != 0 || run.Superseded != 2 {
		t.Errorf("round of the last sample: %+v", run.Samples[2])
	}
	if run.Get("kernel") != "6.1" || run.Config[0].Key != "tpbench" || run.Units.GetBetter("sec/event") != -1 {
		t.Errorf("config %v, units %v", run.Config, run.Units)
	}
	// The loss of impl=y was made good below; that of impl=x was not.
	if len(run.Losses) != 1 || run.Losses[0] != (Loss{0, "Dispatch/impl=x", "worker died: signal: killed"}) {
		t.Errorf("losses %v", run.Losses)
	}
	if run.Complete || len(run.Warnings) != 2 || !strings.Contains(run.Warnings[0].Error(), "did not finish: 3 of 5 samples") {
		t.Errorf("warnings %v", run.Warnings)
	}

	if run := parse(t, head+"BenchmarkA 1 1 ns/op\n# end complete\n"); !run.Complete || run.Warnings != nil {
		t.Errorf("complete: %v", run.Warnings)
	}
	for lost := range 2 {
		for plan := 1; plan <= 3; plan++ {
			text := fmt.Sprintf("# plan %d samples\n", plan) + head + "BenchmarkA 1 1 ns/op\n" + strings.Repeat("# lost round 0 BenchmarkB: x\n", lost) + "# end complete\n"
			run := parse(t, text)
			if short := len(run.Warnings) > lost; short != (plan > 1+lost) {
				t.Errorf("plan of %d, one sample and %d lost: %v", plan, lost, run.Warnings)
			}
		}
	}
}

// If this fails, some bytes make reading panic, or are neither a Run with samples nor an error
// in one line.
func FuzzRead(f *testing.F) {
	data, err := os.ReadFile("testdata/synthetic3.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data[:4000]))
	f.Add(head + "BenchmarkA/b/c=d/e=-8 1 1 ns/op 0 ns/event\n# lost round 0 BenchmarkB: x\n# end complete\n")
	f.Fuzz(func(t *testing.T, text string) {
		run, err := Read(strings.NewReader(text), "fuzz")
		if err != nil {
			var bad *FormatError
			if run != nil || !errors.As(err, &bad) || bad.Msg == "" {
				t.Fatalf("%v, %v", run, err)
			}
			return
		}
		if len(run.Samples) == 0 {
			t.Fatal("no samples and no error")
		}
		for _, table := range EvidenceTables(run, catalog) { // nothing that is read may break a table
			if err := table.WriteText(&strings.Builder{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := Compare(run, run).WriteText(&strings.Builder{}); err != nil {
			t.Fatal(err)
		}
		Verdict(run, catalog)
	})
}
