package tracepoint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// What the kernel returns as -EINVAL, -EEXIST and -ENOENT.
var (
	ErrInvalid  = errors.New("a probe needs a function")
	ErrExist    = errors.New("this function is registered with this data already")
	ErrNotFound = errors.New("this function is not registered with this data")
)

// A Tracepoint is a named place that can fire.
type Tracepoint struct {
	Name string
	site *dispatch.Site

	// funcs is what the site sees: the probes by falling priority and a zero
	// entry, or nil. Replaced, never changed, under Registry.mu.
	funcs []dispatch.Entry
}

// Fire passes the site once. The reader is one of the Registry's Domain: a grace period
// of another does not wait for it.
func (tp *Tracepoint) Fire(r *rcu.Reader) { tp.site.Fire(r) }

// A Registry is all tracepoints that share a lock, a strategy and a grace-period
// engine: the state of kernel/tracepoint.c.
type Registry struct {
	rcu    *rcu.Domain
	policy *Policy

	// mu is the kernel's tracepoints_mutex. It is held across the waits of a
	// transition. The text mutex and the Domain's locks nest inside it.
	mu        sync.Mutex
	snapshots [2]snapshot // by snapshotID. Protected by mu.
	arrays    arrays      // what tp->funcs point to
}

// New makes a Registry that follows the policy and waits by the domain.
func New(p *Policy, d *rcu.Domain) *Registry { return &Registry{rcu: d, policy: p} }

// Add makes a tracepoint of a site, off, with the static call where the strategy's
// dispatch has it when there is nothing to call. A site belongs to one Registry at
// a time, with its probes unregistered and a grace period in between: what a strategy
// remembers of its readers stays in its Registry.
func (r *Registry) Add(name string, site *dispatch.Site) (*Tracepoint, error) {
	tp := &Tracepoint{Name: name, site: site}
	if err := site.StaticCall(r.policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("tracepoint %s: %w", name, err)
	}
	return tp, nil
}

// Register makes tp call the probe.
func (r *Registry) Register(tp *Tracepoint, p dispatch.Probe) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.Fn == 0 {
		return fmt.Errorf("tracepoint %s: register: %w", tp.Name, ErrInvalid)
	}
	if find(tp.funcs, p) >= 0 {
		return fmt.Errorf("tracepoint %s: register: %w", tp.Name, ErrExist)
	}
	if err := tp.site.Reach(p.Fn); err != nil { // T5: no step of any transition can fail
		return fmt.Errorf("tracepoint %s: register: %w", tp.Name, err)
	}
	probes := slices.Clone(probesOf(tp.funcs))
	entry := dispatch.Entry{Fn: uintptr(p.Fn), Data: p.Data, Prio: p.Prio}
	// After its equals: the first with a lower priority.
	at, _ := slices.BinarySearchFunc(probes, p.Prio, func(e dispatch.Entry, prio int) int {
		return cmp.Or(cmp.Compare(prio, e.Prio), -1)
	})
	return r.change(tp, slices.Insert(probes, at, entry))
}

// Unregister makes tp call the probe (function and data; the priority does not
// matter) no longer. As in the kernel, a probe without a function stands for all
// of them.
func (r *Registry) Unregister(tp *Tracepoint, p dispatch.Probe) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := find(tp.funcs, p)
	switch {
	case len(tp.funcs) == 0, p.Fn != 0 && at < 0:
		return fmt.Errorf("tracepoint %s: unregister: %w", tp.Name, ErrNotFound)
	case p.Fn == 0:
		return r.change(tp, nil)
	}
	return r.change(tp, slices.Delete(slices.Clone(probesOf(tp.funcs)), at, at+1))
}

// Synchronize waits until no reader is in a probe, or uses data, that was
// unregistered before: tracepoint_synchronize_unregister.
func (r *Registry) Synchronize() { r.rcu.Synchronize() }

// change takes tp from its present probes to the given ones through the policy's
// steps. mu must be held.
func (r *Registry) change(tp *Tracepoint, probes []dispatch.Entry) error {
	c := &change{registry: r, tp: tp, old: tp.funcs}
	if len(probes) > 0 {
		var err error
		if c.new, err = r.arrays.alloc(len(probes) + 1); err != nil { // T5: before any step
			return fmt.Errorf("tracepoint %s: the array of %d probes: %w", tp.Name, len(probes), err)
		}
		copy(c.new, probes)
		c.new[len(probes)] = dispatch.Entry{}
	}
	for _, s := range r.policy.steps(len(probesOf(c.old)), len(probes)) {
		if step.Enabled {
			step.At("before " + s.Name)
		}
		if err := s.do(c); err != nil {
			return fmt.Errorf("tracepoint %s: %s: %w", tp.Name, s.Name, err)
		}
	}
	tp.funcs = c.new
	if c.old != nil {
		// release_probes: readers may still walk the old array.
		r.rcu.Call(func() {
			r.arrays.free(c.old)
		})
	}
	return nil
}

// probesOf is funcs without its terminator.
func probesOf(funcs []dispatch.Entry) []dispatch.Entry {
	return funcs[:max(0, len(funcs)-1)]
}

// find returns the index of the probe's function and data, or -1.
func find(funcs []dispatch.Entry, p dispatch.Probe) int {
	return slices.IndexFunc(probesOf(funcs), func(e dispatch.Entry) bool {
		return e.Fn == uintptr(p.Fn) && e.Data == p.Data
	})
}

// firstData is the data that a site's static call passes.
func firstData(funcs []dispatch.Entry) unsafe.Pointer {
	if len(funcs) == 0 {
		return nil
	}
	return funcs[0].Data
}
