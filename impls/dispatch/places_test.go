package dispatch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A place is a site of one kind. Passing it once passes n sites. The first of them passes first
// as its argument a, each next one 1 more.
type place struct {
	name  string
	site  *Site
	first uint64
	n     int
}

// places lists a site of every kind.
func places(tb testing.TB) []place {
	tb.Helper()
	const last = TextSites - 1
	sites := events(tb, TextSites+3)
	list := []place{
		{"text-first", sites[0], 0, 1},
		{"text-second", sites[1], 1, 1},
		{"text-last", sites[last], last, 1},
		{"mapped-first", sites[last+1], 0, 1},
		{"mapped-third", sites[last+3], 0, 1},
	}
	for layout := range Layouts {
		list = append(list, place{fmt.Sprint("timed-", layout), Timed(layout), 0, Unroll})
	}
	return list
}

// timed reports whether the place is a timed loop. All timed loops share one tracepoint.
func (p place) timed() bool { return p.n > 1 }

// expect returns the log of that many probes when the place is passed once with b as the
// counter.
func (p place) expect(probes int, b uint64) []Call {
	var want []Call
	for site := range p.n {
		for probe := range probes {
			want = append(want, Call{Probe: probe, A: p.first + uint64(site), B: b})
		}
	}
	return want
}

func compareCalls(tb testing.TB, got, want []Call) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("probes saw %v, want %v", got, want)
	}
}

// events returns the sites of n events.
func events(tb testing.TB, n int) []*Site {
	tb.Helper()
	sites, err := Events(n)
	judge.Need(tb, err, "dispatch")
	return sites
}

// arm turns s on with funcs, which end with a zero entry, until the test ends. Without probes
// it publishes no array.
func arm(tb testing.TB, s *Site, d Dispatch, funcs []Entry) {
	tb.Helper()
	call(tb, s, d, funcs)
	judge.Check(tb, s.KeyEnable())
	tb.Cleanup(func() { disarm(tb, s, d) })
}

// call publishes funcs, and makes the static call go where the dispatch says.
func call(tb testing.TB, s *Site, d Dispatch, funcs []Entry) {
	tb.Helper()
	target, err := d.Target(funcs)
	judge.Check(tb, err)
	tb.Cleanup(target.Release) // the site is off then, and no reader is in it
	judge.Check(tb, s.StaticCall(target.PC))
	if len(funcs) == 1 {
		funcs = nil
	}
	s.Publish(funcs)
}

func disarm(tb testing.TB, s *Site, d Dispatch) {
	tb.Helper()
	judge.Check(tb, s.KeyDisable())
	judge.Check(tb, s.StaticCall(d.Iterator()))
	s.Publish(nil)
}

// newDomain opens a Domain of the flavour memb. Its grace periods look at the words that sites
// write, as those of all flavours but qsbr do.
func newDomain(tb testing.TB) *rcu.Domain {
	tb.Helper()
	v, err := impls.Find("flavour", rcu.Variants(), "memb")
	judge.Check(tb, err)
	judge.Need(tb, v.Supported(), "rcu", v.Name)
	d := v.New(rcu.Options{})
	tb.Cleanup(d.Close)
	return d
}

// newReader registers a reader of a Domain of its own.
func newReader(tb testing.TB) *rcu.Reader {
	tb.Helper()
	r := newDomain(tb).Register()
	tb.Cleanup(r.Unregister)
	return r
}
