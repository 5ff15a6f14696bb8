package benches

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// A ledger is a Timer that adds up what the timed parts of an operation count. Its rate, if it
// has one, is the last.
type ledger struct {
	op            *harness.Op
	before, total []harness.Count
}

func (l *ledger) counts() (all []harness.Count) {
	if l.op.Counts != nil {
		all = l.op.Counts()
	}
	if l.op.Rate != nil {
		all = append(all, l.op.Rate())
	}
	return all
}

func (l *ledger) Start(int) { l.before = l.counts() }

func (l *ledger) Stop() {
	after := l.counts()
	if l.total == nil {
		l.total = make([]harness.Count, len(after))
	}
	for i, c := range after {
		l.total[i] = harness.Count{Unit: c.Unit, N: l.total[i].N + c.N - l.before[i].N}
	}
}

// A stopwatch is a ledger of one phase of an operation, which it times by package testing.
type stopwatch struct {
	ledger
	b       *testing.B
	phase   int
	running bool
}

func (s *stopwatch) Start(phase int) {
	if s.running = phase == s.phase; s.running {
		s.ledger.Start(phase)
		s.b.StartTimer()
	}
}

func (s *stopwatch) Stop() {
	if s.running {
		s.b.StopTimer()
		s.ledger.Stop()
	}
}

// BenchmarkCases runs every case, so that `go test -bench` and `tpbench run` measure the
// same. It pins no thread and does not interleave; for a number to rely on, use tpbench.
func BenchmarkCases(b *testing.B) {
	pattern := flag.Lookup("test.bench").Value.String()
	for _, bench := range Benchmarks() {
		if !strings.Contains(pattern, bench.Apart) {
			continue // it runs only where it is named: see Asked
		}
		for _, c := range bench.Cases(Params{Events: []int{100}}) {
			for phase, name := range c.Names {
				b.Run(name, func(b *testing.B) { runCase(b, &c, phase) })
			}
		}
	}
}

func runCase(b *testing.B, c *Case, phase int) {
	if err := c.Check(); err != nil {
		b.Skip(err)
	}
	b.StopTimer()
	op, err := c.Open(&harness.Env{})
	if err != nil {
		b.Fatal(err)
	}
	s := &stopwatch{ledger: ledger{op: op}, b: b, phase: phase}
	b.ResetTimer()
	unit := max(1, op.Unit)
	n := (b.N + unit - 1) / unit
	op.Run(n, s)
	if op.Values != nil {
		for _, v := range op.Values(phase) {
			b.ReportMetric(v.V, v.Unit)
		}
	}
	if op.Close != nil {
		op.Close()
	}
	for i, c := range s.total {
		if op.Rate != nil && i == len(s.total)-1 {
			b.ReportMetric(float64(c.N)/b.Elapsed().Seconds()/1e6, "M"+c.Unit+"/s")
		} else {
			b.ReportMetric(float64(c.N)/float64(n*unit), c.Unit+"/op")
		}
	}
	for _, d := range op.Divide {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*unit)/float64(d.N), "ns/"+d.Unit)
	}
}

// If this fails, a worker process, which gets a case by its name, measures another case.
func TestFindInvertsNames(t *testing.T) {
	n := 0
	endsLikeProcs := regexp.MustCompile(`-\d*$`)
	for _, b := range Benchmarks() {
		for _, c := range b.Cases(Params{}) {
			for _, name := range c.Names {
				n++
				found, err := Find(name)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(found.Names, c.Names) || found.CPUs != c.CPUs || found.Ops != c.Ops {
					t.Errorf("Find(%q) = %+v, expected %+v", name, found.Case, c.Case)
				}
				if endsLikeProcs.MatchString(name) {
					t.Errorf("benchmark format would take the end of %q for GOMAXPROCS", name)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d names", n)
	}
}

// If this fails, a name that is no case's is taken for one, or its error does not say which
// names are near.
func TestFindRefuses(t *testing.T) {
	for _, name := range []string{
		"",
		"Dispatch",
		"Dispatch/impl=static-call",
		"Dispatch/impl=static-call/probes=-1",
		"Dispatch/impl=static-call/probes=x",
		"Dispatch/impl=nothing/probes=1",
		"Dispatch/probes=1/impl=static-call",
		"DisableAll/impl=naive-sink/gp=memb/events=10/probes=1/readers=0",
		"Disturb/impl=none/gp=memb/events=10/readers=1",
		"Poke/impl=int3/sites=0/beside=idle",
		"Poke/impl=int3/sites=1/beside=bus",
		"Poke/impl=int3/sites=1/readers=0",
	} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), "nearest: ") {
			t.Errorf("Find(%q) = %v, expected an error that names others", name, err)
		}
	}
	if _, err := Find("Dispatch/impl=static-cal/probes=1"); !strings.Contains(err.Error(), "nearest: Dispatch/impl=static-call/probes=1") {
		t.Errorf("nearest first: %v", err)
	}
}

// If this fails, a busted implementation or flavour is measured without being named, or has
// other cases than a sound one of its family when it is named. The baseline alone is always
// measured.
func TestBustedOnlyWhereNamed(t *testing.T) {
	// cases counts the cases of an implementation or a flavour.
	cases := func(i Impl, p Params) (n int) {
		key := "impl"
		if i.Family == FlavourFamily {
			key = "gp"
		}
		for _, b := range Benchmarks() {
			for _, c := range b.Cases(p) {
				if c.keys[key] == i.Name {
					n++
					if _, err := Find(c.Names[0]); err != nil {
						t.Error(err)
					}
				}
			}
		}
		return n
	}
	named := func(i Impl) int {
		if i.Family == FlavourFamily {
			return cases(i, Params{GPs: []string{i.Name}})
		}
		return cases(i, Params{Impls: []string{i.Name}})
	}
	sound := map[string]Impl{} // the last of each family
	for _, i := range Impls() {
		if i.Status == impls.Sound {
			sound[i.Family] = i
		}
	}
	for _, i := range Impls() {
		usual, named, want := cases(i, Params{}), named(i), named(sound[i.Family])
		switch {
		case (usual > 0) != (i.Status == impls.Sound || i.Name == baseline):
			t.Errorf("%s %s: measured by default: %v", i.Family, i.Name, usual > 0)
		case i.Status == impls.Busted && (named != want || named == 0):
			t.Errorf("%s %s has %d cases where it is named, %s has %d", i.Family, i.Name, named, sound[i.Family].Name, want)
		}
	}
}

// If this fails, the evidence lacks a benchmark, or has a case twice; or its main part lacks
// what its sentence and its charts need, or has benchmarks of other families.
func TestEvidence(t *testing.T) {
	const events = 50
	var all []string
	for _, s := range Sections() {
		all = append(all, s.Name)
	}
	names := func(sections ...string) map[string]bool { // and of benchmarks
		chosen, err := Evidence(events, sections...)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, ch := range chosen {
			for _, c := range ch.Cases {
				for _, name := range c.Names {
					if seen[name] {
						t.Errorf("%s is chosen twice", name)
					}
					base, _, _ := strings.Cut(name, "/")
					seen[name], seen[base] = true, true
				}
			}
		}
		return seen
	}
	every := names(all...)
	for _, b := range Benchmarks() {
		for _, name := range b.Names {
			if every[name] != (b.Apart == "") {
				t.Errorf("%s is in the evidence: %v", name, every[name])
			}
		}
	}
	seen := names(MainSection)
	for _, impl := range strategies {
		for _, want := range []string{"/gp=kernelgp/events=50/probes=1/readers=0", "/gp=memb/events=50/probes=1/readers=1", "/gp=kernelgp/events=10/probes=1/readers=0"} {
			if name := "DisableAll/impl=" + impl + want; !seen[name] {
				t.Errorf("no %s in the evidence", name)
			}
		}
	}
	if !seen["GracePeriod/gp=kernelgp/readers=0"] || seen["Livepatch"] || seen["Poke"] {
		t.Errorf("the main part holds %v", slices.Sorted(maps.Keys(seen)))
	}
	patching := names("textpoke")
	for sites, want := range map[string]bool{"1": true, "64": true, "256": false, "4096": true} {
		if got := patching["Poke/impl=int3-batch/sites="+sites+"/beside=sites"]; got != want {
			t.Errorf("the evidence of patching has %s sites: %v", sites, got)
		}
	}
	if _, err := Evidence(events, "uprobs"); err == nil || !strings.Contains(err.Error(), "uprobe") {
		t.Errorf("an unknown part: %v", err)
	}
}

// If this fails, cases that are compared are not measured one after the other, or a block
// holds cases of two settings.
func TestBlocks(t *testing.T) {
	for _, b := range Benchmarks() {
		compared := map[string][]string{} // by block
		for _, c := range b.Cases(Params{}) {
			compared[c.Block] = append(compared[c.Block], c.Names[0])
		}
		for block, names := range compared {
			for _, name := range names {
				for _, part := range strings.Split(name, "/") {
					if key, _, _ := strings.Cut(part, "="); key == "impl" || key == "gp" && !strings.Contains(name, "/impl=") {
						continue
					}
					if !strings.Contains(block+"/", part+"/") {
						t.Errorf("%s is in block %s, which does not say %s", name, block, part)
					}
				}
			}
		}
		most := 0
		for _, names := range compared {
			most = max(most, len(names))
		}
		if most == 1 && b.Apart == "" && b.Names[0] != "Livepatch" && b.Names[0] != "LivepatchTransition" { // of which one variant is sound
			t.Errorf("%s: every block has one case: %v", b.Names, compared)
		}
	}
}

// If this fails, a loop that stands at several alignments is measured at one of them only.
func TestLayoutsAreUsed(t *testing.T) {
	const disabled = "Dispatch/impl=static-call/probes=0" // opening it turns no loop's key on
	stubbed := "StubbedDispatch/impl=" + leaveDead[0] + "/probes=1/dead=1"
	for _, name := range []string{disabled, "Dispatch/impl=static-call/probes=1", stubbed} {
		c := found(t, name)
		if c.Layouts != dispatch.Layouts {
			t.Fatalf("%s has %d layouts", name, c.Layouts)
		}
		for layout := range dispatch.Layouts {
			op, err := c.Open(&harness.Env{Layout: layout})
			must(err)
			for other := range dispatch.Layouts {
				_, disable := dispatch.KeyChanges([]*dispatch.Site{dispatch.Timed(other)})
				if on := disable[0].Site.Insn() != textpoke.Nop; on != (other == layout && name != disabled) {
					t.Errorf("%s at layout %d: the key of the loop at %d is on: %v", name, layout, other, on)
				}
			}
			op.Close()
			must(dispatch.Timed(layout).KeyDisable())
		}
	}
}

// If this fails, a plan has phases that are not wanted, or has a case that cannot run here,
// or returns an error because of a case that is not wanted.
func TestPlan(t *testing.T) {
	chosen := []Chosen{{bulkBench.Cases(Params{Impls: strategies[:1], GPs: []string{"memb"}}), 3}}
	for i := range chosen[0].Cases {
		chosen[0].Cases[i].Check = func() error { return nil } // wherever this runs
	}
	onlyEnable := func(name string) bool { return strings.HasPrefix(name, "EnableAll") }
	p, err := Plan(chosen, onlyEnable, []int{0}, 1)
	if err != nil || len(p.Cases) != 1 || p.Samples() != 3 || len(p.Cases[0].Wanted) != 1 {
		t.Errorf("Plan = %+v, %v", p, err)
	}
	// A case that cannot run is no error if it is not wanted.
	other := Case{Case: harness.Case{Names: []string{"Other"}}, Check: func() error { return errors.New("not here") }}
	if p, err := Plan(append(chosen, Chosen{[]Case{other}, 1}), onlyEnable, []int{0}, 1); err != nil || len(p.Cases) != 1 {
		t.Errorf("beside what cannot run: %+v, %v", p, err)
	}
	if _, err := Plan([]Chosen{{[]Case{other}, 1}}, func(string) bool { return true }, []int{0}, 1); err == nil {
		t.Error("a plan of what cannot run")
	}
	if _, err := Plan(chosen, onlyEnable, nil, 1); err == nil {
		t.Error("a plan without CPUs")
	}
}

// If this fails, Dispatch with a strategy's name measures nothing, or not the way in which
// that strategy's sites dispatch.
func TestDispatchOfNamedStrategies(t *testing.T) {
	var names []string
	for _, c := range dispatchBench.Cases(Params{Impls: []string{"naive-sync", "rcu-cond-sync"}}) {
		names = append(names, c.Names...)
	}
	want := []string{"Dispatch/impl=static-call/probes=0", "Dispatch/impl=static-call/probes=1", "Dispatch/impl=static-call/probes=2", "Dispatch/impl=static-call/probes=4", "Dispatch/impl=static-call/probes=8"}
	if !slices.Equal(names, want) {
		t.Errorf("cases %q, expected %q", names, want)
	}
}

// found returns the case of that name. If it cannot run here, the test is skipped.
func found(t *testing.T, name string) Case {
	t.Helper()
	c, err := Find(name)
	must(err)
	if err := c.Check(); err != nil {
		t.Skip(err)
	}
	return c
}

func opened(t *testing.T, name string) *harness.Op {
	t.Helper()
	c := found(t, name)
	op, err := c.Open(&harness.Env{})
	must(err)
	return op
}

// vetCounts: each operation of the case counts want, however many make a sample. If summed,
// the first count is of waits and elisions together: the engine may have saved a wait.
func vetCounts(t *testing.T, name string, summed bool, want []uint64, samples ...int) {
	t.Helper()
	op := opened(t, name)
	defer op.Close()
	for _, n := range samples {
		l := &ledger{op: op}
		op.Run(n, l)
		var got, times []uint64
		for _, c := range l.total {
			got = append(got, c.N)
		}
		if summed {
			got = append([]uint64{got[0] + got[1]}, got[2:]...)
		}
		for _, w := range want {
			times = append(times, uint64(n)*w)
		}
		if !slices.Equal(got, times) {
			t.Errorf("%s, %d operations count %v, expected %v", name, n, got, times)
		}
	}
}

// If this fails, Churn enables an event of which a reader may still hold data, or its counts
// depend on how many operations make a sample, or on how many there were before.
func TestChurnCounts(t *testing.T) {
	for impl, want := range map[string][]uint64{ // waits, elisions and core syncs
		"direct-static-call": {0, 0, 6},
		"naive-sync":         {1, 0, 12},
		"rcu-cond-sync":      {1, 12},
		"tp-cond-sync":       {0, 1, 12},
		"batched":            {0, 1, 6},
		"bound":              {0, 0, 9},
	} {
		vetCounts(t, "Churn/impl="+impl+"/gp=memb/readers=0", len(want) == 2, want, 1, 2, 5, 3, 6, 7, 11, 4, 23)
	}
}

// If this fails, PingPong or Shrink makes another transition than its name says: another one
// waits otherwise.
func TestTransitionCounts(t *testing.T) {
	for impl, want := range map[string][3][]uint64{ // waits or elisions, and core syncs: of PingPong, and of Shrink's first and last
		"indirect-iterator":  {{0, 6}, {0, 0}, {0, 0}},
		"direct-static-call": {{0, 6}, {0, 3}, {0, 3}},
		"naive-sync":         {{1, 12}, {1, 3}, {1, 3}},
		"rcu-cond-sync":      {{1, 12}, {1, 3}, {0, 3}},
		"tp-cond-sync":       {{1, 12}, {1, 3}, {0, 3}},
		"batched":            {{1, 6}, {1, 3}, {0, 3}},
		"bound":              {{0, 9}, {0, 3}, {0, 3}},
	} {
		for i, name := range []string{"PingPong/impl=%s/gp=memb/readers=0", "Shrink/impl=%s/gp=memb/removed=first/readers=0", "Shrink/impl=%s/gp=memb/removed=last/readers=0"} {
			vetCounts(t, fmt.Sprintf(name, impl), true, want[i], 1, 2, 5)
		}
	}
}

// If this fails, a transition of a patch is not the one that its name says, or is not made
// on another patch; or unregistering a batch of uprobes does not wait once for all.
func TestNeighboursCount(t *testing.T) {
	for change, want := range map[string][]uint64{ // waits, ftrace's, and core syncs
		"patch/stack=0": {1, 0, 3}, "unpatch/stack=0": {1, 1, 3}, "reverse/stack=0": {2, 1, 3},
		"patch/stack=1": {1, 0, 0}, "unpatch/stack=1": {1, 0, 0}, "reverse/stack=1": {2, 0, 0},
	} {
		vetCounts(t, "LivepatchTransition/impl=rude/change="+change+"/tasks=16/readers=0", false, want, 1, 3)
	}
	vetCounts(t, "UprobeRegister/impl=srcu/batch=10", false, []uint64{1}, 1, 3)
}

// If this fails, what failing removals leave is not what is reported.
func TestBytesHeld(t *testing.T) {
	var held []float64
	for _, fail := range []string{"none", "some", "all"} {
		op := opened(t, "Unregister/impl=stub/gp=memb/fail="+fail+"/probes=8/readers=0")
		op.Run(2, &bracket{t: t, times: make([]int, 2)})
		v := op.Values(0)
		held = append(held, v[0].V)
		if v[1].V != 9*16 { // what nine probes take: that registration uses the space of the dead entries
			t.Errorf("%s fail: %v after the next registration", fail, v)
		}
		op.Close()
	}
	if !(0 < held[0] && held[0] < held[1] && held[1] < held[2]) {
		t.Errorf("%v bytes are held, as more allocations fail", held)
	}
}

// If this fails, Disturb's updater does nothing, or the control has one, or the percentiles
// are not reported in order.
func TestDisturbs(t *testing.T) {
	for impl, switches := range map[string]bool{Undisturbed: false, "naive-sync": true} {
		syncs := textpoke.Totals().Syncs
		op := opened(t, "Disturb/impl="+impl+"/gp=memb/events=64/readers=1")
		if !switches { // what opening does is no disturbance; with a strategy, one event has been switched by then
			syncs = textpoke.Totals().Syncs
		}
		op.Run(1, nil)
		if now := textpoke.Totals().Syncs; (now > syncs) != switches {
			t.Errorf("Disturb by %s: %d core syncs", impl, now-syncs)
		}
		if v := op.Values(0); v[0].V <= 0 || !slices.IsSortedFunc(v, func(a, b harness.Value) int { return cmp.Compare(a.V, b.V) }) {
			t.Errorf("Disturb by %s: %v", impl, v)
		}
		op.Close()
	}
}

// If this fails, a thread beside does not execute its sites: the cost of a change beside a
// reader is measured without one.
func TestThreadsBesideFire(t *testing.T) {
	const events = 3
	k := keys{"impl": "bound", "gp": "memb", "readers": "0"}
	if err := checkStrategy(k); err != nil {
		t.Skip(err)
	}
	b, err := newSetup(k, &harness.Env{}, events)
	must(err)
	defer b.close()
	var fired [events]uint64
	for i, tp := range b.events {
		must(b.registry.Register(tp, dispatch.Probe{Fn: dispatch.Count(), Data: unsafe.Pointer(&fired[i])}))
	}
	expect := func(thread string, least, most uint64) {
		t.Helper()
		for i, n := range fired {
			if n < least || n > most {
				t.Errorf("%s executed site %d of %d %d times, want %d..%d", thread, i, events, n, least, most)
			}
		}
		fired = [events]uint64{}
	}
	pass, end, err := b.reader()
	must(err)
	pass()
	end()
	expect("a reader", 256/events, 256/events)

	sites, err := dispatch.Events(events)
	must(err)
	s := &timedReader{domain: b.domain, sites: sites}
	must(s.start(func(open func() (pass, end func(), err error)) error {
		pass, end, err := open()
		must(err)
		pass()
		end()
		return nil
	}))
	expect("a timed reader", 16*disturbSites/events, 16*disturbSites/events+1)
	if n := s.latency.TotalCount(); n != 16 {
		t.Errorf("a timed reader timed %d of 16 sweeps", n)
	}
}

// If this fails, the time of one pass is that of several, or a part of one.
func TestDispatchUnit(t *testing.T) {
	op := opened(t, "Dispatch/impl=indirect-iterator/probes=1")
	site := dispatch.Timed(0)
	var passes uint64
	site.Publish([]dispatch.Entry{{Fn: uintptr(dispatch.Count()), Data: unsafe.Pointer(&passes)}, {}})
	op.Run(7, &bracket{t: t, times: make([]int, 1)})
	must(site.KeyDisable())
	op.Close()
	if passes != 7*uint64(op.Unit) {
		t.Errorf("%d passes are reported as 7 times %d", passes, op.Unit)
	}
}

// If this fails, the tortures of all rounds draw the same transitions.
func TestTortureSeeds(t *testing.T) {
	seen := map[uint64]bool{}
	const rounds = 10
	for round := range rounds {
		seen[tortureOptions(&harness.Env{Round: round}).Seed] = true
	}
	if len(seen) != rounds {
		t.Errorf("%d seeds in %d rounds", len(seen), rounds)
	}
}

// If this fails, the rate of hits is that of one thread.
func TestUprobeRatesAll(t *testing.T) {
	const pass = 16 * uprobeHits
	for cpus, want := range map[string]uint64{"same/cpus=1": 0, "different/cpus=2": pass, "different/cpus=3": 2 * pass} {
		op := opened(t, "UprobeHit/impl=srcu/keys="+cpus)
		before := op.Rate() // each has made one pass
		op.Close()
		if before.N < want || want == 0 && before.N != 0 {
			t.Errorf("keys=%s: the threads beside have hit %d times, want %d at least", cpus, before.N, want)
		}
	}
}

// If this fails, a case whose name promises another thread measures without it, or a case
// without one starts one.
func TestCasesStartTheirThreads(t *testing.T) {
	for name, alone := range map[string]bool{
		"DisableAll/impl=bound/gp=memb/events=5/probes=1/readers=1":            false,
		"PingPong/impl=bound/gp=memb/readers=1":                                false,
		"Disturb/impl=bound/gp=memb/events=64/readers=1":                       false,
		"Disturb/impl=none/gp=memb/events=64/readers=1":                        true,
		"Unregister/impl=stub/gp=memb/fail=none/probes=4/readers=1":            false,
		"GracePeriod/gp=memb/readers=0":                                        true,
		"GracePeriod/gp=memb/readers=1":                                        false,
		"Poke/impl=int3/sites=1/beside=idle":                                   true,
		"Poke/impl=int3/sites=1/beside=busy":                                   false,
		"Poke/impl=int3/sites=1/beside=sites":                                  false,
		"LivepatchTransition/impl=rude/change=patch/stack=0/tasks=1/readers=1": false,
		"UprobeHit/impl=srcu/keys=same/cpus=1":                                 true,
		"UprobeHit/impl=srcu/keys=same/cpus=2":                                 false,
	} {
		// There is no CPU for another thread.
		op, err := found(t, name).Open(&harness.Env{Pinned: true})
		if (err == nil) != alone {
			t.Errorf("%s starts no thread: %v (%v)", name, !alone, err)
		}
		if err == nil {
			op.Close()
		}
	}
}

// If this fails, a strategy that broke under torture is reported to have held, a site has
// another number of probes than its case's name, or the clock's overhead is in a pass.
func TestWhatIsReported(t *testing.T) {
	for failure, want := range map[string]string{"": "[{executions/op 7} {transitions/op 9} {mistakes/op 0}]", "it broke": "[{executions/op 7} {transitions/op 9} {mistakes/op 1}]"} {
		if got := fmt.Sprint(tortureValues(torture.Report{Tally: torture.Tally{Executions: 7, Transitions: 9}, Failure: failure})); got != want {
			t.Errorf("failure %q is reported as %s", failure, got)
		}
	}
	for n := range 10 {
		funcs := nops(n)
		for i, f := range funcs {
			if (f.Fn == uintptr(dispatch.Nop())) != (i < n) || len(funcs) != n+1 {
				t.Errorf("%d probes are %v", n, funcs)
			}
		}
	}
	c := new(clock.Clock)
	must(c.UnmarshalText([]byte("tsc/1 hz=2e+09 hz-err=0 step-ns=10 pair-ns=25 pair-p10=0 pair-p90=1000")))
	for ticks, want := range map[uint64]int64{1000: 475, 50: 1, 10: 1, 0: 1} {
		if got := lasted(c, ticks); got != want {
			t.Errorf("%d ticks of half a ns lasted %d ns, want %d", ticks, got, want)
		}
	}
}

// called counts the calls of counted.
var called int

func counted(unsafe.Pointer, uint64, uint64) { called++ }

// If this fails, Livepatch calls another function of the stack than its name says: the
// patch's before it is complete, or the old one after it.
func TestLivepatchCallsWhatItSays(t *testing.T) {
	found(t, "Livepatch/impl=rude/stack=0/transition=no")
	functions, err := livepatch.Functions()
	must(err)
	body, err := dispatch.GoFunc(counted)
	must(err)
	for _, tc := range []struct {
		stack, transition string
		old               int // calls of the old function, of 3
	}{{"0", "no", 3}, {"1", "no", 0}, {"1", "yes", 3}, {"2", "no", 0}, {"2", "yes", 0}} {
		functions[0].SetBody(body)
		op := opened(t, "Livepatch/impl=rude/stack="+tc.stack+"/transition="+tc.transition)
		called = 0
		op.Run(3, &bracket{t: t, times: make([]int, 1)})
		if called != tc.old {
			t.Errorf("%s patches, transition %s: the old function was called %d times of 3, want %d", tc.stack, tc.transition, called, tc.old)
		}
		op.Close()
		functions[0].SetBody(dispatch.Nop())
	}
}

// If this fails, the scaling of hits leaves out the number of CPUs that the machine has.
func TestDoubling(t *testing.T) {
	for cpus, want := range map[int][]int{1: {1, 2}, 2: {1, 2}, 3: {1, 2, 3}, 4: {1, 2, 4}, 6: {1, 2, 4, 6}, 16: {1, 2, 4, 8, 16}} {
		if got := doubling(cpus); !slices.Equal(got, want) {
			t.Errorf("doubling(%d) = %v, want %v", cpus, got, want)
		}
	}
}

// A bracket is a Timer that notes how it is used.
type bracket struct {
	t       *testing.T
	name    string
	running bool
	times   []int // by phase
}

func (b *bracket) Start(phase int) {
	if b.running || phase >= len(b.times) {
		b.t.Fatalf("%s starts phase %d of %d, while one runs: %v", b.name, phase, len(b.times), b.running)
	}
	b.running = true
	b.times[phase]++
}

func (b *bracket) Stop() {
	if !b.running {
		b.t.Fatalf("%s stops what does not run", b.name)
	}
	b.running = false
}

// If this fails, an operation times nothing, or not all of its phases, or does not stop
// between them; or it cannot be repeated; or it reports a unit that Units does not list.
func TestOperationsTimeTheirPhases(t *testing.T) {
	known := map[string]bool{}
	for _, u := range Units() {
		known[u.Name] = true
	}
	// These two measure by themselves, and time nothing by the Timer.
	untimed := []*Benchmark{&disturbBench, &tortureBench}
	for _, b := range Benchmarks() {
		seen := map[string]bool{} // all but the numbers of a name
		for _, c := range b.Cases(Params{Events: []int{disturbSites}, GPs: []string{"memb"}}) {
			kind := regexp.MustCompile(`=\d+`).ReplaceAllString(c.Names[0], "")
			if c.Check() != nil || seen[kind] || slices.Contains(untimed, b) && len(seen) > 0 || testing.Short() && b.Apart != "" {
				continue
			}
			seen[kind] = true
			op, err := c.Open(&harness.Env{})
			if err != nil {
				t.Fatalf("%s: %v", c.Names[0], err)
			}
			times := []int{1, 3}
			if slices.Contains(untimed, b) { // one run takes 0.1 to 0.5 s
				times = []int{1}
			}
			for _, n := range times {
				timer := &bracket{t: t, name: c.Names[0], times: make([]int, len(c.Names))}
				op.Run(n, timer)
				least, most := slices.Min(timer.times), slices.Max(timer.times)
				if timer.running || least != most || (least == 0) != slices.Contains(untimed, b) {
					t.Errorf("%s: %d operations are timed %v times, still running: %v", c.Names[0], n, timer.times, timer.running)
				}
			}
			var units []string
			if op.Counts != nil {
				for _, count := range op.Counts() {
					units = append(units, count.Unit+"/op")
				}
			}
			for _, d := range op.Divide {
				units = append(units, "ns/"+d.Unit)
			}
			if op.Values != nil {
				for phase := range c.Names {
					for _, v := range op.Values(phase) {
						units = append(units, v.Unit)
					}
				}
			}
			for _, u := range units {
				if !known[u] {
					t.Errorf("%s reports %s, which Units does not list", c.Names[0], u)
				}
			}
			if op.Close != nil {
				op.Close()
			}
		}
	}
}

// If this fails, a sample is made of an operation that failed.
func TestMust(t *testing.T) {
	must(nil)
	defer func() {
		if recover() == nil {
			t.Error("an operation that failed goes on")
		}
	}()
	must(errors.New("it failed"))
}

// If this fails, a case gets fewer CPUs than it has threads, or a worker that waits for
// thousands of grace periods is killed as one that hangs.
func TestResourcesByName(t *testing.T) {
	for name, want := range map[string]harness.Case{
		"Dispatch/impl=static-call/probes=1":                                    {CPUs: 1, Layouts: dispatch.Layouts},
		"DisableAll/impl=naive-sync/gp=kernelgp/events=2305/probes=1/readers=3": {CPUs: 4, Ops: 1, Slow: 2305 * slowestGracePeriod},
		"Poke/impl=int3/sites=1/beside=idle":                                    {CPUs: 1},
		"Poke/impl=int3/sites=1/beside=busy":                                    {CPUs: 2},
		"Poke/impl=int3/sites=1/beside=sites":                                   {CPUs: 2},
		"Poke/impl=stop-readers/sites=1/beside=sites":                           {CPUs: 2, Ops: slowPatches},
		"UprobeHit/impl=srcu/keys=same/cpus=5":                                  {CPUs: 5},
		"LivepatchTransition/impl=rude/change=patch/stack=0/tasks=1/readers=1":  {CPUs: 2, Ops: transitionsPerSample},
		"GracePeriod/gp=kernelgp/readers=1":                                     {CPUs: 2, Ops: 20},
		"GracePeriod/gp=memb/readers=0":                                         {CPUs: 1},
	} {
		c, err := Find(name)
		if err != nil {
			t.Error(err)
		} else if c.CPUs != want.CPUs || c.Layouts != want.Layouts || c.Ops != want.Ops || c.Slow != want.Slow {
			t.Errorf("%s: %d CPUs, %d layouts, %d operations, %v; want %+v", name, c.CPUs, c.Layouts, c.Ops, c.Slow, want)
		}
	}
}

// If this fails, DisableAll's bulk change counts other waits or core syncs than the same
// removals one by one. A strategy that takes its events together has fewer core syncs.
func TestBulkCountsAsOneByOne(t *testing.T) {
	const events = 40
	for _, impl := range strategies {
		t.Run(impl, func(t *testing.T) {
			k := keys{"impl": impl, "gp": "memb", "readers": "0"}
			if err := checkStrategy(k); err != nil {
				t.Skip(err)
			}
			b, err := newSetup(k, &harness.Env{}, events)
			must(err)
			defer b.close()
			off := b.requests(true)
			var totals [2][]harness.Count
			for i, disable := range []func() error{
				func() error { return b.registry.Bulk(off) },
				func() error {
					for _, tp := range b.events {
						if err := b.unregister(tp, 0); err != nil {
							return err
						}
					}
					return nil
				},
			} {
				for _, tp := range b.events {
					must(b.register(tp, 0, 0))
				}
				b.domain.Barrier()
				l := &ledger{op: &harness.Op{Counts: b.counts}}
				l.Start(0)
				must(disable())
				l.Stop()
				b.domain.Barrier()
				totals[i] = l.total
			}
			if find(tracepoint.Variants(), impl).New.Together {
				totals[0][2].N *= events // three core syncs for all, not for each
			}
			if !slices.Equal(totals[0], totals[1]) {
				t.Errorf("in bulk %v, one by one %v", totals[0], totals[1])
			}
		})
	}
}

// If this fails, the chart of the trade-off has no time of firing for a strategy.
func TestDispatchOf(t *testing.T) {
	for impl, want := range map[string]string{
		"indirect-iterator": "indirect-iterator", "naive-sync": "static-call", "rcu-cond-sync": "static-call", "nonsense": "",
	} {
		if got := DispatchOf(impl); got != want {
			t.Errorf("DispatchOf(%s) = %q, expected %q", impl, got, want)
		}
	}
}

// If this fails, the evidence measures a strategy that waits at every event, or a patcher
// that interrupts all CPUs for every site, as often as the fast ones, which takes half an
// hour; or it measures fast ones too seldom.
func TestSlowOnesAreFound(t *testing.T) {
	if err := checkStrategy(keys{"impl": "naive-sync", "gp": expedited}); err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]bool{"naive-sync": true, "rcu-cond-sync": false, "batched": false, "bound": false} {
		if got := waitsAtEveryEvent(name); got != want {
			t.Errorf("%s waits at every event: %v, want %v", name, got, want)
		}
	}
	chosen, err := Evidence(50, MainSection)
	must(err)
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			want := map[string]int{"naive-sync": costly, "rcu-cond-sync": thorough}[c.keys["impl"]]
			if c.Benchmark == &bulkBench && want > 0 && c.keys["gp"] == KernelGP && c.keys["events"] == "50" && ch.Rounds != want {
				t.Errorf("%s: %d rounds, want %d", c.Names[0], ch.Rounds, want)
			}
		}
	}
	for name, want := range map[string]bool{"int3": true, strategiesPatcher: false} {
		if got := syncsAtEverySite(name); got != want {
			t.Errorf("%s interrupts all CPUs for every site: %v, want %v", name, got, want)
		}
	}
}

// If this fails, a guest measures what its CPUs, which run in turns and have no caches, cannot say, or leaves out what
// they can.
func TestInGuest(t *testing.T) {
	var chosen []Chosen
	for _, b := range Benchmarks() {
		chosen = append(chosen, Chosen{b.Cases(Params{}), 3})
	}
	can, left := InGuest(chosen)
	if want := strings.Fields("Dispatch Disturb StubbedDispatch Torture ReadSide Poke/beside=busy Poke/beside=sites Livepatch UprobeHit"); !slices.Equal(left, want) {
		t.Errorf("left out: %q, want %q", left, want)
	}
	cases := map[string]int{}
	for _, ch := range can {
		for _, c := range ch.Cases {
			cases[c.Benchmark.Names[0]]++
			if strings.Contains(c.Names[0], "/beside=busy") || strings.Contains(c.Names[0], "/beside=sites") {
				t.Errorf("%s is measured in a guest", c.Names[0])
			}
		}
		if ch.Rounds != 3 {
			t.Errorf("%s has %d rounds", ch.Cases[0].Names[0], ch.Rounds)
		}
	}
	if poke := len(pokeBench.Cases(Params{})); cases["Poke"]*3 != poke || cases["DisableAll"] == 0 || cases["KernelPatch"] != 2 {
		t.Errorf("of %d cases of Poke %d are left, and in all %v", poke, cases["Poke"], cases)
	}
}
