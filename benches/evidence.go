package benches

import (
	"runtime"
	"slices"
	"strings"

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

const (
	thorough = 8
	enough   = 6                // the least that gives a median a 95 % interval
	usual    = dispatch.Layouts // sees each layout once
	costly   = 3                // the least that gives a paired ratio an interval worth the name
	few      = 2
	once     = 1
)

// MainSection is the section that everybody should measure: what a disabled and an
// enabled site cost, what switching costs, with whose grace periods, and what a reader
// notices of it. On two quiet cores and with 1,000 events it takes about a minute, half
// of which naive-sync waits for the kernel.
const MainSection = "tracepoint"

// Sections lists the parts of the evidence, the main one first.
func Sections() []Section {
	return []Section{
		{MainSection, "what strategies cost: firing, bulk changes, single transitions, a reader's latency", tracepointEvidence},
		{"rcu", "how long grace periods take, and entering a read section", func(int) []Chosen {
			return []Chosen{
				{without(gracePeriodFamily.Cases(Params{}), kernelGracePeriod), costly},
				{readSideFamily.Cases(Params{}), usual},
			}
		}},
		{"textpoke", "patching text under running threads", func(int) []Chosen {
			return []Chosen{{keep(pokeFamily.Cases(Params{}), pokeEvidence), few}}
		}},
		{"unregister", "removal when memory fails", func(int) []Chosen {
			return []Chosen{
				{unregisterFamily.Cases(Params{GPs: []string{"kernelgp"}}), few},
				{stubbedFamily.Cases(Params{}), usual},
			}
		}},
		{"livepatch", "replacing functions while tasks call them", func(int) []Chosen {
			return []Chosen{
				{livepatchFamily.Cases(Params{}), usual},
				{transitionFamily.Cases(Params{Readers: []int{1}}), few},
			}
		}},
		{"uprobe", "hitting, registering and unregistering uprobes", func(int) []Chosen {
			cpus := Params{CPUs: doubling(runtime.NumCPU())}
			sameKey := func(c Case) bool { return strings.Contains(c.Names[0], "/keys=same/") }
			return []Chosen{
				{keep(uprobeHitFamily.Cases(cpus), sameKey), enough},
				{without(uprobeHitFamily.Cases(cpus), sameKey), costly},
				{uprobeRegisterFamily.Cases(Params{}), few},
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
	n := []int{events}
	kernel := Params{GPs: []string{"kernelgp"}, Events: n}
	memb := Params{GPs: []string{"memb"}, Events: n, Readers: []int{1}}
	return []Chosen{
		{dispatchFamily.Cases(Params{}), usual}, // once at each alignment, on which its intervals rest

		// The kernel's own grace period, the other core idle; then an expedited
		// one beside a reader that fires all the time.
		{keep(bulkFamily.Cases(kernel), slow), costly},
		{without(bulkFamily.Cases(kernel), slow), thorough},
		{bulkFamily.Cases(memb), enough},
		{keep(bulkFamily.Cases(with(kernel, smaller(events))), slow), once},
		{without(bulkFamily.Cases(with(kernel, smaller(events))), slow), usual},
		{keep(gracePeriodFamily.Cases(Params{}), kernelGracePeriod), costly},

		// Their counts are exact.
		{churnFamily.Cases(kernel), few},
		{pingPongFamily.Cases(kernel), few},
		{shrinkFamily.Cases(kernel), few},
		{disturbFamily.Cases(Params{GPs: []string{"memb"}}), usual},

		{tortureFamily.Cases(Params{}), few},
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

// slow tells the cases that wait for a kernel grace period at every event.
func slow(c Case) bool {
	k, _ := bulkFamily.parse(c.Names[0])
	return k["impl"] == "naive-sync" && k["gp"] == "kernelgp"
}

// kernelGracePeriod tells the case that says how long one grace period of the kernel takes.
func kernelGracePeriod(c Case) bool {
	k, _ := gracePeriodFamily.parse(c.Names[0])
	return k["gp"] == "kernelgp" && k["readers"] == "0"
}

// pokeEvidence tells the cases that the chart of patching needs, and what the batch of
// int3s, which strategies use, costs beside a thread that is busy elsewhere.
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
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return !want(c) })
}

func without(cases []Case, drop func(Case) bool) []Case {
	return slices.DeleteFunc(slices.Clone(cases), drop)
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
			p.Cases = append(p.Cases, harness.Planned{Case: c.Case, Wanted: names, Rounds: ch.Rounds, Block: c.Block})
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
