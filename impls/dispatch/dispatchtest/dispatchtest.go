package dispatchtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A testCase is one promise, with what it would mean if it were broken.
type testCase struct {
	name        string
	explanation string
	test        func(t *testing.T, d dispatch.Dispatch, p place)
}

// Run runs all cases against a way to dispatch.
func Run(t *testing.T, v dispatch.Variant) {
	judge.Need(t, v.Supported(), "dispatch", v.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range places(t) {
				t.Run(p.name, func(t *testing.T) {
					defer func() {
						if t.Failed() {
							t.Log(c.explanation)
						}
					}()
					c.test(t, v.New, p)
				})
			}
		})
	}
}

// cases find each place off, and leave it so.
var cases = []testCase{
	{
		"D1: arguments and order",
		"If probes got wrong arguments, or were called too often, too rarely or in another order than the array's, a trace would show what did not happen.",
		argumentsAndOrder,
	},
	{
		"D1: what is published next is called next",
		"If a site that is on stayed with the array that it found first, probes that come later would never be called, and freed ones would.",
		publishedNext,
	},
	{
		"D1: a loop of several passes",
		"If a loop lost its counter to its probes, the benchmarks would divide by another number of passes than there were.",
		severalPasses,
	},
	{
		"D1: probes are ordinary Go functions",
		"If the runtime lost its way in a site when it moves a stack, collects garbage or unwinds, a probe could do nothing that Go functions do.",
		ordinaryGo,
	},
	{
		"D1: a probe that panics",
		"If a panic could not cross a site, or left another number of sections open than one, whoever recovers could not go on.",
		panics,
	},
	{
		"D2: sections nest",
		"If a probe that fires another site ended its own section early, a grace period would not wait for the rest of it; if it left one open, for ever.",
		sectionsNest,
	},
	{
		"D2: a site without probes",
		"If a site whose key is on and whose funcs are NULL left its section open, as in the middle of every 1->0, grace periods would wait for ever.",
		noProbes,
	},
	{
		"D2: a grace period waits for a probe",
		"If a grace period ended while a probe runs, what the probe uses would be freed under it.",
		gracePeriodWaits,
	},
	{
		"D3 D5: whose data",
		"If a call to the probe itself did not pass what the site has loaded, or a bound one did, strategies would wait for the wrong moment, or would have to.",
		whoseData,
	},
	{
		"D4: funcs become NULL behind the site's back",
		"If the iterator walked a NULL array, a reader that comes as the last probe goes would crash the process.",
		becomesNull,
	},
}

// A place is one kind of site, and what its probes see: passing it once passes n sites,
// which say first as their a and one more each.
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

// timed reports whether the place is a timed loop: they all share one tracepoint.
func (p place) timed() bool { return p.n > 1 }

// expect returns what probes probes log when the place is passed once with b as
// the counter.
func (p place) expect(probes int, b uint64) []call {
	var want []call
	for site := range p.n {
		for probe := range probes {
			want = append(want, call{probe, p.first + uint64(site), b})
		}
	}
	return want
}

func compareCalls(tb testing.TB, got, want []call) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("probes saw %v, want %v", got, want)
	}
}

// arm turns the place on with funcs, which end with a zero entry, until the test ends.
// With no probes there is no array.
func (p place) arm(tb testing.TB, d dispatch.Dispatch, funcs []dispatch.Entry) {
	tb.Helper()
	p.call(tb, d, funcs)
	judge.Check(tb, p.site.KeyEnable())
	tb.Cleanup(func() { p.disarm(tb, d) })
}

// call publishes funcs, and makes the static call go where it is to with them.
func (p place) call(tb testing.TB, d dispatch.Dispatch, funcs []dispatch.Entry) {
	tb.Helper()
	target, err := d.Target(funcs)
	judge.Check(tb, err)
	tb.Cleanup(target.Release) // when the place is disarmed, and nobody is inside
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

// newDomain opens a Domain of the flavour memb, whose grace periods, as all but qsbr's, look
// at what sites write.
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
