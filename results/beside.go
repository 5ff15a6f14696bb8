package results

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
)

// A cost is what one operation takes, or one event of a bulk change, and what it consists of, in seconds.
type cost struct {
	total, waits, patching float64
	gpWaits, syncs         float64 // counts; NaN if the file has none
}

// rest is what neither waits nor patches: the work itself.
func (c cost) rest() float64 { return c.total - c.waits - c.patching }

// prices are what one wait and one sync of all cores take in a run, in seconds; NaN if it was not measured.
type prices struct{ wait, sync float64 }

// BesideKernel returns a table of operations on a kernel, and beside each the same operation of the model in a guest
// with that kernel, for each strategy. A catalog's benchmark is such an operation if it names its model.
//
// The kernel's run may have several releases. Then the samples are taken whose arm is the release of the model's guest.
// Times are means, since waits come in ticks. A time is split by what the file itself says:
//
//   - waits: gp-waits/op times the mean of one grace period, which the same run measured. Other kinds of grace period
//     take another time.
//   - patching: core-syncs/op times what a sync takes at most, by the benchmark that patches sites. That is an upper end, so
//     the rest may be below 0. Where the run has no such benchmark, patching is a part of the rest.
//   - the rest.
func BesideKernel(kernel, model *Run, cat Catalog) (*Table, error) {
	if a := kernel.Get(TimeFact); a != model.Get(TimeFact) {
		return nil, &MissingError{model.Path, cmp.Or(a, "the host's") + " time, which " + kernel.Path + " has"}
	}
	there, err := ofGuest(kernel, model.Get(GuestFact))
	if err != nil {
		return nil, err
	}
	t := &Table{
		Title:   "Model beside kernel",
		Columns: []string{"kernel", "each", "takes", "waits", "patching", "rest", "model", "takes", "waits", "patching", "rest", "kernel to model"},
		Notes: []string{
			"means; (n): how many waits for a grace period, or syncs of all cores; waits are so many grace periods as the same file has measured",
			"!: more than 2x apart, most of it by what stands behind",
		},
	}
	if time := cmp.Or(model.Get(GuestFact), model.Get("kernel")); time != "" {
		t.Title += ", Linux " + time
	}
	if model.Get(TimeFact) != "" {
		t.Title += ", in " + model.Get(TimeFact) + " time"
	}
	priced := append(cat.Names(GracePeriod), cat.Names(Patching)...)
	kernelPrices := prices{stat.Mean(cat.onKernel(there, GracePeriod).Values("sec/op")), syncPrice(cat.onKernel(there, Patching))}
	modelSync := syncPrice(cat.Select(model.Samples, Patching))
	for _, b := range cat.Benchmarks {
		if b.Model == "" || slices.Contains(priced, b.Model) {
			continue
		}
		same, _ := cat.Shown(model.Samples, b.Model).OneSetting("impl", "gp", "events")
		same, _ = same.AtLargest("events")
		for _, g := range cat.Shown(there, b.Name).ByName() {
			k := costOf(g.Samples, kernelPrices)
			for _, s := range same.ByName() {
				s := s.Samples
				m := costOf(s, prices{stat.Mean(model.GracePeriod(cat, s[0].Key("gp"), s[0].Key("readers")).Values("sec/op")), modelSync})
				row := []string{g.Samples[0].Except("arm"), each(s)}
				row = append(append(row, k.cells()...), s[0].Name)
				t.Rows = append(t.Rows, append(append(row, m.cells()...), k.to(m)))
			}
		}
	}
	if len(t.Rows) == 0 {
		return nil, &MissingError{model.Path, "an operation that " + kernel.Path + " has, too, by the catalog"}
	}
	if slices.ContainsFunc(t.Rows, func(row []string) bool { return strings.Contains(row[3]+row[4]+row[8]+row[9], "?") }) {
		t.Notes = append(t.Notes, "?: the file does not say what one takes, so it is a part of the rest")
	}
	t.DropEmpty()
	return t, nil
}

// ofGuest returns the samples of a run of kernels whose arm is a release, or all if no sample has an arm.
func ofGuest(run *Run, release string) (Samples, error) {
	if !slices.ContainsFunc(run.Samples, func(s Sample) bool { return s.Key("arm") != "" }) {
		return run.Samples, nil
	}
	of := run.Samples.Select("", "arm="+ArmOf(release))
	if len(of) == 0 {
		return nil, &MissingError{run.Path, "arm=" + ArmOf(release) + ", the kernel of the model's guest"}
	}
	return of, nil
}

// ArmOf returns a release as the value of the key arm: with _5 for -5 at its end, which would be a number of CPUs, and
// with _ for a slash, behind which another key would begin.
func ArmOf(release string) string {
	return endRE.ReplaceAllString(strings.ReplaceAll(release, "/", "_"), "_$1")
}

var endRE = regexp.MustCompile(`-([0-9]+)$`)

// ShortArms cuts the names of releases behind a part of theirs, as long as no two are the same: 6.12.48 for
// 6.12.48+deb12-cloud-amd64.
func ShortArms(names []string) []string {
	cut := slices.Clone(names)
	for i, name := range names {
		for end := range name {
			if end == 0 || !strings.ContainsRune("+-_~", rune(name[end])) {
				continue
			}
			if part := name[:end]; !slices.ContainsFunc(names, func(other string) bool { return other != name && strings.HasPrefix(other, part) }) {
				cut[i] = part
				break
			}
		}
	}
	return cut
}

// onKernel returns the samples of operations on the running kernel whose model has a role.
func (c Catalog) onKernel(ss Samples, role Role) (of Samples) {
	for _, b := range c.Benchmarks {
		if slices.Contains(c.Names(role), b.Model) {
			of = append(of, c.Shown(ss, b.Name)...)
		}
	}
	return of
}

// syncPrice is the least that a sync of all cores took with all that was patched by it. If one of the operations makes less
// syncs than the others, what it takes is not patching, and is taken off the others.
func syncPrice(patching Samples) float64 {
	type measured struct{ sec, syncs float64 }
	var all []measured
	for _, g := range patching.ByName() {
		all = append(all, measured{stat.Mean(g.Samples.Values("sec/op")), stat.Mean(g.Samples.Values("core-syncs/op"))})
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.SortFunc(all, func(a, b measured) int { return cmp.Or(cmp.Compare(a.syncs, b.syncs), cmp.Compare(a.sec, b.sec)) })
	without := all[0]
	if without.syncs == all[len(all)-1].syncs {
		without = measured{}
	}
	least := math.NaN()
	for _, m := range all {
		if p := (m.sec - without.sec) / (m.syncs - without.syncs); m.syncs > without.syncs && !(p >= least) {
			least = p
		}
	}
	return least
}

// each is what the costs of samples are of.
func each(ss Samples) string {
	if len(ss.Values("sec/event")) > 0 {
		return "event"
	}
	return "operation"
}

func costOf(ss Samples, p prices) cost {
	c := cost{total: stat.Mean(ss.Values("sec/op")), gpWaits: stat.Mean(ss.Values("gp-waits/op")), syncs: stat.Mean(ss.Values("core-syncs/op"))}
	if of := stat.Mean(ss.Values("sec/event")); of > 0 {
		events := c.total / of
		c.total, c.gpWaits, c.syncs = of, c.gpWaits/events, c.syncs/events
	}
	product := func(n, price float64) float64 {
		if n > 0 && price > 0 {
			return n * price
		}
		return 0
	}
	c.waits, c.patching = product(c.gpWaits, p.wait), product(c.syncs, p.sync)
	return c
}

func (c cost) cells() []string {
	part := func(sec, n float64) string {
		switch {
		case math.IsNaN(n):
			return ""
		case n == 0:
			return "0"
		case sec == 0:
			return fmt.Sprintf("? (%.3g)", n)
		}
		return fmt.Sprintf("%s (%.3g)", Human(sec, "sec"), n)
	}
	rest := Human(math.Abs(c.rest()), "sec")
	if c.rest() < 0 {
		rest = "-" + rest
	}
	return []string{Human(c.total, "sec"), part(c.waits, c.gpWaits), part(c.patching, c.syncs), rest}
}

// to compares the kernel's cost with the model's.
func (c cost) to(m cost) string {
	const far = 2.0
	r := c.total / m.total
	if r <= far && r >= 1/far {
		return ratio(r)
	}
	apart := map[string]float64{"waits": math.Abs(c.waits - m.waits), "patching": math.Abs(c.patching - m.patching), "rest": math.Abs(c.rest() - m.rest())}
	most := slices.MaxFunc([]string{"waits", "patching", "rest"}, func(a, b string) int { return cmp.Compare(apart[a], apart[b]) })
	return ratio(r) + " ! " + most
}
