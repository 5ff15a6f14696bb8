package tracepoint

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// What the kernel returns as -EINVAL, -EEXIST and -ENOENT.
var (
	ErrInvalid  = errors.New("a probe needs a function")
	ErrExist    = probes.ErrExist
	ErrNotFound = probes.ErrNotFound
)

// A Tracepoint is a named place that can fire.
type Tracepoint struct {
	Name string
	site *dispatch.Site

	// funcs is the array that the site reads, or nil. It is replaced and never changed,
	// under Registry.mu. From the beginning of a change it is the array after it.
	funcs []dispatch.Entry

	// target is where callFirst makes the static call go with funcs. Protected by
	// Registry.mu.
	target dispatch.Target

	// moved is the moment when the first entry's data last changed, for policies that
	// remember it for each tracepoint. Protected by Registry.mu.
	moved snapshot

	bulk uint64 // the number of the last group of changes that it was in; protected by Registry.mu
}

// Fire passes the site once. The reader must be of the Registry's Domain: grace periods of
// another Domain do not wait for it.
func (tp *Tracepoint) Fire(r *rcu.Reader) { tp.site.Fire(r) }

// An engine is the part of *rcu.Domain that steps use. Steps have no other access to the
// Domain, so a test that replaces the engine sees every call.
type engine interface {
	GetState() rcu.State
	StartPoll() rcu.State
	Poll(rcu.State) bool
	CondSync(rcu.State)
	Synchronize()
	Call(func())
}

// A Registry holds what tracepoints share: a lock, a strategy and an engine for grace
// periods. It is the state of kernel/tracepoint.c.
type Registry struct {
	rcu    engine
	policy *Policy

	// mu is the kernel's tracepoints_mutex. It is held during the waits of a transition.
	// The text mutex and the Domain's locks nest inside it.
	mu        sync.Mutex
	snapshots [2]snapshot    // by snapshotID. Protected by mu.
	bulk      uint64         // the number of the last group of changes. Protected by mu.
	arrays    *probes.Arrays // what tp->funcs point to
}

// New makes a Registry that follows the policy and waits by the domain.
// dispatch.Open must have succeeded.
func New(p *Policy, d *rcu.Domain) *Registry {
	return &Registry{rcu: d, policy: p, arrays: probes.NewArrays()}
}

// Add makes a tracepoint of a site: without probes, with the static call to the iterator.
// A site belongs to one Tracepoint of one Registry at a time. (Two of them in one bulk change
// would break T5, since no patch may name a site twice.) Before it goes to another Registry,
// its probes are unregistered and a grace period passes, because each Registry remembers
// only the moments of its own tracepoints.
func (r *Registry) Add(name string, site *dispatch.Site) (*Tracepoint, error) {
	tp := &Tracepoint{Name: name, site: site}
	if err := site.StaticCall(r.policy.Dispatch.Iterator()); err != nil {
		return nil, fmt.Errorf("tracepoint %s: %w", name, err)
	}
	return tp, nil
}

// A Request is one registration, or one removal, of a bulk change.
type Request struct {
	Tracepoint *Tracepoint
	Probe      dispatch.Probe
	Remove     bool
}

// Register adds a probe to tp.
func (r *Registry) Register(tp *Tracepoint, p dispatch.Probe) error {
	return r.Bulk([]Request{{tp, p, false}})
}

// Unregister removes a probe from tp, by function and data; the priority does not matter. As
// in the kernel, a probe without a function stands for all probes.
func (r *Registry) Unregister(tp *Tracepoint, p dispatch.Probe) error {
	return r.Bulk([]Request{{tp, p, true}})
}

// Bulk does all requests, in their order, or none of them (T5): it first checks every request
// and allocates what it needs, which may fail, and only then changes what readers see.
//
// A policy with Together does each step for all tracepoints that are in the same transition,
// and waits once. All steps that come before a wait, in all transitions, come before the
// first wait, so that one grace period is enough for all of them. A tracepoint that comes a
// second time in the requests begins another group.
func (r *Registry) Bulk(requests []Request) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	changes := make([]change, len(requests))
	for i, q := range requests {
		if err := r.prepare(&changes[i], q); err != nil {
			for i := range slices.Backward(changes[:i]) {
				changes[i].undo()
			}
			return err
		}
	}
	group := make([]*change, 0, len(changes))
	for i := range changes {
		c := &changes[i]
		if len(group) > 0 && (!r.policy.Together || c.tp.bulk == r.bulk) {
			if err := r.run(group); err != nil {
				return err
			}
			group = group[:0]
		}
		if len(group) == 0 {
			r.bulk++
		}
		c.tp.bulk = r.bulk
		group = append(group, c)
	}
	return r.run(group)
}

// prepare checks a request and allocates what its change needs. From then on the tracepoint
// has the state after the change, for the requests that follow. Readers see nothing of it yet.
func (r *Registry) prepare(c *change, q Request) error {
	tp := q.Tracepoint
	*c = change{registry: r, tp: tp, old: tp.funcs, was: tp.target}
	fail := func(err error) error {
		what := "register"
		if q.Remove {
			what = "unregister"
		}
		return fmt.Errorf("tracepoint %s: %s: %w", tp.Name, what, err)
	}
	entries := probes.Of(tp.funcs)
	at, n := probes.Find(entries, q.Probe), len(entries)
	switch {
	case q.Remove && (n == 0 || q.Probe.Fn != 0 && at < 0):
		return fail(ErrNotFound)
	case q.Remove && q.Probe.Fn == 0:
		n = 0
	case q.Remove:
		n--
	case q.Probe.Fn == 0:
		return fail(ErrInvalid)
	case at >= 0:
		return fail(ErrExist)
	default:
		if err := tp.site.Reach(q.Probe.Fn); err != nil { // so that no later step can fail (T5)
			return fail(err)
		}
		n++
	}
	if n > 0 {
		var err error
		if c.new, err = r.arrays.Alloc(n + 1); err != nil {
			return fail(fmt.Errorf("the array of %d probes: %w", n, err))
		}
		if q.Remove {
			probes.Remove(c.new, entries, at)
		} else {
			probes.Insert(c.new, entries, q.Probe)
		}
		if c.target, err = r.target(tp, c.new); err != nil {
			r.arrays.Free(c.new)
			return fail(err)
		}
	}
	tp.funcs, tp.target = c.new, c.target
	return nil
}

// target returns where tp's static call is to go with funcs. With bound, which leaves the call
// as it is in 1->0, the call may still go to a thunk that has been freed. If the new thunk
// came to stand in the same slot, the call would need no patch, and without a patch there is
// no core sync between the writing of the thunk and its first execution. So target takes
// another slot.
func (r *Registry) target(tp *Tracepoint, funcs []dispatch.Entry) (dispatch.Target, error) {
	t, err := r.policy.Dispatch.Target(funcs)
	if err != nil || !tp.site.LeadsTo(t) {
		return t, err
	}
	defer t.Release()
	return r.policy.Dispatch.Target(funcs)
}

// undo takes prepare back. No reader has seen anything of the change.
func (c *change) undo() {
	if c.new != nil {
		c.registry.arrays.Free(c.new)
	}
	c.target.Release()
	c.tp.funcs, c.tp.target = c.old, c.was
}

// run performs the changes of different tracepoints: first the steps before a wait, of all
// lists, then the waits, then the steps after them.
func (r *Registry) run(group []*change) error {
	var byList [6][]*change
	for _, c := range group {
		list := listOf(len(probes.Of(c.old)), len(probes.Of(c.new)))
		byList[list] = append(byList[list], c)
	}
	for part := range 3 {
		for i, list := range r.policy.lists() {
			if len(byList[i]) == 0 {
				continue
			}
			for _, s := range partOf(*list, part) {
				if step.Enabled {
					step.At("before " + s.Name)
				}
				if err := s.do(byList[i]); err != nil {
					return fmt.Errorf("tracepoint %s: %s: %w", group[0].tp.Name, s.Name, err)
				}
			}
		}
	}
	r.release(group)
	return nil
}

// partOf returns one of three parts of a list: the steps before the one that waits, that
// step, the steps after it. A list without such a step has only the first part.
func partOf(list []Step, part int) []Step {
	at := slices.IndexFunc(list, func(s Step) bool { return s.waits })
	if at < 0 {
		at = len(list)
	}
	after := min(at+1, len(list))
	return [...][]Step{list[:at], list[at:after], list[after:]}[part]
}

// release frees the old arrays and thunks after a grace period, since readers may still be
// in them. It is the kernel's release_probes.
func (r *Registry) release(group []*change) {
	had := make([]*change, 0, len(group))
	for _, c := range group {
		if c.old != nil {
			had = append(had, c)
		}
	}
	if len(had) == 0 {
		return
	}
	r.rcu.Call(func() {
		for _, c := range had {
			r.arrays.Free(c.old)
			c.was.Release()
		}
	})
}

// Synchronize waits until no reader is in a probe that was unregistered before, or uses its
// data. It is the kernel's tracepoint_synchronize_unregister.
func (r *Registry) Synchronize() { r.rcu.Synchronize() }

// firstData returns the data that a site's static call passes.
func firstData(funcs []dispatch.Entry) unsafe.Pointer {
	if len(funcs) == 0 {
		return nil
	}
	return funcs[0].Data
}
