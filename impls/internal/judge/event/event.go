package event

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// ForEach runs the test for every variant of a family with every sound flavour, as far as this
// machine can run them.
func ForEach[T any](t *testing.T, family string, variants []impls.Variant[T], test func(*testing.T, impls.Variant[T], rcu.Variant)) {
	for _, v := range variants {
		for _, f := range impls.OnlySound(rcu.Variants()) {
			t.Run(v.Name+"/"+f.Name, func(t *testing.T) {
				judge.Need(t, v.Supported(), family, v.Name)
				judge.Need(t, f.Supported(), "rcu", f.Name)
				test(t, v, f)
			})
		}
	}
}

// A Family is what the families that register probes differ in.
type Family struct {
	Invalid, Exist, NotFound, NoMem error

	// Reserved are the functions that no probe may have. 0 is one of them in any family.
	Reserved []dispatch.Func

	// The names of the family's invariants, for messages: no call after a grace period, calls
	// in order, key off without probes, operations as a whole or not at all.
	Freed, Order, Key, Whole string
}

// A Model is the list of probes that a tracepoint should call, in order.
type Model []dispatch.Probe

// Register adds a probe and returns nil, or the error that the family should return. memory
// says whether there is memory for another array.
func (m *Model) Register(f *Family, p dispatch.Probe, memory bool) error {
	switch {
	case p.Fn == 0, slices.Contains(f.Reserved, p.Fn):
		return f.Invalid
	case m.Find(p) >= 0:
		return f.Exist
	case !memory:
		return f.NoMem
	}
	*m = append(*m, p)
	slices.SortStableFunc(*m, func(a, b dispatch.Probe) int { return b.Prio - a.Prio })
	return nil
}

// Unregister removes a probe and returns nil, or the error that the family should return.
func (m *Model) Unregister(f *Family, p dispatch.Probe) error {
	at := m.Find(p)
	switch {
	case len(*m) > 0 && p.Fn == 0:
		*m = nil
	case at < 0:
		return f.NotFound
	default:
		*m = slices.Delete(*m, at, at+1)
	}
	return nil
}

// Find returns the index of the probe's function and data, or -1.
func (m *Model) Find(p dispatch.Probe) int {
	return slices.IndexFunc(*m, func(q dispatch.Probe) bool { return q.Fn == p.Fn && q.Data == p.Data })
}

// Pass passes a tracepoint once and returns the calls. The reader unregisters at the end, so that
// no flavour waits for it later.
func Pass(d *rcu.Domain, fire func(*rcu.Reader)) []Call {
	r := d.Register()
	defer r.Unregister()
	Calls = nil
	fire(r)
	return Calls
}

// Stays lists the probes of start, by letter, that ops never remove by "-A" or "-*".
func Stays(start, ops string) (list []string) {
	for _, l := range start {
		if !strings.Contains(ops, "-"+string(l)) && !strings.Contains(ops, "-*") {
			list = append(list, string(l))
		}
	}
	return list
}

// Mistake returns what is wrong with the calls of one firing, or "". Each function must get a
// datum that it owns, and the probes in stays must be called once each. The mistake begins
// with one of the names of these invariants.
func Mistake(calls []Call, stays []string, own, once string) string {
	times := map[string]int{}
	for _, c := range calls {
		if c.Data.Owner != c.Fn {
			return fmt.Sprintf("%s: %v was called", own, c)
		}
		times[c.Data.Name]++
	}
	for _, name := range stays {
		if times[name] != 1 {
			return fmt.Sprintf("%s: %s was called %d times", once, name, times[name])
		}
	}
	return ""
}

// An Event is a tracepoint beside its Model.
type Event struct {
	testing.TB
	Family  *Family
	Model   Model
	Domain  *rcu.Domain
	Site    *dispatch.Site
	Fns     []dispatch.Func   // of its probes, from Funcs
	Fire    func(*rcu.Reader) // passes the site once
	History *[]string         // what was done, for judge.LogLast

	freedCalls uint64 // dispatch.FreedCalls before
}

// New makes an Event of a tracepoint without probes.
func New(e Event) *Event {
	e.freedCalls = dispatch.FreedCalls()
	return &e
}

// want returns the calls that the Model expects.
func (e *Event) want() []Call { return CallsOf(e.Fns, e.Model) }

// Describe names a probe in messages.
func (e *Event) Describe(p dispatch.Probe) string {
	return fmt.Sprintf("%v at %d", CallOf(e.Fns, p), p.Prio)
}

// Compare compares the outcome of an operation with the Model's, which was changed before.
func (e *Event) Compare(what string, got, want error) {
	e.Helper()
	*e.History = append(*e.History, fmt.Sprintf("%s, now %v", what, e.want()))
	if !errors.Is(got, want) {
		e.Fatalf("%s: %s: error %v, want %v", e.Family.Whole, what, got, want)
	}
	e.CompareCalls()
}

// CompareCalls passes the tracepoint once and compares calls and key with the Model.
func (e *Event) CompareCalls() {
	e.Helper()
	if got, want := Pass(e.Domain, e.Fire), e.want(); !slices.Equal(got, want) {
		e.Fatalf("%s: firing called %v, want %v", e.Family.Order, got, want)
	}
	if n := dispatch.FreedCalls() - e.freedCalls; n > 0 {
		e.Fatalf("%s: %d probes of freed arrays were called", e.Family.Freed, n)
	}
	_, disable := dispatch.KeyChanges([]*dispatch.Site{e.Site})
	for _, c := range disable {
		if off := c.Site.Insn() == c.To; off != (len(e.Model) == 0) {
			e.Fatalf("%s: with %d probes the key is %v", e.Family.Key, len(e.Model), c.Site.Insn())
		}
	}
}

// RemoveUnderReader registers a probe, holds a reader in it, and removes it. It checks that
// remove, which is to unregister the probe and to synchronize, waits for the reader: in
// whichever of the two calls. The flavour is the Domain's.
func (e *Event) RemoveUnderReader(flavour rcu.Variant, register, remove func(dispatch.Probe) error) {
	e.Helper()
	entered, leave := make(chan bool), make(chan bool)
	var hold sync.Once // a call that comes after its removal must not hang the test
	held := Probe(e.Fns[0], &Datum{Name: "held", Do: func() { hold.Do(func() { entered <- true; <-leave }) }}, 1)
	judge.Check(e, register(held))
	with := slices.Clone(e.Model)
	judge.Check(e, with.Register(e.Family, held, true))
	*e.History = append(*e.History, fmt.Sprintf("register a probe that holds its reader, with %d others", len(e.Model)))

	Calls = nil
	var left atomic.Bool
	gone, removed := make(chan bool), make(chan bool)
	go func() {
		defer close(gone)
		r := e.Domain.Register()
		defer r.Unregister()
		e.Fire(r)
	}()
	<-entered
	started := e.Domain.Counters().Started
	go func() {
		defer close(removed)
		if err := remove(held); err != nil {
			e.Error(err)
		}
		if !left.Load() {
			e.Errorf("%s: Synchronize returned with a reader in a probe that was unregistered before", e.Family.Freed)
		}
	}()
	for e.Domain.Counters().Started == started && !closed(removed) {
		runtime.Gosched()
	}
	// The grace period has begun. Two grace periods of another Domain, which has no readers,
	// take longer than this one would take if it did not wait for the reader.
	other := flavour.New(rcu.Options{})
	for range 2 {
		other.Synchronize()
	}
	other.Close()
	left.Store(true)
	leave <- true
	<-gone
	<-removed
	if want := CallsOf(e.Fns, with); !slices.Equal(Calls, want) {
		e.Errorf("%s: the reader that was held called %v, want %v", e.Family.Order, Calls, want)
	}
	e.CompareCalls()
}

// closed reports whether c is closed.
func closed(c chan bool) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
