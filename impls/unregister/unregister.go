package unregister

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// What the kernel returns as -EINVAL, -EEXIST, -ENOENT and -ENOMEM.
var (
	ErrInvalid  = errors.New("a probe needs a function of its own")
	ErrExist    = errors.New("this function is registered with this data already")
	ErrNotFound = errors.New("this function is not registered with this data")
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
	arrays *slab.Arrays[dispatch.Entry]
}

// New makes a Point of a site, off. A site belongs to one Point at a time, with its
// probes unregistered and a grace period in between.
func New(policy *Policy, d *rcu.Domain, site *dispatch.Site) (*Point, error) {
	if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("unregister: %w", err)
	}
	return &Point{
		policy: policy, rcu: d, site: site,
		arrays: slab.NewArrays(dispatch.Poison(), dispatch.Entry{}),
	}, nil
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
	probes := p.live()
	entry := dispatch.Entry{Fn: uintptr(probe.Fn), Data: probe.Data, Prio: probe.Prio}
	// After its equals: the first with a lower priority.
	at, _ := slices.BinarySearchFunc(probes, probe.Prio, func(e dispatch.Entry, prio int) int {
		return cmp.Or(cmp.Compare(prio, e.Prio), -1)
	})
	if err := p.policy.add(p, slices.Insert(probes, at, entry)); err != nil {
		return fmt.Errorf("register: the array of %d probes: %w", len(probes)+1, err)
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
	var rest []dispatch.Entry
	for i, e := range probesOf(p.funcs) {
		if i != at && !p.dead(e) {
			rest = append(rest, e)
		}
	}
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
func (p *Point) replace(probes []dispatch.Entry) error {
	array, err := p.arrays.Alloc(len(probes) + 1)
	if err != nil {
		return err // before any step: M4
	}
	fill(array, probes)
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

// live returns a copy of the probes in force. mu must be held.
func (p *Point) live() (probes []dispatch.Entry) {
	for _, e := range probesOf(p.funcs) {
		if !p.dead(e) {
			probes = append(probes, e)
		}
	}
	return probes
}

// dead reports whether an entry stands where a probe was removed.
func (p *Point) dead(e dispatch.Entry) bool {
	return p.policy.Dead != nil && e.Fn == uintptr(p.policy.Dead())
}

// find returns the index of the probe's function and data, or -1. Dead entries are
// nobody's.
func (p *Point) find(probe dispatch.Probe) int {
	return slices.IndexFunc(probesOf(p.funcs), func(e dispatch.Entry) bool {
		return e.Fn == uintptr(probe.Fn) && e.Data == probe.Data && !p.dead(e)
	})
}

// probesOf is funcs without its terminator.
func probesOf(funcs []dispatch.Entry) []dispatch.Entry {
	return funcs[:max(0, len(funcs)-1)]
}

// fill makes room hold the probes and zero entries behind them, of which there is at
// least one.
func fill(room, probes []dispatch.Entry) {
	clear(room[copy(room, probes):])
}
