package plots

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results"
)

// kernels is a history of releases that do not exist, and its run.
func kernels(t *testing.T) (*results.Run, History) {
	r := rand.New(rand.NewPCG(1, 1))
	h := History{
		Arms: []string{"6.1.0_38_cloud_amd64", "6.6.9+deb12-cloud-amd64", "6.12.48+deb12-cloud-amd64", "6.16.3+deb13-cloud-amd64", "6.17.1", "6.18.1", "6.19.0", "7.0.2", "7.3.1"},
	}
	h.Again = h.Arms[0] + "+again"
	var b strings.Builder
	fmt.Fprintf(&b, "cpu: made up\ntime: virtual\nqemu: 7.2.22\narms: %s\n", strings.Join(h.Arms, " "))
	operations := []struct {
		name  string
		took  []float64 // ms
		waits []float64
		ticks bool
	}{
		{"KernelDisableAll/system=all", []float64{9100, 9080, 212, 215, 220, 221, 120, 121, 119}, []float64{2740, 2740, 3, 3, 3, 3, 2, 2, 2}, false},
		{"KernelEnableAll/system=all", []float64{61, 61, 62, 66, 66, 66, 64, 64, 90}, []float64{0, 0, 0, 0, 0, 0, 0, 0, 1}, false},
		{"KernelToggle/event=task_rename", []float64{16, 16, 8.2, 8.1, 8.1, 8.1, 4.2, 4.2, 4.1}, []float64{2, 2, 1, 1, 1, 1, 0.6, 0.6, 0.6}, true},
		{"KernelToggle/event=sched_switch", []float64{24, 24, 16, 16, 16, 16, 12, 12, 12}, []float64{3, 3, 2, 2, 2, 2, 1.5, 1.5, 1.5}, true},
		{"KernelChurn", []float64{8, 8, 8, 8, 8, 8, 8, 8, 8}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1}, true},
		{"KernelUprobeDetach/via=multi/uprobes=100", []float64{0, 1.1, 1.1, 1.2, 1.2, 1.2, 0.9, 0.9, 0.8}, []float64{0, 1, 1, 1, 1, 1, 1, 1, 1}, false},
		{"KernelFire/events=off", []float64{0.00021, 0.000211, 0.000209, 0.00021, 0.00021, 0.00021, 0.00021, 0.00021, 0.00021}, nil, false},
	}
	block := 0
	for round := range 8 {
		for _, arm := range append(slices.Clone(h.Arms), h.Again) {
			fmt.Fprintf(&b, "# block %d round %d\n", block, round)
			block++
			i := max(0, slices.Index(h.Arms, arm))
			for _, o := range operations {
				v := o.took[i]
				if v == 0 {
					continue
				}
				if v *= 1 + 0.004*r.NormFloat64(); o.ticks {
					v += 4 * float64(r.IntN(2))
				}
				fmt.Fprintf(&b, "Benchmark%s/arm=%s 1 %.6g ns/op", o.name, arm, v*1e6)
				if o.waits != nil {
					fmt.Fprintf(&b, " %g gp-waits/op %d core-syncs/op", o.waits[i], 3+i%3)
				}
				b.WriteByte('\n')
			}
		}
	}
	h.Steps = []Step{
		{operations[0].name, h.Arms[2], 0.0233}, {operations[0].name, h.Arms[6], 0.54}, {operations[1].name, h.Arms[3], 1.06},
		{operations[1].name, h.Arms[8], 1.4}, {operations[2].name, h.Arms[2], 0.6}, {operations[2].name, h.Arms[6], 0.54}, {operations[5].name, h.Arms[3], 1.09},
	}
	return parse(t, b.String()), h
}

// If this fails, the chart release by release is not, pixel by pixel, its golden image. After a change that is meant:
//
//	go test ./plots -regen
//
// and look at the image.
func TestReleasesGolden(t *testing.T) {
	run, h := kernels(t)
	dirs := [2]string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		c, err := ByRelease(run, catalog, h)
		if err == nil {
			err = Save(c, dir, "releases")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, dirs[0], "releases.svg"), read(t, dirs[1], "releases.svg")) {
		t.Error("two drawings differ")
	}
	vetSVG(t, read(t, dirs[0], "releases.svg"))
	golden(t, "releases_golden.png", read(t, dirs[0], "releases.png"), func(a, b []byte) bool { return equal(t, a, b) })
}

// If this fails, a panel has the time, the counts or the verdict of another release or operation.
func TestReleasesPanels(t *testing.T) {
	const file = `BenchmarkB/k=1/arm=x 1 5 ns/op 2 gp-waits/op
BenchmarkB/k=1/arm=x+again 1 6 ns/op 1 gp-waits/op
BenchmarkB/k=1/arm=z 1 90 ns/op 0 gp-waits/op 8 core-syncs/op
BenchmarkB/k=2/arm=x 1 5 ns/op
BenchmarkB/k=2/arm=y 1 5 ns/op
BenchmarkA/arm=y 1 5 ns/op
BenchmarkA/arm=other 1 5 ns/op
BenchmarkC/arm=x 1 5 waits
BenchmarkC/arm=y 1 5 waits
# block 1 round 1
BenchmarkB/k=1/arm=x 1 7 ns/op 1 gp-waits/op
`
	h := History{Arms: []string{"x", "y", "z"}, Again: "x+again", Steps: []Step{{"B/k=1", "z", 15}, {"B/k=3", "x", 2}}}
	cat := results.Catalog{Benchmarks: []results.Benchmark{{Name: "B"}}}
	c, err := ByRelease(parse(t, file), cat, h)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.panels) != 2 || c.panels[0].name != "B/k=1" || c.panels[1].name != "B/k=2" {
		t.Fatalf("got %d panels, want B/k=1 and B/k=2", len(c.panels))
	}
	p := c.panels[0]
	if p.there[0].Center != 6e-9 || p.there[1].N != 0 || p.there[2].Center != 90e-9 || p.again.Center != 6e-9 {
		t.Errorf("got the times %v, again %v", p.there, p.again)
	}
	if got := fmt.Sprint(p.counts, p.steps); got != "map[core-syncs/op:[NaN NaN 8] gp-waits/op:[1.5 NaN 0]] map[2:{B/k=1 z 15}]" {
		t.Errorf("got the counts and steps %s", got)
	}
	if a := p.axes(true); a.Y.Min <= 0 || a.X.Max != 2.5 {
		t.Errorf("times of 5 and 90 ns have an axis from %v, %v releases", a.Y.Min, a.X.Max)
	}
	if a := c.panels[1].axes(true); a.Y.Min != 0 || a.Y.Max <= 5e-9 {
		t.Errorf("equal times have an axis from %v to %v", a.Y.Min, a.Y.Max)
	}
	if !strings.Contains(c.note, "range") || strings.Contains(c.title, "virtual") {
		t.Errorf("of a file without a clock and few samples got %q, %q", c.title, c.note)
	}
	cat.Benchmarks[0].Shown = "k=2"
	if c, err := ByRelease(parse(t, file), cat, h); err != nil || len(c.panels) != 1 || c.panels[0].name != "B/k=2" {
		t.Errorf("shown are k=2: got %v", err)
	}
	cat.Benchmarks[0].Shown = "k=3" // was not measured
	if c, err := ByRelease(parse(t, file), cat, h); err != nil || len(c.panels) != 2 {
		t.Errorf("only what is not shown was measured: got %v, want all of it", err)
	}
	cat.Benchmarks[0].Shown = "k=2"
	for kind, want := range map[string]string{"virtual": "in virtual time: instructions", "wall": "in wall time"} {
		if c, err := ByRelease(parse(t, "time: "+kind+"\n"+file), cat, h); err != nil || !strings.Contains(c.title, want) {
			t.Errorf("%s: %v, %q", kind, err, c.title)
		}
	}
}

// If this fails, a run without two releases, or one of times that are 0, stops a program.
func TestReleasesMissing(t *testing.T) {
	h := History{Arms: []string{"x", "y"}}
	for _, text := range []string{"BenchmarkB/arm=x 1 5 ns/op\n", "BenchmarkB/arm=x 1 5 ns/op\nBenchmarkC/arm=y 1 5 ns/op\n", "BenchmarkB 1 5 ns/op\n", "BenchmarkB/arm=x 1 5 w\nBenchmarkB/arm=y 1 5 w\n"} {
		var missing *results.MissingError
		if _, err := ByRelease(parse(t, text), catalog, h); !errors.As(err, &missing) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	c, err := ByRelease(parse(t, "BenchmarkB/arm=x 1 0 ns/op\nBenchmarkB/arm=y 1 0 ns/op\n"), catalog, h)
	if err == nil {
		err = Save(c, t.TempDir(), "releases")
	}
	if err != nil {
		t.Errorf("times of 0: %v", err)
	}
}
