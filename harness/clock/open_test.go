package clock_test

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// open opens the clock. It skips the test if the clock is unavailable, and fails it if
// TPBENCH_REQUIRE says that it is not.
func open(tb testing.TB) *clock.Clock {
	tb.Helper()
	c, err := clock.Open()
	switch {
	case err == nil:
		return c
	case !errors.Is(err, clock.ErrUnavailable):
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
	var inherited clock.Clock
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
	outer := clock.Start()
	t0 := time.Now()
	inner := clock.Start()
	time.Sleep(50 * time.Millisecond)
	innerTicks := clock.Stop() - inner
	span := float64(time.Since(t0))
	outerTicks := clock.Stop() - outer
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
	var thread sync.WaitGroup
	thread.Go(func() {
		cpus, err := host.Allowed()
		if err = errors.Join(err, host.Pin(cpus[0])); err != nil {
			t.Errorf("cannot pin: %v", err)
			return
		}
		for last, i := clock.Start(), 0; i < 100_000; i++ {
			start, stop := clock.Start(), clock.Stop()
			if start < last || stop < start {
				t.Errorf("read %d: %d, then %d, then %d", i, last, start, stop)
				return
			}
			last = stop
		}
	})
	thread.Wait()
}

// BenchmarkRead times what each read adds to a timed part, and time.Now for comparison.
func BenchmarkRead(b *testing.B) {
	open(b)
	var sink uint64
	for name, read := range map[string]func() uint64{
		"start": clock.Start, "stop": clock.Stop,
		"pair":     func() uint64 { start := clock.Start(); return clock.Stop() - start },
		"time.Now": func() uint64 { return uint64(time.Now().Nanosecond()) },
	} {
		b.Run("read="+name, func(b *testing.B) {
			for b.Loop() {
				sink += read()
			}
		})
	}
	runtime.KeepAlive(sink)
}
