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
	ErrInvalid  = errors.New("a probe needs a function of its own")
	ErrExist    = probes.ErrExist
	ErrNotFound = probes.ErrNotFound
	ErrNoMem    = slab.ErrNoMem
)

// A Policy is how an array is added to and removed from. Its functions are called with
// the Point's lock held.
type Policy struct {
	Dispatch dispatch.Dispatch // its iterator is what sites call

	// Dead returns what stands for the function of a removed probe in an array; nil if
	// nothing ever does.
	Dead func() dispatch.Func

	// add makes probes, one more than there were, what readers see. If it returns an
	// error it has changed nothing.
	add func(p *Point, probes []dispatch.Entry) error

	// remove makes readers not see funcs[at] any more; rest, of which there is at
	// least one, are the probes that stay. The same holds for its error.
	remove func(p *Point, at int, rest []dispatch.Entry) error
}

// A Point is one tracepoint.
type Point struct {
	policy *Policy
	rcu    *rcu.Domain
	site   *dispatch.Site

	// mu is the kernel's tracepoints_mutex. It is held across waits. The text mutex, the
	// Domain's locks and those of arrays nest inside it.
	mu sync.Mutex

	// funcs is what the site sees: the probes by falling priority, dead entries among
	// them, and a zero entry; or nil. Written under mu. What readers may see at the
	// same time is stored by kill and by nothing else.
	funcs []dispatch.Entry

	array  []dispatch.Entry // what funcs is in: all of it, or a half. Protected by mu.
	halves halves           // of the double arrays. Protected by mu.
	arrays *probes.Arrays
}

// New makes a Point of a site, off. A site belongs to one Point at a time, with its
// probes unregistered and a grace period in between.
func New(policy *Policy, d *rcu.Domain, site *dispatch.Site) (*Point, error) {
	if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("unregister: %w", err)
	}
	return &Point{policy: policy, rcu: d, site: site, arrays: probes.NewArrays()}, nil
}

// Fire passes the site once. The reader is one of the Point's Domain: a grace period of
// another does not wait for it.
func (p *Point) Fire(r *rcu.Reader) { p.site.Fire(r) }

// FailAfter lets n more allocations of arrays succeed and makes the one after them fail.
// A negative n takes that back.
func (p *Point) FailAfter(n int) { p.arrays.FailAfter(n) }

// Held is how many arrays the Point holds, released ones that wait for their grace
// period included, and how many bytes they were asked to have.
func (p *Point) Held() (arrays, bytes int) {
	arrays, entries := p.arrays.InUse()
	return arrays, entries * int(unsafe.Sizeof(dispatch.Entry{}))
}

// Synchronize waits until no reader is in a probe, or uses data, that was unregistered
// before: tracepoint_synchronize_unregister.
func (p *Point) Synchronize() { p.rcu.Synchronize() }

// Register makes the Point call the probe. Where there is no memory the error is
// ErrNoMem.
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
	next := make([]dispatch.Entry, len(live)+2)
	probes.Insert(next, live, probe)
	if err := p.policy.add(p, probes.Of(next)); err != nil {
		return fmt.Errorf("register: the array of %d probes: %w", len(live)+1, err)
	}
	return nil
}

// Unregister makes the Point call the probe (function and data; the priority does not
// matter) no longer. As in the kernel, a probe without a function stands for all of
// them.
func (p *Point) Unregister(probe dispatch.Probe) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.find(probe)
	switch {
	case p.funcs == nil, probe.Fn != 0 && at < 0:
		return fmt.Errorf("unregister: %w", ErrNotFound)
	case probe.Fn == 0:
		return p.zero()
	}
	live := p.live()
	rest := make([]dispatch.Entry, len(live))
	probes.Remove(rest, live, probes.Find(live, probe))
	rest = probes.Of(rest)
	if len(rest) == 0 {
		return p.zero()
	}
	if err := p.policy.remove(p, at, rest); err != nil {
		return fmt.Errorf("unregister: the array of %d probes: %w", len(rest), err)
	}
	return nil
}

// replace puts the probes into an array of their own: what adding and removing usually
// comes to. Dead entries are not among them.
func (p *Point) replace(list []dispatch.Entry) error {
	array, err := p.arrays.Alloc(len(list) + 1)
	if err != nil {
		return err // before any step: M4
	}
	fill(array, list)
	return p.install(array, array)
}

// install makes funcs, in array, what readers see, and releases the array in force, if
// that is another.
func (p *Point) install(array, funcs []dispatch.Entry) error {
	first, old := p.funcs == nil, p.array
	step.At("unregister: before publish")
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

// zero takes all probes away: any->0, which needs no memory.
func (p *Point) zero() error {
	if err := p.site.KeyDisable(); err != nil {
		return err
	}
	p.site.Publish(nil)
	p.release(p.array)
	p.array, p.funcs = nil, nil
	return nil
}

// release is release_probes: readers may still walk the array.
func (p *Point) release(array []dispatch.Entry) {
	p.rcu.Call(func() { p.arrays.Free(array) })
}

// live returns a copy of the entries in force that are not dead. mu must be held.
func (p *Point) live() []dispatch.Entry { return probes.Live(probes.Of(p.funcs), p.dead()) }

// dead returns the function of dead entries, or 0, which no entry has.
func (p *Point) dead() dispatch.Func {
	if p.policy.Dead == nil {
		return 0
	}
	return p.policy.Dead()
}

// find returns the index of the probe's function and data, or -1. No probe has the function
// of dead entries.
func (p *Point) find(probe dispatch.Probe) int {
	if probe.Fn == p.dead() {
		return -1
	}
	return probes.Find(probes.Of(p.funcs), probe)
}

// fill makes room hold the probes and zero entries behind them, of which there is at
// least one.
func fill(room, probes []dispatch.Entry) {
	clear(room[copy(room, probes):])
}
