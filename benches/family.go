package benches

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
)

// Params narrow or widen the axes of all families. A nil list leaves an axis as it
// is.
type Params struct {
	Impls   []string // only these implementations
	GPs     []string // only these grace-period flavours
	Events  []int    // numbers of events, in place of the default
	Readers []int    // numbers of busy readers, in place of the default
	CPUs    []int    // numbers of CPUs that do the same, in place of the default
}

// A Family is a benchmark, or two that are timed in one operation, with its axes.
type Family struct {
	Names []string // benchmark names, one for each phase
	Doc   string   // the question, in one sentence
	axes  []axis

	// fits leaves combinations out that mean nothing; nil keeps all.
	fits func(keys) bool

	layouts int                      // harness.Case.Layouts
	slow    func(keys) time.Duration // harness.Case.Slow; nil means 0

	check func(keys) error // why it cannot run here; see impls.Variant.Check
	ops   func(keys) int   // harness.Case.Ops; nil means 0
	open  func(keys, *harness.Env) (*harness.Op, error)
}

// An axis is one key of a benchmark's name with its values in order.
type axis struct {
	key    string
	values func(Params) []string
}

// keys is one point on a Family's axes.
type keys map[string]string

// num is the value of a key whose axis holds numbers.
func (k keys) num(key string) int {
	n, err := strconv.Atoi(k[key])
	if err != nil {
		panic("benches: axis " + key + " holds " + k[key]) // parse has checked
	}
	return n
}

// numeric are the axes whose values are numbers, any number.
var numeric = []string{"events", "readers", "probes", "sites", "cpus", "batch"}

// A Case is a harness.Case that knows whether this machine can run it.
type Case struct {
	harness.Case
	Block string // harness.Planned.Block: what it is compared in
	Err   error  // why it cannot run here, or nil
}

// Cases returns every combination on the family's axes under p.
func (f *Family) Cases(p Params) []Case {
	points := []keys{{}}
	for _, a := range f.axes {
		var longer []keys
		for _, k := range points {
			for _, v := range a.values(p) {
				l := keys{a.key: v}
				for key, v := range k {
					l[key] = v
				}
				longer = append(longer, l)
			}
		}
		points = longer
	}
	var cases []Case
	for _, k := range points {
		if f.fits == nil || f.fits(k) {
			cases = append(cases, f.at(k))
		}
	}
	return cases
}

// at makes the case of one point.
func (f *Family) at(k keys) Case {
	var suffix strings.Builder
	for _, a := range f.axes {
		fmt.Fprintf(&suffix, "/%s=%s", a.key, k[a.key])
	}
	cpus := 1
	if _, ok := k["readers"]; ok {
		cpus += k.num("readers")
	}
	if _, ok := k["cpus"]; ok { // the measuring thread's is one of them
		cpus = k.num("cpus")
	}
	if beside, ok := k["beside"]; ok && beside != besideIdle {
		cpus++
	}
	c := Case{Block: f.block(k), Err: f.check(k), Case: harness.Case{
		CPUs:    cpus,
		Layouts: f.layouts,
		Open:    func(e *harness.Env) (*harness.Op, error) { return f.open(k, e) },
	}}
	if f.slow != nil {
		c.Slow = f.slow(k)
	}
	if f.ops != nil {
		c.Ops = f.ops(k)
	}
	for _, name := range f.Names {
		c.Names = append(c.Names, name+suffix.String())
	}
	return c
}

// block names what is compared with one another: the implementations under one setting
// of all else or, where a benchmark has none, the flavours.
func (f *Family) block(k keys) string {
	arms := "gp"
	if _, ok := k["impl"]; ok {
		arms = "impl"
	}
	name := f.Names[0]
	for _, a := range f.axes {
		if a.key != arms {
			name += "/" + a.key + "=" + k[a.key]
		}
	}
	return name
}

// parse is the inverse of at's naming. ok is false if name is none of f's.
func (f *Family) parse(name string) (k keys, ok bool) {
	base, rest, _ := strings.Cut(name, "/")
	if !slices.Contains(f.Names, base) {
		return nil, false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != len(f.axes) {
		return nil, false
	}
	k = keys{}
	for i, a := range f.axes {
		key, value, _ := strings.Cut(parts[i], "=")
		if key != a.key {
			return nil, false
		}
		if slices.Contains(numeric, key) {
			if n, err := strconv.Atoi(value); err != nil || n < 0 {
				return nil, false
			}
		} else if !slices.Contains(a.values(naming(key, value)), value) {
			return nil, false
		}
		k[key] = value
	}
	return k, f.fits == nil || f.fits(k)
}

// naming is what a command line that names this value of an axis asks for.
func naming(key, value string) Params {
	switch key {
	case "impl":
		return Params{Impls: []string{value}}
	case "gp":
		return Params{GPs: []string{value}}
	}
	return Params{}
}

// Find makes the case that measures the benchmark of this full name.
func Find(name string) (Case, error) {
	for _, f := range Families() {
		if k, ok := f.parse(name); ok {
			return f.at(k), nil
		}
	}
	return Case{}, &impls.UnknownError{Kind: "benchmark case", Name: name, Nearest: impls.Nearest(name, allNames())}
}

func allNames() []string {
	var names []string
	for _, f := range Families() {
		for _, c := range f.Cases(Params{}) {
			names = append(names, c.Names...)
		}
	}
	return names
}

// always is an ops that does not depend on the case.
func always(n int) func(keys) int { return func(keys) int { return n } }

// axisOf returns an axis of fixed values.
func axisOf(key string, values ...string) axis {
	return axis{key, func(Params) []string { return values }}
}

// numbers returns an axis of numbers, which over may replace.
func numbers(key string, over func(Params) []int, values ...int) axis {
	return axis{key, func(p Params) []string {
		use := values
		if over != nil && over(p) != nil {
			use = over(p)
		}
		var s []string
		for _, n := range use {
			s = append(s, strconv.Itoa(n))
		}
		return s
	}}
}

// implAxis returns the axis of a family's implementations: the usual ones, and any
// where they are named.
func implAxis(any, usual []string) axis {
	return axis{"impl", func(p Params) []string {
		if p.Impls == nil {
			return usual
		}
		return narrow(any, p.Impls)
	}}
}

// gpAxis returns the axis of grace-period flavours.
func gpAxis() axis {
	return axis{"gp", gpNames}
}

// readersAxis returns the axis of busy readers.
func readersAxis(values ...int) axis {
	return numbers("readers", func(p Params) []int { return p.Readers }, values...)
}

// narrow keeps those of names that only lists, or all if it is nil.
func narrow(names, only []string) []string {
	if only == nil {
		return names
	}
	var kept []string
	for _, n := range names {
		if slices.Contains(only, n) {
			kept = append(kept, n)
		}
	}
	return kept
}

// usualNames lists the names of the variants to measure where none is named: the sound
// ones. What is wrong may be as fast as it likes.
func usualNames[T any](variants []impls.Variant[T]) []string {
	return variantNames(impls.OnlySound(variants))
}

// variantNames lists the names of variants in order.
func variantNames[T any](variants []impls.Variant[T]) []string {
	var names []string
	for _, v := range variants {
		names = append(names, v.Name)
	}
	return names
}

// find returns the variant of a name that parse has checked.
func find[T any](variants []impls.Variant[T], name string) impls.Variant[T] {
	v, err := impls.Find("variant", variants, name)
	if err != nil {
		panic("benches: " + err.Error())
	}
	return v
}

// Summary words what a case is about, without its numbers: its benchmark and the
// values of impl and gp.
func Summary(name string) string {
	parts := strings.Split(name, "/")
	short := parts[0]
	for _, p := range parts[1:] {
		if key, value, _ := strings.Cut(p, "="); key == "impl" || key == "gp" {
			short += " " + value
		}
	}
	return short
}
