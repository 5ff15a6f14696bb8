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

// A Policy says how probes are added to an array and removed from it. The Point calls its
// functions with the lock held.
type Policy struct {
	Dispatch dispatch.Dispatch // sites call its iterator

	// Dead returns the function of dead entries. It is nil if the variant has none.
	Dead func() dispatch.Func

	// add makes readers see probes, one more than there were. If it returns an error it
	// has changed nothing.
	add func(p *Point, probes []dispatch.Entry) error

	// remove removes the probe funcs[at]. rest are the probes that stay, at least one. If
	// it returns an error it has changed nothing.
	remove func(p *Point, at int, rest []dispatch.Entry) error
}

// A Point is one tracepoint.
type Point struct {
	policy *Policy
	rcu    *rcu.Domain
	site   *dispatch.Site

	// mu is the kernel's tracepoints_mutex. It is held during waits. The text mutex, the
	// Domain's locks and those of arrays nest inside it.
	mu sync.Mutex

	// funcs is the array that the site reads, with dead entries, or nil. Written under mu.
	// Only kill writes to an array that readers may walk at the time.
	funcs []dispatch.Entry

	array  []dispatch.Entry // the allocation that funcs is in, or a half of. Protected by mu.
	halves halves           // of the double arrays. Protected by mu.
	arrays *probes.Arrays
}

// New makes a Point of a site, without probes. A site belongs to one Point at a time. Before
// it goes to another, its probes are unregistered and a grace period passes.
func New(policy *Policy, d *rcu.Domain, site *dispatch.Site) (*Point, error) {
	if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("unregister: %w", err)
	}
	return &Point{policy: policy, rcu: d, site: site, arrays: probes.NewArrays()}, nil
}

// Fire passes the site once. The reader must be of the Point's Domain: grace periods of
// another Domain do not wait for it.
func (p *Point) Fire(r *rcu.Reader) { p.site.Fire(r) }

// FailAfter lets n more allocations of arrays succeed and makes the next one fail. With a
// negative n none fails.
func (p *Point) FailAfter(n int) { p.arrays.FailAfter(n) }

// Held returns how many arrays the Point holds, and their requested size in bytes. Released
// arrays count until their grace period has ended.
func (p *Point) Held() (arrays, bytes int) {
	arrays, entries := p.arrays.InUse()
	return arrays, entries * int(unsafe.Sizeof(dispatch.Entry{}))
}

// Synchronize waits until no reader is in a probe that was unregistered before, or uses its
// data. It is the kernel's tracepoint_synchronize_unregister.
func (p *Point) Synchronize() { p.rcu.Synchronize() }

// Register adds a probe. Without memory the error is ErrNoMem.
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

// replace makes readers see the probes of list in a new array. The list has no dead entries.
func (p *Point) replace(list []dispatch.Entry) error {
	array, err := p.arrays.Alloc(len(list) + 1)
	if err != nil {
		return err // nothing has changed (M4)
	}
	fill(array, list)
	return p.install(array, array)
}

// install makes readers see funcs, which is in array. It releases the array in force, if that
// is another.
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

// zero removes all probes, which needs no memory.
func (p *Point) zero() error {
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

// fill copies the probes to room, and fills the rest, at least one entry, with zero entries.
func fill(room, probes []dispatch.Entry) {
	clear(room[copy(room, probes):])
}
