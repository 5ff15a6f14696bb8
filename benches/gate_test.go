package benches

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// mostGateLines is what the number of blocks of a gate is computed for.
const mostGateLines = 40

// If this fails, the gate family has a name that is no case's, has a case twice, or gives none of
// its choices a reason.
func TestGateNames(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range gate {
		if g.why == "" || len(g.names) == 0 {
			t.Errorf("%q: %d names; each group has a reason and a name", g.why, len(g.names))
		}
		for _, name := range g.names {
			c, err := Find(name)
			if err != nil {
				t.Errorf("the gate family names a case that does not exist: %v", err)
				continue
			}
			if name != c.Names[0] {
				t.Errorf("%s: name the case by its first phase, %s", name, c.Names[0])
			}
			if seen[c.Names[0]] {
				t.Errorf("%s is there twice", name)
			}
			seen[c.Names[0]] = true
		}
	}
}

// If this fails, the gate family is not what Gate's and gate's comments promise: it has too many
// lines for its blocks, a kind of benchmark is not in it, or one of its cases is wrong on
// purpose, slow, without a time, or needs a second CPU.
func TestGateFamily(t *testing.T) {
	var lines int
	roles := map[string]bool{"reader-latency": true, "torture": true} // they time no operation
	busted := map[string]bool{}
	for _, i := range Impls() {
		busted[i.Name] = busted[i.Name] || i.Status == impls.Busted
	}
	for _, c := range Gate() {
		lines += len(c.Names)
		for phase, name := range c.Names {
			if phase < len(c.Benchmark.Roles) {
				role := c.Benchmark.Roles[phase]
				if role == "reader-latency" || role == "torture" {
					t.Errorf("%s has no ns/op", name)
				}
				roles[role] = true
			}
		}
		if busted[c.keys["impl"]] || busted[c.keys["gp"]] {
			t.Errorf("%s is busted", c.Names[0])
		}
		if gp, ok := c.keys["gp"]; ok && find(rcu.Variants(), gp).Slow {
			t.Errorf("%s: the flavour is slow, so its times come in ticks", c.Names[0])
		}
		if _, floor := floorOf(c.keys["impl"]); floor && c.Benchmark == &dispatchBench {
			t.Errorf("%s is a floor", c.Names[0])
		}
		if c.CPUs != 1 {
			t.Errorf("%s needs %d CPUs", c.Names[0], c.CPUs)
		}
	}
	if lines > mostGateLines {
		t.Errorf("%d lines, more than %d: the number of blocks does not suffice", lines, mostGateLines)
	}
	for _, b := range Benchmarks() {
		for _, role := range b.Roles {
			if !roles[role] && b.Apart == "" {
				t.Errorf("the gate family has no line of %s, whose role is %s", b.Names[0], role)
			}
		}
	}
	t.Logf("%d lines of %d cases", lines, len(Gate()))
}

// If this fails, a line of the gate family has no time, or has counts that depend on how many
// operations the harness puts into a batch, so that a count would differ between two samples
// of one binary.
func TestGateCounts(t *testing.T) {
	for _, c := range Gate() {
		t.Run(c.Names[0], func(t *testing.T) {
			if err := c.Check(); err != nil {
				t.Skip(err)
			}
			op, err := c.Open(&harness.Env{})
			if err != nil {
				t.Fatal(err)
			}
			defer op.Close()
			var first []uint64
			for _, n := range []int{1, 2, 5, 3} {
				l := &phases{ledger: ledger{op: op}, timed: make([]int, len(c.Names))}
				op.Run(n, l)
				for phase, times := range l.timed {
					if times == 0 {
						t.Errorf("%s times nothing", c.Names[phase])
					}
				}
				per := perOperation(l.total, n)
				if first == nil {
					first = per
				}
				if !slices.Equal(per, first) {
					t.Errorf("%d operations count %v each, and one %v, of %v", n, per, first, l.total)
				}
			}
		})
	}
}

// phases is a ledger that counts how often each phase was timed.
type phases struct {
	ledger
	timed []int
}

func (p *phases) Start(phase int) {
	p.timed[phase]++
	p.ledger.Start(phase)
}

// perOperation returns counts of n operations in thousandths of one. Waits and elisions are one
// number: whether a grace period has passed already depends on other threads. Traps, holds and
// hits depend on them, too, and are left out.
func perOperation(total []harness.Count, n int) []uint64 {
	sum := map[string]uint64{}
	for _, c := range total {
		switch {
		case strings.HasPrefix(c.Unit, "gp-"):
			sum["gp"] += c.N
		case !slices.Contains([]string{"traps", "holds", "hits"}, c.Unit):
			sum[c.Unit] += c.N
		}
	}
	var per []uint64
	for _, unit := range slices.Sorted(maps.Keys(sum)) {
		per = append(per, 1000*sum[unit]/uint64(n))
	}
	return per
}
