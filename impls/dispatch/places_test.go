package dispatch_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A place is a site of one kind. Passing it once passes n sites. The first of them passes first
// as its argument a, each next one 1 more.
type place struct {
	name  string
	site  *dispatch.Site
	first uint64
	n     int
}

// places lists a site of every kind.
func places(tb testing.TB) []place {
	tb.Helper()
	const last = dispatch.TextSites - 1
	sites, err := dispatch.Events(dispatch.TextSites + 3)
	judge.Need(tb, err, "dispatch")
	list := []place{
		{"text-first", sites[0], 0, 1},
		{"text-second", sites[1], 1, 1},
		{"text-last", sites[last], last, 1},
		{"mapped-first", sites[last+1], 0, 1},
		{"mapped-third", sites[last+3], 0, 1},
	}
	for layout := range dispatch.Layouts {
		list = append(list, place{fmt.Sprint("timed-", layout), dispatch.Timed(layout), 0, dispatch.Unroll})
	}
	return list
}

// timed reports whether the place is a timed loop. All timed loops share one tracepoint.
func (p place) timed() bool { return p.n > 1 }

// expect returns the log of that many probes when the place is passed once with b as the
// counter.
func (p place) expect(probes int, b uint64) []dispatch.Call {
	var want []dispatch.Call
	for site := range p.n {
		for probe := range probes {
			want = append(want, dispatch.Call{Probe: probe, A: p.first + uint64(site), B: b})
		}
	}
	return want
}

func compareCalls(tb testing.TB, got, want []dispatch.Call) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("probes saw %v, want %v", got, want)
	}
}

// arm turns the place on with funcs, which end with a zero entry, until the test ends. Without
// probes it publishes no array.
func (p place) arm(tb testing.TB, d dispatch.Dispatch, funcs []dispatch.Entry) {
	tb.Helper()
	p.call(tb, d, funcs)
	judge.Check(tb, p.site.KeyEnable())
	tb.Cleanup(func() { p.disarm(tb, d) })
}

// call publishes funcs, and makes the static call go where the dispatch says.
func (p place) call(tb testing.TB, d dispatch.Dispatch, funcs []dispatch.Entry) {
	tb.Helper()
	target, err := d.Target(funcs)
	judge.Check(tb, err)
	tb.Cleanup(target.Release) // the place is off then, and no reader is in it
	judge.Check(tb, p.site.StaticCall(target.PC))
	if len(funcs) == 1 {
		funcs = nil
	}
	p.site.Publish(funcs)
}

func (p place) disarm(tb testing.TB, d dispatch.Dispatch) {
	tb.Helper()
	judge.Check(tb, p.site.KeyDisable())
	judge.Check(tb, p.site.StaticCall(d.Iterator()))
	p.site.Publish(nil)
}

// newDomain opens a Domain of the flavour memb. Its grace periods look at the words that sites
// write, as those of all flavours but qsbr do.
func newDomain(tb testing.TB) *rcu.Domain {
	tb.Helper()
	for _, v := range rcu.Variants() {
		if v.Name == "memb" {
			judge.Need(tb, v.Supported(), "rcu", v.Name)
			d := v.New(rcu.Options{})
			tb.Cleanup(d.Close)
			return d
		}
	}
	tb.Fatal("there is no flavour memb")
	return nil
}

// newReader registers a reader of a Domain of its own.
func newReader(tb testing.TB) *rcu.Reader {
	tb.Helper()
	r := newDomain(tb).Register()
	tb.Cleanup(r.Unregister)
	return r
}
