package benches

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Chosen is a set of cases and how often each is measured.
type Chosen struct {
	Cases  []Case
	Rounds int
}

// A Section is a part of the evidence that can be measured by itself.
type Section struct {
	Name   string
	Doc    string
	choose func(events int) []Chosen
}

// Numbers of rounds.
const (
	thorough = 8
	enough   = 6                // the least that gives a median a 95 % interval
	usual    = dispatch.Layouts // each layout once
	costly   = 3                // the least that gives a paired ratio a useful interval
	few      = 2
	once     = 1
)

// MainSection is the section that is measured where none is named: what a disabled and an
// enabled site cost, what switching costs with which grace periods, and by how much it
// delays a reader. On two quiet cores and with 1,000 events it takes about a minute. For
// half of that naive-sync waits for the kernel.
const MainSection = "tracepoint"

// Sections lists the parts of the evidence, the main one first.
func Sections() []Section {
	return []Section{
		{MainSection, "what strategies cost: firing, bulk changes, single transitions, a reader's latency", tracepointEvidence},
		{"rcu", "how long grace periods take, and entering a read section", func(int) []Chosen {
			return []Chosen{
				{without(gracePeriodBench.Cases(Params{}), kernelGracePeriod), costly},
				{readSideBench.Cases(Params{}), usual},
			}
		}},
		{"textpoke", "patching text under running threads", func(int) []Chosen {
			return []Chosen{{pokeEvidence(), few}}
		}},
		{"unregister", "removal when memory fails", func(int) []Chosen {
			return []Chosen{
				{unregisterBench.Cases(Params{GPs: []string{KernelGP}}), few},
				{stubbedBench.Cases(Params{}), usual},
			}
		}},
		{"livepatch", "replacing functions while tasks call them", func(int) []Chosen {
			return []Chosen{
				{livepatchBench.Cases(Params{}), usual},
				{transitionBench.Cases(Params{Readers: []int{1}}), few},
			}
		}},
		{"uprobe", "hitting, registering and unregistering uprobes", func(int) []Chosen {
			cpus := Params{CPUs: doubling(runtime.NumCPU())}
			sameKey := func(c Case) bool { return c.keys["keys"] == "same" }
			return []Chosen{
				{keep(uprobeHitBench.Cases(cpus), sameKey), enough},
				{without(uprobeHitBench.Cases(cpus), sameKey), costly},
				{uprobeRegisterBench.Cases(Params{}), few},
			}
		}},
	}
}

// Evidence chooses the cases of these sections, for so many events. Its error is an
// *impls.UnknownError.
func Evidence(events int, sections ...string) ([]Chosen, error) {
	var names []string
	for _, s := range Sections() {
		names = append(names, s.Name)
	}
	for _, name := range sections {
		if !slices.Contains(names, name) {
			return nil, &impls.UnknownError{Kind: "part of the evidence", Name: name, Nearest: impls.Nearest(name, names)}
		}
	}
	var chosen []Chosen
	for _, s := range Sections() {
		if slices.Contains(sections, s.Name) {
			chosen = append(chosen, s.choose(events)...)
		}
	}
	return chosen, nil
}

func tracepointEvidence(events int) []Chosen {
	kernel := Params{GPs: []string{KernelGP}, Events: []int{events}}
	fewer := Params{GPs: []string{KernelGP}, Events: smaller(events)}
	beside := Params{GPs: []string{expedited}, Events: []int{events}, Readers: []int{1}}
	slow := slowStrategies()
	return []Chosen{
		{dispatchBench.Cases(Params{}), usual}, // once at each alignment, on which its intervals rest

		// The kernel's grace period, the other core idle; then the expedited one, beside a
		// reader.
		{keep(bulkBench.Cases(kernel), slow), costly},
		{without(bulkBench.Cases(kernel), slow), thorough},
		{bulkBench.Cases(beside), enough},
		{keep(bulkBench.Cases(fewer), slow), once},
		{without(bulkBench.Cases(fewer), slow), usual},
		{keep(gracePeriodBench.Cases(Params{}), kernelGracePeriod), costly},

		// Two rounds are enough: their counts are exact.
		{churnBench.Cases(kernel), few},
		{pingPongBench.Cases(kernel), few},
		{shrinkBench.Cases(kernel), few},
		{disturbBench.Cases(Params{GPs: []string{expedited}}), usual},

		{tortureBench.Cases(Params{}), few},
	}
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

// doubling is 1, 2, 4 and so on up to the number of CPUs, which is the last; 1 and 2 at
// least.
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

// slowStrategies returns a function that selects the cases of strategies that wait for a
// grace period at every event.
func slowStrategies() func(Case) bool {
	slow := slices.DeleteFunc(slices.Clone(strategies), func(name string) bool { return !waitsAtEveryEvent(name) })
	return func(c Case) bool { return slices.Contains(slow, c.keys["impl"]) }
}

// kernelGracePeriod selects the case that times one grace period of the kernel, no reader beside it.
func kernelGracePeriod(c Case) bool {
	return c.keys["gp"] == KernelGP && c.keys["readers"] == "0"
}

// pokeEvidence returns the cases that the chart of patching needs, and what the patcher
// that strategies use costs beside a thread that is busy elsewhere. It leaves out patchers
// that cannot run here (aligned-store needs an AMD CPU), unless none can.
func pokeEvidence() []Case {
	cases := pokeBench.Cases(Params{})
	if can := without(cases, func(c Case) bool { return c.Check() != nil }); len(can) > 0 {
		cases = can
	}
	return without(cases, func(c Case) bool {
		switch sites := c.keys.num("sites"); {
		case sites == 256: // lies between two others on the chart
			return true
		case sites == 4096 && syncsAtEverySite(c.keys["impl"]): // takes seconds
			return true
		}
		return c.keys["beside"] == besideBusy && c.keys["impl"] != strategiesPatcher
	})
}

func keep(cases []Case, want func(Case) bool) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return !want(c) })
}

func without(cases []Case, drop func(Case) bool) []Case {
	return slices.DeleteFunc(slices.Clone(cases), drop)
}

// Plan makes the harness's plan of the chosen cases, with the names that wanted
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
			p.Cases = append(p.Cases, harness.Planned{Case: c.Case, Wanted: names, Rounds: ch.Rounds, Block: c.Block})
		}
	}
	return p, nil
}

// Runnable reports why the case cannot run here on the allowed CPUs, or nil.
func (c *Case) Runnable(allowed []int) error {
	return cmp.Or(c.Check(), c.CheckCPUs(allowed))
}
