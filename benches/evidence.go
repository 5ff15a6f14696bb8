package benches

import (
	"runtime"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Chosen is a set of cases and how often each is measured.
type Chosen struct {
	Cases  []Case
	Rounds int
}

// Evidence chooses the cases of the one run that everybody should make, for so many
// events: what a disabled and an enabled site cost, what switching costs, with whose
// grace periods, and what a reader feels of it. On two cores and with 1,000 events
// it takes a little over two minutes, a quarter of it naive-sync waiting for the kernel.
func Evidence(events int) []Chosen {
	const (
		thorough = 2 * dispatch.Layouts // sees each layout twice
		enough   = 6                    // the least that gives a median a 95 % interval
		usual    = dispatch.Layouts
		costly   = 3 // the least that gives a paired ratio an interval worth the name
		few      = 2
		once     = 1
	)
	n := []int{events}
	kernel := Params{GPs: []string{"kernelgp"}, Events: n}
	memb := Params{GPs: []string{"memb"}, Events: n, Readers: []int{1}}
	slow := func(c Case) bool { return naiveOnKernel(c.Names[0]) }
	fast := func(c Case) bool { return !slow(c) }
	cpus := Params{CPUs: doubling(runtime.NumCPU())}
	sameKey := func(c Case) bool { return strings.Contains(c.Names[0], "/keys=same/") }
	return []Chosen{
		{dispatchFamily.Cases(Params{}), thorough},

		// The kernel's own grace period, the other core idle; then an expedited
		// one beside a reader that fires all the time.
		{keep(bulkFamily.Cases(kernel), slow), costly},
		{keep(bulkFamily.Cases(kernel), fast), thorough},
		{bulkFamily.Cases(memb), enough},
		{keep(bulkFamily.Cases(with(kernel, smaller(events))), slow), once},
		{keep(bulkFamily.Cases(with(kernel, smaller(events))), fast), usual},

		// Their counts are exact.
		{churnFamily.Cases(kernel), few},
		{pingPongFamily.Cases(kernel), few},
		{shrinkFamily.Cases(kernel), few},
		{disturbFamily.Cases(Params{GPs: []string{"memb"}}), usual},

		{unregisterFamily.Cases(kernel), few},
		{stubbedFamily.Cases(Params{}), few},

		{tortureFamily.Cases(Params{}), few},

		{gracePeriodFamily.Cases(Params{}), costly},
		{readSideFamily.Cases(Params{}), usual},

		{livepatchFamily.Cases(Params{}), usual},
		{transitionFamily.Cases(Params{Readers: []int{1}}), few},

		{keep(uprobeHitFamily.Cases(cpus), sameKey), enough},
		{keep(uprobeHitFamily.Cases(cpus), func(c Case) bool { return !sameKey(c) }), costly},
		{uprobeRegisterFamily.Cases(Params{}), few},
		{keep(pokeFamily.Cases(Params{}), pokeEvidence), few},
	}
}

func with(p Params, events []int) Params {
	p.Events = events
	return p
}

// smaller are the numbers of events that give the curve of time against events its
// shape: about half a decade apart.
func smaller(events int) []int {
	var list []int
	for _, n := range []int{10, 30, 100, 300, 1000, 3000, 10000, 30000} {
		if n < events {
			list = append(list, n)
		}
	}
	return list
}

// doubling is 1, 2, 4 and so on, up to a number of CPUs that it ends in, or to 2.
func doubling(cpus int) []int {
	list := []int{1, 2}
	for n := 4; n < cpus; n *= 2 {
		list = append(list, n)
	}
	if cpus > 2 {
		list = append(list, cpus)
	}
	return list
}

// naiveOnKernel tells the cases that wait for a kernel grace period at every event.
func naiveOnKernel(name string) bool {
	k, _ := bulkFamily.parse(name)
	return k["impl"] == "naive-sync" && k["gp"] == "kernelgp"
}

// pokeEvidence tells the cases that the chart of patching needs, and what the batch of
// int3s, which strategies use, costs beside somebody who is busy elsewhere.
func pokeEvidence(c Case) bool {
	k, _ := pokeFamily.parse(c.Names[0])
	switch {
	case c.Err != nil && k["impl"] != "int3-batch":
		return false // aligned-store is for AMD's CPUs; that must not cost all evidence
	case k["sites"] == "256", k["impl"] == "int3" && k["sites"] == "4096":
		return false // between two others; 12,288 core syncs
	case k["beside"] == besideBusy:
		return k["impl"] == "int3-batch"
	}
	return true
}

func keep(cases []Case, want func(Case) bool) []Case {
	return slices.DeleteFunc(cases, func(c Case) bool { return !want(c) })
}

// Plan makes the harness's plan of what was chosen, of the names that wanted
// accepts. Its error is that of the first case that cannot run here.
func Plan(chosen []Chosen, wanted func(name string) bool, allowed []int, seed uint64) (*harness.Plan, error) {
	p := &harness.Plan{Seed: seed}
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			names := slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool { return !wanted(n) })
			if len(names) == 0 {
				continue
			}
			if err := c.Runnable(allowed); err != nil {
				return nil, err
			}
			p.Cases = append(p.Cases, harness.Planned{Case: c.Case, Wanted: names, Rounds: ch.Rounds})
		}
	}
	return p, nil
}

// Runnable reports why the case cannot run here on the allowed CPUs, or nil.
func (c *Case) Runnable(allowed []int) error {
	if c.Err != nil {
		return c.Err
	}
	return c.CheckCPUs(allowed)
}
