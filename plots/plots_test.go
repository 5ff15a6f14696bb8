package plots

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot/vg"
)

var regen = flag.Bool("regen", false, "write the golden images and texts anew")

// The data is synthetic: see the first line of the file.
const synthetic = "../results/testdata/synthetic7.txt"

// others are the charts that have other synthetic data.
var others = map[string]string{
	"unregister": "testdata/unregister.txt",
	"livepatch":  "testdata/livepatch.txt",
	"uprobe":     "testdata/uprobe.txt",
	"poke":       "testdata/synthetic-poke.txt",
}

// catalog lists the implementations, the busted ones with a '!', and the benchmarks of the
// synthetic data.
var catalog = results.Catalog{
	Impls: listed("indirect-iterator direct-static-call! naive-sync rcu-cond-sync retpoline-iterator static-call " +
		"fail! sentinel stub double-array! double-array-sync rcu! rude " +
		"rwlock epoch-eager! epoch-rcu srcu inc-not-zero int3 int3-batch aligned-store stop-readers"),
	Benchmarks: []results.Benchmark{
		{Name: "Dispatch", Role: results.Firing}, {Name: "DisableAll", Role: results.Disable}, {Name: "GracePeriod", Role: results.GracePeriod},
		{Name: "Churn", Role: results.Transition, Short: "disable one event, enable an unrelated one"},
		{Name: "PingPong", Role: results.Transition, Short: "replace an event's only probe"},
		{Name: "Shrink", Role: results.Transition, Short: "remove the first of two", Shown: "removed=first"},
		{Name: "Disturb", Role: results.ReaderLatency}, {Name: "Unregister", Role: results.Removal}, {Name: "Poke", Role: results.Patching},
		{Name: "LivepatchTransition", Role: results.FunctionTransition}, {Name: "UprobeHit", Role: results.UprobeHit},
	},
	EmptyLoop: "nothing", PlainCall: "plain-call", Undisturbed: "none", KernelGP: "kernelgp",
}

func listed(names string) []results.Impl {
	var all []results.Impl
	for _, name := range strings.Fields(names) {
		name, busted := strings.CutSuffix(name, "!")
		fires := "static-call"
		if name == "indirect-iterator" {
			fires = name
		}
		all = append(all, results.Impl{Name: name, Busted: busted, Fires: fires})
	}
	return all
}

// charts draws every chart, by its name.
var charts = func() map[string]func(*results.Run) (*Chart, error) {
	all := map[string]func(*results.Run) (*Chart, error){}
	for _, d := range Charts() {
		all[d.Name] = func(r *results.Run) (*Chart, error) { return d.Draw(r, catalog) }
	}
	return all
}()

// If this fails, a chart is not, pixel by pixel, its golden image, or two drawings of it
// differ in a byte. After a change that is meant:
//
//	go test ./plots -regen
//
// and look at the images.
func TestGolden(t *testing.T) {
	for name, draw := range charts {
		run := open(t, cmp.Or(others[name], synthetic))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dirs := [2]string{t.TempDir(), t.TempDir()}
			for _, dir := range dirs {
				c, err := draw(run)
				if err != nil {
					t.Fatal(err)
				}
				if err := Save(c, dir, name); err != nil {
					t.Fatal(err)
				}
			}
			for _, ext := range []string{".svg", ".png"} {
				if a, b := read(t, dirs[0], name+ext), read(t, dirs[1], name+ext); !bytes.Equal(a, b) {
					t.Errorf("%s%s differs from one drawing to the next", name, ext)
				}
			}
			vetSVG(t, read(t, dirs[0], name+".svg"))
			golden(t, name+"_golden.png", read(t, dirs[0], name+".png"), func(a, b []byte) bool { return equal(t, a, b) })
		})
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte, same func(a, b []byte) bool) {
	t.Helper()
	path, kept := filepath.Join("testdata", name), filepath.Join(os.TempDir(), "got_"+name)
	if *regen {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	} else if !same(got, read(t, path)) {
		if err := os.WriteFile(kept, got, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is not %s; if the change is meant: go test ./plots -regen", kept, path)
	}
}

// If this fails, a chart without its samples is drawn, or its error does not name what is
// missing.
func TestMissing(t *testing.T) {
	run := parse(t, "BenchmarkAardvark 1 5 ns/op\n")
	for name, draw := range charts {
		var missing *results.MissingError
		if _, err := draw(run); !errors.As(err, &missing) || missing.What == "" {
			t.Errorf("%s of a run without its benchmarks: %v", name, err)
		}
	}
}

// If this fails, a zero, which a logarithmic axis cannot show, is a panic or is drawn.
func TestZero(t *testing.T) {
	run := parse(t, regexp.MustCompile(`\d+ ([a-zM][a-z/-]+)`).ReplaceAllString(oneSample, "0 $1"))
	for name, draw := range charts {
		if _, err := draw(run); err == nil || !strings.Contains(err.Error(), "logarithmic") {
			t.Errorf("%s of zeros: %v", name, err)
		}
	}
	run = parse(t, `BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=0 1 9 ns/op
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=100 1 9 ns/op
BenchmarkUprobeHit/impl=rwlock/keys=same/cpus=0 1 9 ns/op 9 Mhits/s
BenchmarkPoke/impl=int3/sites=0/beside=sites 1 9 ns/op 9 ns/site
`)
	for _, name := range []string{"scaling", "uprobe", "poke"} {
		if _, err := charts[name](run); err == nil || !strings.Contains(err.Error(), "logarithmic") {
			t.Errorf("%s at zero: %v", name, err)
		}
	}
}

// oneSample is the smallest run that every chart accepts.
const oneSample = `BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=10 1 10 ns/op
BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=100 1 10 ns/op
BenchmarkDispatch/impl=static-call/probes=1 1 2 ns/op
BenchmarkDispatch/impl=nothing/probes=0 1 1 ns/op
BenchmarkChurn/impl=naive-sync/gp=kernelgp 1 10 ns/op
BenchmarkDisturb/impl=naive-sync/gp=kernelgp 1 7 max-ns
BenchmarkUnregister/impl=stub/gp=kernelgp/fail=all/probes=8 1 10 ns/op
BenchmarkLivepatchTransition/impl=rude/change=patch/stack=0/tasks=1/readers=0 1 10 ns/op
BenchmarkUprobeHit/impl=rwlock/keys=same/cpus=1 1 20 ns/op 50 Mhits/s
BenchmarkPoke/impl=int3/sites=1/beside=idle 1 7 ns/op 7 ns/site
`

// If this fails, the smallest run that has a chart's samples cannot be drawn, or its subtitle
// names a grace period that was not measured or another number of rounds.
func TestOneSample(t *testing.T) {
	run := parse(t, oneSample)
	for name, draw := range charts {
		c, err := draw(run)
		if err == nil {
			err = Save(c, t.TempDir(), name)
		}
		if err != nil || !strings.HasSuffix(c.subtitle, "1 round") || strings.Contains(c.subtitle, "grace period") {
			t.Errorf("%s: %v, subtitle %q", name, err, c.subtitle)
		}
	}
}

// If this fails, a logarithmic axis has no labels, or wrong ones.
func TestLogTicks(t *testing.T) {
	for _, tc := range []struct {
		unit   string
		lo, hi float64
		want   string
	}{
		{"sec", 2e-9, 3e-6, "10 ns,100 ns,1 µs"},
		{"sec", 0.9e-3, 11, "1 ms,10 ms,100 ms,1 s,10 s"},
		{"sec", 1.5e-9, 7e-9, "2 ns,5 ns"},
		{"", 0.3, 12, "0.5,1,2,5,10"},
		{"", 8, 120000, "10,100,1,000,10,000,100,000"},
	} {
		var got []string
		for _, tick := range (logTicks{tc.unit}).Ticks(tc.lo, tc.hi) {
			if !tick.IsMinor() {
				got = append(got, tick.Label)
			}
		}
		if s := strings.Join(got, ","); s != tc.want {
			t.Errorf("ticks %v..%v: %s, want %s", tc.lo, tc.hi, s, tc.want)
		}
	}
}

// If this fails, labels overlap, lie outside or change their order though there is room, or
// move without need.
func TestSpread(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		n := 1 + r.IntN(10)
		heights, centres := make([]vg.Length, n), make([]vg.Length, n)
		for i := range n {
			heights[i], centres[i] = vg.Length(1+9*r.Float64()), vg.Length(100*r.Float64())
		}
		slices.Sort(centres)
		slices.Reverse(centres)
		at := spread(heights, centres, 0, 100)
		below := vg.Length(100)
		for i, h := range heights {
			if at[i]+h/2 > below+1e-9 || at[i]-h/2 < -1e-9 {
				t.Fatalf("heights %v at %v", heights, at)
			}
			below = at[i] - h/2
		}
	}
	free := []vg.Length{80, 50, 20}
	if at := spread([]vg.Length{10, 10, 10}, free, 0, 100); !slices.Equal(at, free) {
		t.Errorf("moved %v to %v without need", free, at)
	}
}

func open(t *testing.T, path string) *results.Run {
	t.Helper()
	run, err := results.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func parse(t *testing.T, lines string) *results.Run {
	t.Helper()
	run, err := results.Read(strings.NewReader("tpbench: 2\n# block 0 round 0\n"+lines), "made-up.txt")
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// equal compares pixels, so that another version of the PNG encoder is no
// difference. (gonum's cmpimg does the same but needs a PDF parser.)
func equal(t *testing.T, a, b []byte) bool {
	t.Helper()
	var pix [2]*image.RGBA
	for i, data := range [][]byte{a, b} {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		pix[i] = image.NewRGBA(img.Bounds())
		draw.Draw(pix[i], img.Bounds(), img, image.Point{}, draw.Src)
	}
	return pix[0].Rect == pix[1].Rect && bytes.Equal(pix[0].Pix, pix[1].Pix)
}
