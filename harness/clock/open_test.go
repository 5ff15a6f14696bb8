package clock

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// open opens the clock. It skips the test if the clock is unavailable, and fails it if
// TPBENCH_REQUIRE says that it is not.
func open(tb testing.TB) *Clock {
	tb.Helper()
	c, err := Open()
	switch {
	case err == nil:
		return c
	case !errors.Is(err, ErrUnavailable):
		tb.Fatalf("Open: %v, which is not ErrUnavailable", err)
	case strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "tsc"):
		tb.Fatalf("TPBENCH_REQUIRE names tsc: %v", err)
	default:
		tb.Skip(err)
	}
	return nil
}

// If this fails, a calibration on the real machine is out of range, two of them differ, or a worker
// does not read what its coordinator wrote.
func TestOpen(t *testing.T) {
	c := open(t)
	t.Logf("rate %.0f Hz ± %.1f ppm, precision %.2f ns, overhead %+v",
		c.Rate().Hz, c.Rate().Uncertainty/c.Rate().Hz*1e6, c.Precision(), c.Overhead())

	if p := c.Precision(); !(p > 0) {
		t.Errorf("precision %v ns, want > 0", p)
	}
	if o := c.Overhead(); !(0 <= o.P10 && o.P10 <= o.Median && o.Median <= o.P90) {
		t.Errorf("overhead %+v is not ordered", o)
	}
	if r := c.Rate(); !(r.Uncertainty > 0 && r.Uncertainty < r.Hz/1000) {
		t.Errorf("rate %+v: no mark has width 0, and a calibration lasts thousands of times the smallest width", r)
	}

	again := open(t)
	if r := again.Rate().Hz / c.Rate().Hz; math.Abs(r-1) > 0.01 {
		t.Errorf("a second calibration gives %v times the first", r)
	}

	text, err := c.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var inherited Clock
	if err := inherited.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	if inherited != *c {
		t.Errorf("the worker reads %+v, the coordinator wrote %+v", inherited, *c)
	}
}

// If this fails, the clock runs faster or slower than time.Now. The test has one span of
// time.Now between two of the counter, so both comparisons hold however long the scheduler
// takes between two reads; 1 % is thousands of times the uncertainty.
func TestAgainstTime(t *testing.T) {
	c := open(t)
	outer := Start()
	t0 := time.Now()
	inner := Start()
	time.Sleep(50 * time.Millisecond)
	innerTicks := Stop() - inner
	span := float64(time.Since(t0))
	outerTicks := Stop() - outer
	if ns := c.NS(innerTicks); ns > span*1.01 {
		t.Errorf("the TSC counted %v ns within %v", ns, span)
	}
	if ns := c.NS(outerTicks); ns < span*0.99 {
		t.Errorf("the TSC counted %v ns around %v", ns, span)
	}
}

// If this fails, the counter goes backwards on one CPU.
func TestMonotone(t *testing.T) {
	open(t)
	onOneCPU(t, func() {
		for last, i := Start(), 0; i < 100_000; i++ {
			start, stop := Start(), Stop()
			if start < last || stop < start {
				t.Errorf("read %d: %d, then %d, then %d", i, last, start, stop)
				return
			}
			last = stop
		}
	})
}

// onOneCPU runs f on a pinned thread, which ends with f.
func onOneCPU(t *testing.T, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := stay(); err != nil {
			t.Errorf("cannot pin: %v", err)
			return
		}
		f()
	}()
	<-done
}

// BenchmarkRead times what each read adds to a timed part.
func BenchmarkRead(b *testing.B) {
	open(b)
	var sink uint64
	b.Run("read=start", func(b *testing.B) {
		for b.Loop() {
			sink += Start()
		}
	})
	b.Run("read=stop", func(b *testing.B) {
		for b.Loop() {
			sink += Stop()
		}
	})
	b.Run("read=pair", func(b *testing.B) {
		for b.Loop() {
			start := Start()
			sink += Stop() - start
		}
	})
	b.Run("read=time.Now", func(b *testing.B) { // for comparison
		for b.Loop() {
			sink += uint64(time.Now().Nanosecond())
		}
	})
	runtime.KeepAlive(sink)
}
