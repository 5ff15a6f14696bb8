package rcu

import (
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
)

// eachFlavor runs test over every flavour, on a Domain of its own whose engine
// never starts a grace period unasked.
func eachFlavor(t *testing.T, test func(t *testing.T, d *Domain)) {
	t.Helper()
	eachVariant(t, func(t *testing.T, v Variant) {
		d := v.New(Options{Lazy: OnlyBarrier})
		defer d.Close()
		test(t, d)
	})
}

func eachVariant(t *testing.T, test func(t *testing.T, v Variant)) {
	t.Helper()
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) {
			need(t, v.Supported(), "rcu", v.Name)
			test(t, v)
		})
	}
}

// need skips the test if err says that the machine cannot run it, and fails it if
// TPBENCH_REQUIRE (comma separated) names one of names.
func need(tb testing.TB, err error, names ...string) {
	tb.Helper()
	if err == nil {
		return
	}
	for required := range strings.SplitSeq(os.Getenv("TPBENCH_REQUIRE"), ",") {
		if slices.Contains(names, required) {
			tb.Fatalf("TPBENCH_REQUIRE names %s: %v", required, err)
		}
	}
	if !errors.Is(err, impls.ErrUnsupported) {
		tb.Fatal(err)
	}
	tb.Skip(err)
}

// slow reports whether a grace period of the Domain takes a millisecond or more, so
// that a test can do with fewer.
func slow(d *Domain) bool {
	began := time.Now()
	d.Synchronize()
	return d.pace > 0 || time.Since(began) > time.Millisecond
}

// newRand returns a source seeded with TEST_SEED or at random, and logs the seed.
func newRand(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			tb.Fatalf("TEST_SEED: %v", err)
		}
	}
	tb.Logf("TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// until yields the CPU until cond holds. A cond that never does is a hang, which
// go test's own limit reports with every goroutine's stack.
func until(cond func() bool) {
	for spins := 0; !cond(); spins++ {
		if spins < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// leave ends the reader's section in the way each flavour notices.
func leave(r *Reader) {
	r.Unlock()
	r.Quiescent()
}

// An openGracePeriod is one that has begun and cannot end: a reader stands in a
// section from before it.
type openGracePeriod struct {
	d      *Domain
	reader *Reader
	done   chan struct{} // closed when the Synchronize has returned
}

// holdOpen begins a grace period by a Synchronize of its own and returns once the
// new counter is published (U2).
func holdOpen(d *Domain) *openGracePeriod {
	h := &openGracePeriod{d, d.Register(), make(chan struct{})}
	h.reader.Lock()
	before := d.ctr.Load()
	go func() {
		d.Synchronize()
		close(h.done)
	}()
	until(func() bool { return d.ctr.Load() != before })
	return h
}

// end lets the reader go, and returns when the Synchronize has.
func (h *openGracePeriod) end() {
	leave(h.reader)
	<-h.done
	h.reader.Unregister()
}
