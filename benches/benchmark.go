package benches

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
)

// Params narrow or widen the axes of all benchmarks. A nil list leaves an axis as it
// is.
type Params struct {
	Impls   []string // only these implementations
	GPs     []string // only these grace-period flavours
	Events  []int    // numbers of events, in place of the default
	Readers []int    // numbers of busy readers, in place of the default
	CPUs    []int    // numbers of CPUs that do the same, in place of the default
}

// A Benchmark is a question with its axes. It has a name for each phase of its
// operation: "DisableAll" and "EnableAll" are timed in one operation.
type Benchmark struct {
	Names []string // one for each phase
	Doc   string   // the question, in one sentence

	// Roles say for each phase which tables and charts it is in: the words are the
	// constants of type results.Role. A phase without one has a table like any other.
	Roles []string

	// Models are, of operations on the running kernel, for each phase the benchmark that does the same in
	// the model.
	Models []string

	Table string // title of the table that it shares with others; "" for one of its own
	Short string // the question again, in the few words that a chart has room for
	Shown string // "key=value": the cases that charts show; "" for all

	// Apart is the word that its names begin with, if it is only measured where that word is written
	// (see Asked): it makes the whole machine slower. "" for all others.
	Apart string

	axes []axis

	// fits leaves combinations out that mean nothing; nil keeps all.
	fits func(keys) bool

	layouts int  // harness.Case.Layouts
	untimed bool // harness.Case.Untimed

	// hardware says which cases measure caches, branch prediction or how threads get into each other's way: those with one of
	// these values ("key=value"), or all (wholly). A guest has none of these.
	hardware []string

	slow   func(keys) time.Duration // harness.Case.Slow; nil means 0
	costly func(keys) bool          // Case.Costly; nil means that none is

	check func(keys) error // why it cannot run here; see impls.Variant.Check
	ops   func(keys) int   // harness.Case.Ops; nil means 0
	open  func(keys, *harness.Env) (*harness.Op, error)
}

// wholly: all cases of a benchmark measure hardware.
var wholly = []string{""}

// An axis is one key of a benchmark's name with its values in order.
type axis struct {
	key    string
	values func(Params) []string
}

// keys hold one value for each axis of a Benchmark.
type keys map[string]string

// Asked reports whether one that chooses benchmarks by a pattern asks for the name, which is one of
// b.Names. A pattern that does not have the word of a benchmark apart does not ask for it, and so
// "Churn" and "." do not: a benchmark apart may have the name of another behind its word.
func (b *Benchmark) Asked(name string, pattern *regexp.Regexp) bool {
	at := pattern.FindStringIndex(name)
	return at != nil && (b.Apart == "" || at[0] == 0 && strings.Contains(pattern.String(), b.Apart))
}

// num is the value of a key whose axis holds numbers.
func (k keys) num(key string) int {
	n, err := strconv.Atoi(k[key])
	if err != nil {
		panic("benches: axis " + key + " holds " + k[key]) // parse has checked
	}
	return n
}

// beside starts the readers that the case has beside its measuring thread.
func (k keys) beside(e *harness.Env, open func() (pass, end func(), err error)) error {
	for range k.num("readers") {
		if err := e.Beside(open); err != nil {
			return err
		}
	}
	return nil
}

// numeric are the axes whose values are numbers, any number.
var numeric = []string{"events", "readers", "probes", "sites", "cpus", "batch"}

// A Case is a harness.Case that knows whether this machine can run it.
type Case struct {
	harness.Case
	Benchmark *Benchmark
	Block     string       // harness.Planned.Block: what it is compared in
	Check     func() error // why it cannot run here, or nil; finding out may take a while
	Costly    bool         // a sample may take a minute, so a few must do unless more are asked for

	keys keys
}

// Summary words what the case is about, without its numbers: its benchmark and the
// values of impl and gp.
func (c *Case) Summary() string {
	short := c.Benchmark.Names[0]
	for _, key := range []string{"impl", "gp"} {
		if value, ok := c.keys[key]; ok {
			short += " " + value
		}
	}
	return short
}

// Cases returns every combination on the benchmark's axes under p.
func (b *Benchmark) Cases(p Params) []Case {
	combined := []keys{{}}
	for _, a := range b.axes {
		var longer []keys
		for _, k := range combined {
			for _, v := range a.values(p) {
				l := maps.Clone(k)
				l[a.key] = v
				longer = append(longer, l)
			}
		}
		combined = longer
	}
	var cases []Case
	for _, k := range combined {
		if b.fits == nil || b.fits(k) {
			cases = append(cases, b.at(k))
		}
	}
	return cases
}

// at makes the case of one value for each axis.
func (b *Benchmark) at(k keys) Case {
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
	c := Case{Benchmark: b, Block: b.block(k), Check: func() error { return b.check(k) }, keys: k, Case: harness.Case{
		CPUs:    cpus,
		Layouts: b.layouts,
		Untimed: b.untimed,
		Open:    func(e *harness.Env) (*harness.Op, error) { return b.open(k, e) },
	}}
	if b.slow != nil {
		c.Slow = b.slow(k)
	}
	if b.ops != nil {
		c.Ops = b.ops(k)
	}
	c.Costly = b.costly != nil && b.costly(k)
	for _, name := range b.Names {
		c.Names = append(c.Names, b.named(name, k, ""))
	}
	return c
}

// named adds to a name the values of all axes but one.
func (b *Benchmark) named(name string, k keys, without string) string {
	for _, a := range b.axes {
		if a.key != without {
			name += "/" + a.key + "=" + k[a.key]
		}
	}
	return name
}

// block names what is compared with one another: the implementations under one setting
// of all else or, where a benchmark has none, the flavours.
func (b *Benchmark) block(k keys) string {
	compared := "gp"
	if _, ok := k["impl"]; ok {
		compared = "impl"
	}
	return b.named(b.Names[0], k, compared)
}

// parse is the inverse of at's naming, for names that come from outside. ok is false if
// name is none of b's.
func (b *Benchmark) parse(name string) (k keys, ok bool) {
	parts := strings.Split(name, "/")
	base, parts := parts[0], parts[1:]
	if !slices.Contains(b.Names, base) || len(parts) != len(b.axes) {
		return nil, false
	}
	k = keys{}
	for i, a := range b.axes {
		key, value, _ := strings.Cut(parts[i], "=")
		if key != a.key {
			return nil, false
		}
		if slices.Contains(numeric, key) {
			if n, err := strconv.Atoi(value); err != nil || n < 0 {
				return nil, false
			}
		} else if named := (Params{Impls: []string{value}, GPs: []string{value}}); !slices.Contains(a.values(named), value) {
			return nil, false
		}
		k[key] = value
	}
	return k, b.fits == nil || b.fits(k)
}

// Find makes the case that measures the benchmark of this full name.
func Find(name string) (Case, error) {
	for _, b := range Benchmarks() {
		if k, ok := b.parse(name); ok {
			return b.at(k), nil
		}
	}
	return Case{}, &impls.UnknownError{Kind: "benchmark case", Name: name, Nearest: impls.Nearest(name, allNames())}
}

func allNames() []string {
	var names []string
	for _, b := range Benchmarks() {
		for _, c := range b.Cases(Params{}) {
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

// implAxis returns the axis of implementations: the usual ones, and any where they are
// named.
func implAxis(any, usual []string) axis {
	return axis{"impl", func(p Params) []string {
		if p.Impls == nil {
			return usual
		}
		return narrow(any, p.Impls)
	}}
}

// variantAxis returns the axis of a family's implementations: by default the sound ones.
func variantAxis[T any](variants []impls.Variant[T]) axis {
	return implAxis(variantNames(variants), variantNames(impls.OnlySound(variants)))
}

// gpAxis is the axis of grace-period flavours.
var gpAxis = axis{"gp", gpNames}

// readersAxis returns the axis of busy readers.
func readersAxis(values ...int) axis {
	return numbers("readers", func(p Params) []int { return p.Readers }, values...)
}

// narrow keeps those of names that only lists.
func narrow(names, only []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(only, n) })
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

// checkVariant is a check of the benchmarks of one family.
func checkVariant[T any](variants func() []impls.Variant[T]) func(keys) error {
	return func(k keys) error { return find(variants(), k["impl"]).Supported() }
}
