package torture

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A firing is what attacks have in common whose readers pass sites: some places, the reader
// of each, and one updater.
type firing[P any] struct {
	*attack
	domain *rcu.Domain
	places []*P // each always passed by the same reader

	// focus is the place that the updater is at. Its reader is there more often than
	// anywhere else. Written by the updater.
	focus atomic.Pointer[P]

	freedCalls uint64 // dispatch.FreedCalls before the attack

	pass  func(*P, *rcu.Reader) // passes a place so many times, and judges
	story func(*P) string       // what was done to it last

	// The invariants that are broken by a site that panics, and by calls out of freed
	// arrays.
	panics, freed string
}

// passes is how often pass fires.
const passes = 16

// run runs the updater, and the readers with an intruder beside each.
func (f *firing[P]) run(update func() error) error {
	readers := min(max(1, len(f.cpus)-1), len(f.places), mostReaders)
	list := []thread{{0, update}}
	for i := range readers {
		list = append(list,
			thread{1 + i, func() error { return f.read(i, readers) }},
			thread{1 + i, func() error { return f.intrude(f.rand(1 + mostReaders + i)) }})
	}
	return f.launch(list...)
}

// read passes the places that are reader n's until the attack is over.
func (f *firing[P]) read(n, readers int) error {
	r := f.domain.Register()
	defer r.Unregister()
	defer func() {
		if p := recover(); p != nil {
			r.Unlock() // the panic left the site's section open
			f.fail("%s: a site panicked: %v; %s", f.panics, p, f.story(f.places[n]))
		}
	}()
	var own []*P
	for i := n; i < len(f.places); i += readers {
		own = append(own, f.places[i])
	}
	rnd := f.rand(1 + n)
	for !f.over() {
		const batch = 64
		for range batch {
			place := f.focus.Load()
			draw := int(rnd.Uint32())
			if draw%4 == 0 || !slices.Contains(own, place) {
				place = own[draw/4%len(own)]
			}
			if draw%32 == 31 {
				f.passNested(place, r)
			} else {
				f.pass(place, r)
			}
			r.Quiescent()
		}
		f.passes[n].Add(batch * passes)
		if c := dispatch.FreedCalls() - f.freedCalls; c > 0 {
			f.fail("%s: %d calls out of freed arrays", f.freed, c)
		}
	}
	return nil
}

// passNested is pass with a section around the sites' own.
func (f *firing[P]) passNested(place *P, r *rcu.Reader) {
	r.Lock()
	defer r.Unlock()
	f.pass(place, r)
}

// A history is what was done last. A report of a violation has it. One thread writes it.
type history struct {
	n    atomic.Uint64
	last [8]atomic.Pointer[string]
}

func (h *history) add(what string) {
	h.last[h.n.Add(1)%uint64(len(h.last))].Store(&what)
}

func (h *history) String() string {
	n := h.n.Load()
	var list []string
	for i := n + 1; i <= n+uint64(len(h.last)); i++ {
		if p := h.last[i%uint64(len(h.last))].Load(); p != nil {
			list = append(list, *p)
		}
	}
	return strings.Join(list, ", ")
}
