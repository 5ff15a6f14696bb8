package results

import (
	"fmt"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
)

// The two strategies the verdict is about: the fix that waits at every
// transition, and its successor.
const (
	waits  = "naive-sync"
	elides = "rcu-cond-sync"
)

// Verdict says in one sentence what a run shows about waiting for a grace
// period at each transition: disabling all events by naive-sync and by rcu-cond-sync,
// under the same setting, at the largest number of events that both have, and with the
// kernel's grace period if both have it. It is a *MissingError if they have no setting in
// common.
func Verdict(run *Run, cat Catalog) (string, error) {
	naive, cond, err := shared(run, cat)
	if err != nil {
		return "", err
	}
	s := &naive[0]
	var b strings.Builder
	fmt.Fprintf(&b, "Disabling %s events took %s and %s: ", thousands(s.Key("events")), took(naive), took(cond))

	slow, fast := naive.Pairs("sec/op"), cond.Pairs("sec/op")
	word := "less"
	r, err := stat.PairedRatio(slow, fast)
	switch {
	case err != nil: // one common round
		center := median(naive, "sec/op") / median(cond, "sec/op")
		if center < 1 {
			center, word = 1/center, "more"
		}
		fmt.Fprintf(&b, "%s %s (one round, so no interval)", ratio(center), word)
	default:
		if r.Center < 1 {
			r.Center, r.Lo, r.Hi, word = 1/r.Center, 1/r.Hi, 1/r.Lo, "more"
		}
		if r.Lo <= 1 {
			word += ", and as well none at all: the interval holds 1"
		}
		doubts := ""
		for _, w := range r.Warnings {
			doubts += "; " + w.Error()
		}
		fmt.Fprintf(&b, "%s [%s..%s, 95 %%, %d paired rounds%s] %s", ratio(r.Center), Factor(r.Lo), Factor(r.Hi), r.N, doubts, word)
	}

	if n := naive.Disturbed() + cond.Disturbed(); n > 0 {
		fmt.Fprintf(&b, " (%d of the %d samples were taken while a neighbour shared the core)", n, len(naive)+len(cond))
	}
	gp := s.Key("gp")
	if alone := run.GracePeriod(cat, gp, s.Key("readers")); len(alone) > 0 {
		fmt.Fprintf(&b, "; one grace period (%s) alone took %s", gp, Human(median(alone, "sec/op"), "sec/op"))
	} else {
		fmt.Fprintf(&b, "; how long one grace period takes was not measured (no %s/gp=%s)", cat.Name(GracePeriod), gp)
	}
	if host := run.Host(); host != "" {
		fmt.Fprintf(&b, " (%s)", host)
	}
	return b.String() + ".", nil
}

// GracePeriod returns the samples of a flavour's grace period alone, beside that many
// readers if it was measured so.
func (r *Run) GracePeriod(cat Catalog, gp, readers string) Samples {
	all := cat.Select(r.Samples, GracePeriod, "gp="+gp)
	if same := all.Select("", "readers="+readers); len(same) > 0 {
		all = same
	}
	alone, _ := all.OneSetting()
	return alone
}

// Host returns the facts of the machine in short: "AMD EPYC, Linux 6.18.44". Of the kernel
// it names the release, without when and how it was built. Of a run in virtual time it names the guest: no fact of the
// machine has a part in that.
func (r *Run) Host() string {
	if r.Get(TimeFact) == VirtualTime {
		if r.Get(GuestFact) == "" { // a chain has several
			return "virtual time"
		}
		return "virtual time, guest with Linux " + r.Get(GuestFact)
	}
	var facts []string
	if cpu := r.Get("cpu"); cpu != "" {
		facts = append(facts, cpu)
	}
	if release, _, _ := strings.Cut(strings.TrimPrefix(r.Get("kernel"), "Linux "), " "); release != "" {
		facts = append(facts, "Linux "+release)
	}
	return strings.Join(facts, ", ")
}

// shared returns the samples of both strategies under one setting.
func shared(run *Run, cat Catalog) (naive, cond Samples, err error) {
	both := cat.Select(run.Samples, Disable, "impl="+waits)
	for _, impl := range []string{waits, elides} {
		if len(cat.Select(run.Samples, Disable, "impl="+impl).Values("sec/op")) == 0 {
			return nil, nil, &MissingError{run.Path, cat.Name(Disable) + "/impl=" + impl + " in ns/op"}
		}
	}
	all := run.Samples.named()
	best := func(both Samples) {
		for _, events := range both.GroupBy("events") { // the largest last
			for _, g := range events.Samples.ByName() {
				if other := all[strings.Replace(g.Value, "impl="+waits, "impl="+elides, 1)]; other != nil {
					naive, cond = g.Samples, other
				}
			}
		}
	}
	best(both.Select("", "gp="+cat.KernelGP))
	if naive == nil {
		best(both)
	}
	if naive == nil {
		return nil, nil, &MissingError{run.Path, fmt.Sprintf("%s with the same events, gp and readers for both %s and %s", cat.Name(Disable), waits, elides)}
	}
	return naive, cond, nil
}

// took says how long a bulk change took and what it waited for.
func took(ss Samples) string {
	t := median(ss, "sec/op")
	text := fmt.Sprintf("%s with %s", Human(t, "sec/op"), ss[0].Key("impl"))
	gps := ss.Values("gp-waits/op")
	if len(gps) == 0 {
		return text + " (grace periods not counted)"
	}
	switch n := stat.Summarize(gps).Center; {
	case n == 1:
		return text + " (1 grace period waited)"
	case n > 1:
		return text + fmt.Sprintf(" (%s grace periods waited, %s each)", Human(n, "gp-waits/op"), Human(t/n, "sec/op"))
	default:
		return text + fmt.Sprintf(" (%s grace periods waited)", Human(n, "gp-waits/op"))
	}
}

func median(ss Samples, unit string) float64 { return ss.Summary(unit).Center }
