package results

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tpbench/tpbench/results/stat"
	"golang.org/x/perf/benchfmt"
)

// A Run is one result file. It is not modified after Read.
type Run struct {
	Facts
	Path     string
	Config   []KeyValue // facts of the machine and the run, in the file's order
	Units    benchfmt.UnitMetadataMap
	Samples  Samples // in the file's order
	Warnings []error // what a reader of the results must know
}

// A KeyValue is a configuration line, or a part of a benchmark's name: the part
// /events=10 has key "events" and value "10", a part without '=' an empty key,
// and the -8 that go test appends the key "gomaxprocs".
type KeyValue struct{ Key, Value string }

// A Sample is one benchmark line: one timed observation.
type Sample struct {
	*Bench
	Config *Config
	Values []Value // in tidy units, in the line's order
	Line   int

	Place
	Taking // zero if the file has no "# sample" line for it
}

// A Place is where a run had a sample: what a "# block" line says of the samples below it.
type Place struct {
	// Samples of one Session and Round were taken interleaved; those of one Block
	// among them one after the other.
	Session, Block, Round int

	// Layout is the alignment that the timed loop stood at, or NoLayout. Build is the
	// index of the binary, of those that were linked from one program, or NoBuild.
	Layout, Build int
}

// What a Place says of a sample that has none of it.
const (
	NoLayout = -1
	NoBuild  = -1
	NoBlock  = -1 // of Block and Round, in a file that tpbench did not write
)

// A Taking is how a sample was taken: what the "# sample" line above it says.
type Taking struct {
	At time.Time

	// Batches: timed, used, and of those used the ones beside a neighbour on the core.
	Tried, Kept, Shared int
	Disturbed           bool // so many of them that the sample is not reliable
}

// A Value is a measurement in a tidy unit, such as 8.003 sec/op.
type Value struct {
	Unit  string
	Value float64
}

// A Loss is a sample that was planned and could not be taken.
type Loss struct {
	Round  int
	Name   string // full, without "Benchmark"
	Reason string
}

// Bench returns the benchmark that was to be sampled. Only files of tpbench have losses.
func (l Loss) Bench() *Bench { return newBench(l.Name, true) }

// Get returns the value of a configuration key, or "".
func (r *Run) Get(key string) string { return lookup(r.Config, key) }

// Value returns the sample's measurement in a tidy unit.
func (s *Sample) Value(unit string) (v float64, ok bool) {
	for _, m := range s.Values {
		if m.Unit == unit {
			return m.Value, true
		}
	}
	return 0, false
}

func (kv KeyValue) String() string {
	if kv.Key == "" {
		return kv.Value
	}
	return kv.Key + "=" + kv.Value
}

func lookup(kvs []KeyValue, key string) string {
	for _, kv := range kvs {
		if kv.Key == key {
			return kv.Value
		}
	}
	return ""
}

// Samples is a selection, in the file's order.
type Samples []Sample

// Select returns the samples of a benchmark, "" being every benchmark, whose
// keys have the given values, each written "key=value".
func (ss Samples) Select(base string, where ...string) Samples {
	var sel Samples
	for _, s := range ss {
		differs := func(w string) bool {
			key, value, _ := strings.Cut(w, "=")
			return s.Key(key) != value
		}
		if (base == "" || s.Base == base) && !slices.ContainsFunc(where, differs) {
			sel = append(sel, s)
		}
	}
	return sel
}

// A Group is the samples that share a value of the key they were grouped by.
type Group struct {
	Value   string
	Samples Samples
}

// GroupBy groups by a key's value ("" where a sample lacks the key), in natural
// order: 10 before 100, numbers before words.
func (ss Samples) GroupBy(key string) []Group {
	return ss.groupBy(func(s *Sample) string { return s.Key(key) })
}

// ByName groups by full name, in natural order of its parts.
func (ss Samples) ByName() []Group {
	return ss.groupBy(func(s *Sample) string { return s.Name })
}

func (ss Samples) groupBy(by func(*Sample) string) []Group {
	var groups []Group
	for v, samples := range ss.mapBy(by) {
		groups = append(groups, Group{v, samples})
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(Natural(a.Value, b.Value), strings.Compare(a.Value, b.Value))
	})
	return groups
}

// named returns the samples by their full names.
func (ss Samples) named() map[string]Samples {
	return ss.mapBy(func(s *Sample) string { return s.Name })
}

func (ss Samples) mapBy(by func(*Sample) string) map[string]Samples {
	m := map[string]Samples{}
	for _, s := range ss {
		v := by(&s)
		m[v] = append(m[v], s)
	}
	return m
}

// OneSetting keeps the samples of a single setting of all keys but vary, so
// that a table or chart along vary compares like with like: the setting under
// which most different benchmarks were run, the last in natural order of equal
// ones. It returns the samples and the setting, such as "probes=1 readers=1".
func (ss Samples) OneSetting(vary ...string) (sel Samples, setting string) {
	groups := ss.groupBy(func(s *Sample) string {
		_, rest, _ := strings.Cut(s.Except(vary...), "/")
		return rest
	})
	if len(groups) == 0 {
		return nil, ""
	}
	best := slices.MaxFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(len(a.Samples.ByName()), len(b.Samples.ByName())), Natural(a.Value, b.Value))
	})
	return best.Samples, strings.ReplaceAll(best.Value, "/", " ")
}

// AtLargest keeps the samples at the one value of key under which most different
// benchmarks were run, the largest of equal ones, and returns that value.
func (ss Samples) AtLargest(key string) (sel Samples, value string) {
	most := 0
	for _, g := range ss.GroupBy(key) { // the largest last
		if n := len(g.Samples.ByName()); n >= most {
			most, sel, value = n, g.Samples, g.Value
		}
	}
	return sel, value
}

// Units returns the tidy units of the samples, in order of first appearance.
func (ss Samples) Units() []string {
	var units []string
	for _, s := range ss {
		for _, v := range s.Values {
			if !slices.Contains(units, v.Unit) {
				units = append(units, v.Unit)
			}
		}
	}
	return units
}

// Values returns the measurements in a tidy unit; samples without it are left
// out.
func (ss Samples) Values(unit string) []float64 {
	var vs []float64
	for _, p := range ss.Pairs(unit) {
		vs = append(vs, p.Value)
	}
	return vs
}

// Pairs is Values, each with its round and its layout, for stat.PairedRatio.
func (ss Samples) Pairs(unit string) []stat.Pair {
	var ps []stat.Pair
	for _, s := range ss {
		if v, ok := s.Value(unit); ok {
			// Rounds of two sessions have nothing in common.
			ps = append(ps, stat.Pair{Round: s.Session<<32 + s.Round, Cluster: s.Layout, Value: v})
		}
	}
	return ps
}

// Summary summarizes a unit over the samples, by alignment if there are several.
func (ss Samples) Summary(unit string) stat.Summary {
	return stat.Summarize(stat.Collapse(ss.Pairs(unit)))
}

// Disturbed counts the samples that were taken beside a neighbour for too long.
func (ss Samples) Disturbed() int {
	n := 0
	for _, s := range ss {
		if s.Disturbed {
			n++
		}
	}
	return n
}

// Rounds returns the number of different rounds of the samples.
func (ss Samples) Rounds() int {
	rounds := map[int]bool{}
	for _, s := range ss {
		rounds[s.Round] = true
	}
	return len(rounds)
}

// Natural is below 0 if name a comes before b, and above 0 if it comes after. It compares them part by
// part, a number by its size and before a word.
func Natural(a, b string) int {
	sep := func(r rune) bool { return r == '/' || r == '=' }
	return slices.CompareFunc(strings.FieldsFunc(a, sep), strings.FieldsFunc(b, sep), naturalPart)
}

func naturalPart(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// A MissingError says which samples a table, chart or sentence would have
// needed.
type MissingError struct {
	Path string
	What string // such as "DisableAll/impl=naive-sync"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s has no sample of %s", e.Path, e.What)
}
