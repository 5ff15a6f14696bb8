// This file is the engine: a tracepoint with its array of probes, whose growing and shrinking
// a Policy does. The package comment, in doc.go, says why removal is the hard part.

package unregister

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// What the kernel returns as -EINVAL, -EEXIST, -ENOENT and -ENOMEM.
var (
	ErrInvalid  = errors.New("a probe needs a function, other than the stub and the sentinel")
	ErrExist    = probes.ErrExist
	ErrNotFound = probes.ErrNotFound
	ErrNoMem    = slab.ErrNoMem
)

// A Policy is what variants of this package differ in: how a probe is added to a Point's array,
// and how one is removed. The Point calls its functions with Point.mu held.
type Policy struct {
	// Dispatch has the iterator: the function that a site calls, and that calls every probe.
	Dispatch dispatch.Dispatch

	// Dead returns the function of a dead entry: one whose probe was removed without memory
	// for a shorter array. It is nil if the policy makes no such entries.
	Dead func() dispatch.Func

	// add replaces the Point's probes by list: those that it has, and a new one. If there is
	// no memory it returns an error and has changed nothing.
	add func(p *Point, list []dispatch.Entry) error

	// remove removes the probe p.funcs[at]. rest has the probes that stay, at least one. If it
	// returns an error it has changed nothing.
	remove func(p *Point, at int, rest []dispatch.Entry) error
}

// A Point is one tracepoint.
type Point struct {
	policy *Policy
	rcu    *rcu.Domain
	site   *dispatch.Site

	// mu is the kernel's tracepoints_mutex. A policy that waits for a grace period holds it
	// meanwhile. Inside it are taken: the mutex of package textpoke, the locks of the Domain,
	// and the lock of the allocator of arrays.
	mu sync.Mutex

	// funcs is the array that the site reads, dead entries included; nil without probes. Written
	// under mu. Readers may walk it at any time, so nothing writes to its entries but kill
	// (stub.go), which makes one dead.
	funcs []dispatch.Entry

	// array is the allocation whose first or second half funcs is (doublearray.go), or which
	// funcs is as a whole. Protected by mu.
	array  []dispatch.Entry
	halves halves         // state of the policies with two halves; protected by mu
	arrays *probes.Arrays // allocates arrays
}

// New returns a Point without probes. A site belongs to one Point at a time: before the caller
// makes another Point of it, the probes must be unregistered and a grace period must have passed.
func New(policy *Policy, d *rcu.Domain, site *dispatch.Site) (*Point, error) {
	if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("unregister: %w", err)
	}
	return &Point{policy: policy, rcu: d, site: site, arrays: probes.NewArrays()}, nil
}

// Fire executes the site once, which calls every probe. The reader must be registered with the
// Point's Domain: grace periods of another Domain do not wait for it.
func (p *Point) Fire(r *rcu.Reader) { p.site.Fire(r) }

// FailAfter lets n more allocations of arrays succeed and makes the next one fail. With a
// negative n none fails.
func (p *Point) FailAfter(n int) { p.arrays.FailAfter(n) }

// Held returns how many arrays the Point has allocated and not freed, and their size in bytes,
// without the allocator's rounding. Released arrays count until their grace period has ended.
func (p *Point) Held() (arrays, bytes int) {
	arrays, entries := p.arrays.InUse()
	return arrays, entries * int(unsafe.Sizeof(dispatch.Entry{}))
}

// Synchronize waits until no reader is in a probe that was unregistered before, or uses its
// data. It is the kernel's tracepoint_synchronize_unregister.
func (p *Point) Synchronize() { p.rcu.Synchronize() }

// Register adds a probe. Without memory the error is ErrNoMem. The stub and the sentinel are
// functions of dead entries (doc.go), so no probe may have them.
func (p *Point) Register(probe dispatch.Probe) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if probe.Fn == 0 || probe.Fn == dispatch.Stub() || probe.Fn == dispatch.Sentinel {
		return fmt.Errorf("register: %w", ErrInvalid)
	}
	if p.find(probe) >= 0 {
		return fmt.Errorf("register: %w", ErrExist)
	}
	live := p.live()
	next := make([]dispatch.Entry, len(live)+2) // the new probe, and the zero entry at the end
	probes.Insert(next, live, probe)
	if err := p.policy.add(p, probes.Of(next)); err != nil {
		return fmt.Errorf("register: the array of %d probes: %w", len(live)+1, err)
	}
	return nil
}

// Unregister removes a probe, by function and data; the priority does not matter. As in the
// kernel, a probe without a function stands for all probes.
func (p *Point) Unregister(probe dispatch.Probe) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.find(probe)
	switch {
	case p.funcs == nil, probe.Fn != 0 && at < 0:
		return fmt.Errorf("unregister: %w", ErrNotFound)
	case probe.Fn == 0:
		return p.removeAll()
	}
	live := p.live()
	rest := make([]dispatch.Entry, len(live))
	probes.Remove(rest, live, probes.Find(live, probe))
	rest = probes.Of(rest)
	if len(rest) == 0 {
		return p.removeAll()
	}
	if err := p.policy.remove(p, at, rest); err != nil {
		return fmt.Errorf("unregister: the array of %d probes: %w", len(rest), err)
	}
	return nil
}

// replace makes readers see the probes of list in a new array. The list has no dead entries.
func (p *Point) replace(list []dispatch.Entry) error {
	array, err := p.arrays.Alloc(len(list) + 1)
	if err != nil {
		return err // nothing has changed, as the invariant M4 wants it
	}
	fill(array, list)
	return p.install(array, array)
}

// install publishes funcs, which is array or a half of it. The array that the Point had is
// released, unless it is the same one. The first probe switches the site on.
func (p *Point) install(array, funcs []dispatch.Entry) error {
	first, old := p.funcs == nil, p.array
	step.At("unregister: before publish") // where a replay can stop this thread; see package step
	p.site.Publish(funcs)
	p.array, p.funcs = array, funcs
	if first {
		return p.site.KeyEnable()
	}
	if &old[0] != &array[0] {
		p.release(old)
	}
	return nil
}

// removeAll removes all probes, which needs no memory.
func (p *Point) removeAll() error {
	if err := p.site.KeyDisable(); err != nil {
		return err
	}
	p.site.Publish(nil)
	p.release(p.array)
	p.array, p.funcs = nil, nil
	return nil
}

// release frees the array after a grace period, since readers may still walk it. It is the
// kernel's release_probes.
func (p *Point) release(array []dispatch.Entry) {
	p.rcu.Call(func() { p.arrays.Free(array) })
}

// live returns a copy of the Point's entries that are not dead. mu must be held.
func (p *Point) live() []dispatch.Entry { return probes.Live(probes.Of(p.funcs), p.dead()) }

// dead returns the function of dead entries. If the policy has none it is 0, which is the function
// of no probe.
func (p *Point) dead() dispatch.Func {
	if p.policy.Dead == nil {
		return 0
	}
	return p.policy.Dead()
}

// find returns the index of the entry with the probe's function and data, or -1. It never finds
// a dead entry, nor a probe without a function.
func (p *Point) find(probe dispatch.Probe) int {
	if probe.Fn == p.dead() {
		return -1
	}
	return probes.Find(probes.Of(p.funcs), probe)
}

// fill copies the entries of list to array and clears the rest of array, at least one entry: the
// iterator stops at an entry without a function.
func fill(array, list []dispatch.Entry) {
	clear(array[copy(array, list):])
}
