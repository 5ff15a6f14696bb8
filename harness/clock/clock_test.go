package clock

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// sound is a reading of most machines, and emulated one of a guest in virtual time.
var (
	sound    = reading{top: 0x80000008, power: 1 << 8, rdtscp: true, hypervisor: "KVMKVMKVM"}
	emulated = reading{top: 0x80000008, rdtscp: true, hypervisor: "TCGTCGTCGTCG", guest: GuestVirtual}
)

// If this fails, a counter that changes its rate is used as a clock, or the error does not say
// what is missing.
func TestVet(t *testing.T) {
	for _, tt := range []struct {
		why  string
		from reading
		edit func(*reading)
		want string // "": usable
	}{
		{"most machines", sound, func(*reading) {}, ""},
		{"all bits", sound, func(r *reading) { r.power = ^uint32(0) }, ""},
		{"no such leaf", sound, func(r *reading) { r.top, r.power = advancedPower-1, ^uint32(0) }, "not invariant"},
		{"all bits but the one", sound, func(r *reading) { r.power = ^uint32(1 << 8) }, "not invariant"},
		{"no bits", sound, func(r *reading) { r.power = 0 }, "not invariant"},
		{"no RDTSCP", sound, func(r *reading) { r.rdtscp = false }, "no RDTSCP"},
		{"a guest in virtual time", emulated, func(*reading) {}, ""},
		{"its CPU has no such leaf", emulated, func(r *reading) { r.top = 0 }, ""},
		{"a guest in wall time", emulated, func(r *reading) { r.guest = GuestWall }, ""},
		{"one that says nothing", emulated, func(r *reading) { r.guest = "" }, "not invariant"},
		{"one in virtual time without RDTSCP", emulated, func(r *reading) { r.rdtscp = false }, "no RDTSCP"},
	} {
		r := tt.from
		tt.edit(&r)
		err := vet(r)
		if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}

// If this fails, the environment switches the check of the counter off on a machine that is no guest of
// tpbench, or a machine with a good counter is refused because of it.
func TestOnlyGuestsNeedNoBit(t *testing.T) {
	near := func(s string) []string {
		return []string{s, "", s[:len(s)-1], s + "\x00", s + " ", " " + s, strings.ToLower(s[:1]) + s[1:], strings.ToUpper(s)}
	}
	hypervisors := append(near(emulated.hypervisor), "KVMKVMKVM", "Microsoft Hv", "VMwareVMware", "XenVMMXenVMM", "bhyve bhyve ", "GCTGCTGCTGCT", "ACRNACRNACRN")
	guests := append(append(near(GuestVirtual), near(GuestWall)...), "1", "true", "virtual,wall")
	accepted := 0
	for _, hypervisor := range hypervisors {
		for _, guest := range guests {
			for range 50 {
				r := reading{advancedPower - 2 + rand.Uint32N(4), rand.Uint32(), rand.IntN(4) > 0, hypervisor, guest}
				invariant := r
				invariant.top, invariant.power, invariant.rdtscp = advancedPower, r.power|1<<8, true
				if err := vet(invariant); err != nil {
					t.Errorf("%+v has all that is needed: %v", invariant, err)
				}
				r.power &^= 1 << 8
				if vet(r) != nil {
					continue
				}
				accepted++
				if hypervisor != "TCGTCGTCGTCG" || guest != "virtual" && guest != "wall" || !r.rdtscp {
					t.Errorf("%+v was accepted", r)
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("none was accepted")
	}
}

// If this fails, a guest whose clock is the host's passes for one in virtual time, or one in virtual time is
// refused because its kernel's clock is a little off.
func TestVetRate(t *testing.T) {
	for _, tt := range []struct {
		virtual bool
		hz      float64
		ok      bool
	}{
		{true, 1e9, true},
		{true, 1.0004e9, true}, // a kernel that gauged the counter with its timer
		{true, 0.9996e9, true},
		{true, 2.59612223e9, false}, // the host's counter
		{true, 1.02e9, false},
		{true, 0.98e9, false},
		{true, 8e9, false}, // -icount shift=3
		{true, math.NaN(), false},
		{true, math.Inf(1), false},
		{false, 2.59612223e9, true},
		{false, 1e6, true},
	} {
		err := vetRate(tt.virtual, Rate{Hz: tt.hz})
		if (err == nil) != tt.ok || err != nil && (!errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "-icount shift=0")) {
			t.Errorf("virtual %v, %v Hz: %v", tt.virtual, tt.hz, err)
		}
	}
}

// If this fails, a guest in virtual time has no clock: there all pairs read the same, an instruction is one tick and one
// nanosecond, and the kernel's clock may be a little fast.
func TestVirtualCalibration(t *testing.T) {
	for _, tt := range []struct {
		why   string
		clock func(tick uint64) (ns int64)
		hz    float64
	}{
		{"the kernel's clock is the counter", func(tick uint64) int64 { return int64(tick) }, 1e9},
		{"the kernel gauged it 400 ppm too slow", func(tick uint64) int64 { return int64(float64(tick) * 1.0004) }, 1e9 / 1.0004},
	} {
		for range 1000 {
			pair := 10 + rand.Uint64N(40)
			pairs := slices.Repeat([]uint64{pair}, 100)
			quantum := step(pairs)
			var marks [3]mark
			at := rand.Uint64N(1e12)
			for i := range marks {
				const system = 600 // instructions of a system call, at least
				width := system + rand.Uint64N(2000)
				marks[i] = mark{at, width, tt.clock(at + rand.Uint64N(width))}
				at += 60e6 + rand.Uint64N(5e6)
			}
			rate, err := agree(marks, quantum)
			if err != nil {
				t.Fatalf("%s: %v", tt.why, err)
			}
			if math.Abs(rate.Hz-tt.hz) > rate.Uncertainty || vetRate(true, rate) != nil {
				t.Fatalf("%s: %+v, want %v Hz", tt.why, rate, tt.hz)
			}
			c := gauge(pairs, quantum, rate)
			if err := c.check(); err != nil || math.Abs(c.precision-float64(pair)) > 0.1 || math.Abs(c.overhead.Median-float64(pair)) > 0.1 {
				t.Fatalf("%s: %+v, %v; want steps and pairs of %d ns", tt.why, c, err, pair)
			}
		}
	}
}

// If this fails, the precision of some counter is wrong.
func TestStep(t *testing.T) {
	for _, tt := range []struct {
		why   string
		pairs []uint64
		want  uint64
	}{
		{"falls count as rises do", []uint64{50, 46, 43, 40, 44, 41, 38}, 3},
		{"a coarse counter: the difference of pairs, not their length", []uint64{52, 78, 52, 52, 78}, 26},
		{"a fine counter", []uint64{64, 66, 64, 68, 66}, 2},
		{"differences of 1 by rounding are rare", []uint64{52, 78, 52, 78, 77, 51, 78, 52}, 26},
		{"so is the difference by an interrupt", []uint64{52, 78, 5000, 78, 52}, 26},
		{"of equally frequent ones the smallest", []uint64{10, 13, 20}, 3},
		{"pairs that all read the same", []uint64{40, 40, 40}, 40},
		{"all but one, which an interrupt hit", slices.Concat(slices.Repeat([]uint64{40}, 3000), []uint64{5200}, slices.Repeat([]uint64{40}, 3000)), 40},
		{"all but the first", slices.Concat([]uint64{5200}, slices.Repeat([]uint64{40}, 3000)), 40},
		{"a coarse counter whose pairs seldom take a step more", slices.Repeat(append(slices.Repeat([]uint64{52}, 400), 78), 20), 26},
		{"a counter that stands still", []uint64{0, 0, 0}, 0},
	} {
		if got := step(tt.pairs); got != tt.want {
			t.Errorf("%s: step(%v) = %d, want %d", tt.why, tt.pairs, got, tt.want)
		}
		back := slices.Clone(tt.pairs)
		slices.Reverse(back)
		if got := step(back); got != tt.want {
			t.Errorf("%s, from the end: step(%v) = %d, want %d", tt.why, back, got, tt.want)
		}
	}
}

// If this fails, the overhead of some counter is wrong.
func TestQuantile(t *testing.T) {
	for _, tt := range []struct {
		why    string
		sorted []uint64
		q      float64
		step   uint64
		want   float64
	}{
		{"half 52 and half 78 is 65", []uint64{52, 52, 78, 78}, 0.5, 26, 65},
		{"one reading: its middle", []uint64{52, 52, 52, 52}, 0.5, 26, 52},
		{"the first is half a step below", []uint64{52, 52}, 0, 26, 39},
		{"and the last half a step above", []uint64{52, 52}, 1, 26, 65},
		{"none is below 0", []uint64{0, 0, 0, 26}, 0.01, 26, 0},
		{"closer than a step: halfway", []uint64{50, 50, 52, 52}, 0.5, 26, 51},
		{"closer than a step, from below", []uint64{50, 50, 52, 52}, 0.499999999, 26, 51},
	} {
		if got := quantile(tt.sorted, tt.q, tt.step); math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("%s: quantile(%v, %v, %d) = %v, want %v", tt.why, tt.sorted, tt.q, tt.step, got, tt.want)
		}
	}
}

// If this fails, some readings make a calibration that fails check, because a higher quantile of
// them is lower. The readings are random: few or many, close or not, on a grid or not, with an
// interrupt among them.
func TestQuantileMonotone(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		ticks := make([]uint64, 1+rnd.IntN(60))
		grid, spread := 1+rnd.Uint64N(40), 1+rnd.Uint64N(200)
		for i := range ticks {
			ticks[i] = rnd.Uint64N(spread)
			if rnd.IntN(3) > 0 {
				ticks[i] = ticks[i] / grid * grid
			}
			if rnd.IntN(50) == 0 {
				ticks[i] += 1 << rnd.IntN(40)
			}
		}
		quantum := step(ticks)
		slices.Sort(ticks)
		last := -1.0
		for percent := range 101 {
			q := quantile(ticks, float64(percent)/100, quantum)
			if q < last || q < 0 {
				t.Fatalf("seed %d: the %d %% quantile of %v by steps of %d is %v, and the one before it %v", seed, percent, ticks, quantum, q, last)
			}
			last = q
		}
		if low, high := float64(ticks[0])-float64(quantum)/2, float64(ticks[len(ticks)-1])+float64(quantum)/2; last > high || quantile(ticks, 0, quantum) < low {
			t.Fatalf("seed %d: quantiles of %v by steps of %d pass %v..%v", seed, ticks, quantum, low, high)
		}
	}
}

// If this fails, the precision and the overhead are in other units than nanoseconds, or
// depend on the order of the readings.
func TestGauge(t *testing.T) {
	rate := Rate{2e9, 5}
	c := gauge([]uint64{90, 60, 30, 60, 60, 30, 60, 90, 60, 60}, 30, rate)
	// Two of ten read 30, which stands for 15 to 45; six 60, two 90.
	want := Clock{rate, 15, Overhead{Median: 30, P10: 15, P90: 45}}
	if *c != want {
		t.Errorf("gauge = %+v, want %+v", *c, want)
	}
}

// A straight is a counter with a constant rate.
type straight struct {
	hz, offset float64
	step       uint64
}

// mark reads the clock at a time in ns, and the counter before and after that by these times.
func (s straight) mark(at, before, after float64) mark {
	read := func(at float64) uint64 { return uint64(s.offset+s.hz*at/1e9) / s.step * s.step }
	tick := read(at - before)
	return mark{tick: tick, width: read(at+after) - tick, ns: int64(at)}
}

// If this fails, the true rate of some counter is outside of the bound of its calibration, or the
// bound is much too wide; or agree rejects two clocks of constant rates, or accepts one that
// jumped.
func TestRateIsBounded(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	worst := 0.0
	for range 20_000 {
		s := straight{hz: math.Exp(rnd.Float64()*4) * 1e8, offset: rnd.Float64() * 1e12, step: 1 + rnd.Uint64N(200)}
		gap := func() float64 { return []float64{0, 20, rnd.Float64() * 1000}[rnd.IntN(3)] }
		half := 1e6 + rnd.Float64()*1e8
		at := rnd.Float64()*1e9 + 1e6
		m := [3]mark{s.mark(at, gap(), gap()), s.mark(at+half, gap(), gap()), s.mark(at+2*half, gap(), gap())}
		r, err := agree(m, s.step)
		if err != nil {
			t.Fatalf("seed %d: %+v, every %v ns: %v", seed, s, half, err)
		}
		off := math.Abs(r.Hz-s.hz) / r.Uncertainty
		if worst = max(worst, off); off > 1.001 {
			t.Fatalf("seed %d: %+v was measured as %+v, from %+v", seed, s, r, m)
		}
		one := rateBetween(m[0], m[1], s.step)
		other := rateBetween(m[1], m[2], s.step)
		if r != rateBetween(m[0], m[2], s.step) {
			t.Fatalf("seed %d: %+v, and %+v and %+v over one half", seed, r, one, other)
		}
		// One of the clocks jumps, by more than twice the uncertainty of both halves.
		jump := int64((2.2+rnd.Float64())*(one.Uncertainty+other.Uncertainty)/s.hz*half) + 3
		if rnd.IntN(2) == 0 {
			jump = -jump
		}
		m[2].ns += jump
		if r, err := agree(m, s.step); !errors.Is(err, errDisturbed) {
			t.Fatalf("seed %d: %+v jumped by %d ns in %v, %+v, %v", seed, s, jump, half, r, err)
		}
	}
	if worst < 0.8 {
		t.Errorf("seed %d: no rate was off by more than %.2f of its bound", seed, worst)
	}
}

// If this fails, Open fails because one calibration was disturbed, or does not end where all are,
// or its error does not say what to do.
func TestRepeat(t *testing.T) {
	good := &Clock{Rate{1e9, 1}, 10, Overhead{25, 20, 30}}
	bad := &Clock{Rate{1e9, 1}, 10, Overhead{25, 26, 30}}
	for _, tt := range []struct {
		why      string
		failures int
		fail     func() (*Clock, error)
		calls    int
		want     error
	}{
		{"a good one", 0, nil, 1, nil},
		{"one that fails its check, then a good one", 1, func() (*Clock, error) { return bad, nil }, 2, nil},
		{"clocks that drift apart for a while", tries - 1, func() (*Clock, error) { return nil, errDisturbed }, tries, nil},
		{"disturbed all the time", tries, func() (*Clock, error) { return bad, nil }, tries, ErrUnavailable},
		{"a counter that stands still", tries, func() (*Clock, error) { return nil, ErrUnavailable }, 1, ErrUnavailable},
	} {
		calls := 0
		c, err := repeat(func() (*Clock, error) {
			if calls++; calls <= tt.failures {
				return tt.fail()
			}
			return good, nil
		})
		if calls != tt.calls || !errors.Is(err, tt.want) || (err == nil) != (c == good) {
			t.Errorf("%s: %d calibrations gave %v, %v; want %d and %v", tt.why, calls, c, err, tt.calls, tt.want)
		}
		if tt.why == "disturbed all the time" && !(errors.Is(err, errDisturbed) && strings.Contains(err.Error(), "stop what else runs here and try again")) {
			t.Errorf("%s: %v does not say what was wrong and what to do", tt.why, err)
		}
	}
}

// sample is the calibration of a guest with two cores whose TSC has steps of 26.
const sample = "tsc/1 hz=2.59612223e+09 hz-err=8100.25 step-ns=10.015 pair-ns=25.25 pair-p10=17.125 pair-p90=32.5"

// If this fails, a worker has another calibration than its coordinator.
func TestTextRoundTrip(t *testing.T) {
	var c Clock
	if err := c.UnmarshalText([]byte(sample)); err != nil {
		t.Fatal(err)
	}
	want := Clock{Rate{2.59612223e9, 8100.25}, 10.015, Overhead{25.25, 17.125, 32.5}}
	if c != want {
		t.Errorf("read %+v, want %+v", c, want)
	}
	if text, err := c.MarshalText(); err != nil || string(text) != sample {
		t.Errorf("wrote %q, %v, want %q", text, err, sample)
	}
	if err := c.UnmarshalText([]byte("tsc/1 hz=1 hz-err=0 step-ns=1 pair-ns=0 pair-p10=0 pair-p90=0")); err != nil {
		t.Errorf("a pair of 0 ns: %v", err)
	}
}

// If this fails, a worker accepts a calibration that Open cannot have made.
func TestBadText(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(sample, old, new, 1) }
	for why, text := range map[string]string{
		"nothing":                    "",
		"another version":            edit("tsc/1", "tsc/2"),
		"a missing field":            edit(" pair-p90=32.5", ""),
		"a trailing field":           sample + " x=1",
		"a trailing newline":         sample + "\n",
		"a second spelling":          edit("10.015", "10.0150"),
		"no rate":                    edit("hz=2.59612223e+09", "hz=0"),
		"a rate below 0":             edit("hz=2", "hz=-2"),
		"an infinite rate":           edit("hz=2.59612223e+09", "hz=+Inf"),
		"an uncertainty of no value": edit("hz-err=8100.25", "hz-err=NaN"),
		"an uncertainty below 0":     edit("hz-err=8100.25", "hz-err=-1"),
		"a pair below 0":             edit("pair-p10=17.125", "pair-p10=-1"),
		"an infinite quantile":       edit("pair-p90=32.5", "pair-p90=+Inf"),
		"no step":                    edit("step-ns=10.015", "step-ns=0"),
		"a median above p90":         edit("pair-ns=25.25", "pair-ns=50"),
	} {
		c := Clock{precision: 42}
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %q was read as %+v", why, text, c)
		} else if c != (Clock{precision: 42}) {
			t.Errorf("%s: changed the clock to %+v and then failed", why, c)
		}
	}
	if text, err := new(Clock).MarshalText(); err == nil {
		t.Errorf("a Clock that was never opened wrote %q", text)
	}
}

// If this fails, some text is read, but written back as another text.
func FuzzUnmarshalText(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("tsc/1 hz=1 hz-err=0 step-ns=1 pair-ns=0 pair-p10=0 pair-p90=0"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var c Clock
		if c.UnmarshalText(in) != nil {
			return
		}
		out, err := c.MarshalText()
		if err != nil || string(out) != string(in) {
			t.Errorf("%q came back as %q, %v", in, out, err)
		}
	})
}
