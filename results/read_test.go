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
		evidence(run) // nothing that is read may break a table
		if err := Compare(run, run).WriteText(&strings.Builder{}); err != nil {
			t.Fatal(err)
		}
		Verdict(run, catalog)
	})
}
