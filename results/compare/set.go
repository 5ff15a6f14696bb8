package compare

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A Set is what a comparison needs of one file: the values of each benchmark in each unit. Of
// 10^6 samples it keeps little more than their values.
type Set struct {
	Path     string
	Facts    []results.KeyValue // the configuration that is the same for all samples
	Foreign  bool               // tpbench did not write the file
	Complete bool               // of a file of tpbench: the run came to its end

	// Problems are lines that were left out, and why. Warnings are about the run.
	Problems, Warnings []error

	units  benchfmt.UnitMetadataMap
	losses []results.Loss
	series []*series // in order of first appearance
	varies []string  // configuration keys with several values, which tell benchmarks of one name apart
	rounds int
}

// A series is one benchmark in one unit.
type series struct {
	bench  *results.Bench
	config *results.Config
	unit   string // tidy
	values column
	places []place // of values; if there are none, as in a foreign file, the values are sorted
}

// A place is a results.Place in few bytes.
type place struct {
	session, block, round int32
	layout, build         int16
}

// Load reads the file at path. Its errors are those of os.Open and Read.
func Load(path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return Read(f, path)
}

// Read reads a file in benchmark format; name is for messages. A file that has no benchmarks is a
// *results.FormatError. Lines that cannot be used are left out, and are among the Problems.
func Read(r io.Reader, name string) (*Set, error) {
	type id struct {
		*results.Bench
		*results.Config
	}
	scan := results.NewScanner(r, name)
	set := &Set{Path: results.Visible(name)}
	of := map[id]*[]*series{} // the units of one benchmark are few
	var last id
	var known *[]*series // of the last one: go test writes its samples in a row
	for scan.Scan() {
		s := scan.Sample()
		if at := (id{s.Bench, s.Config}); at != last {
			last, known = at, of[at]
			if known == nil {
				known = &[]*series{}
				of[at] = known
			}
		}
		for i, v := range s.Values {
			if i >= len(*known) || (*known)[i].unit != v.Unit { // its place in the line before
				i = slices.IndexFunc(*known, func(one *series) bool { return one.unit == v.Unit })
			}
			if i < 0 {
				i = len(*known)
				one := &series{bench: s.Bench, config: s.Config, unit: v.Unit}
				*known, set.series = append(*known, one), append(set.series, one)
			}
			(*known)[i].add(v.Value, s.Place)
		}
		set.rounds = max(set.rounds, s.Round+1)
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	set.Foreign, set.Complete, set.Problems = scan.Foreign(), scan.Complete, scan.Problems()
	set.units, set.losses = scan.Units(), scan.Losses
	if scan.Rearranged {
		set.Warnings = append(set.Warnings, fmt.Errorf("the lines of %s are not in the order in which tpbench wrote them, so no sample has a block; samples are compared as if they were independent", set.Path))
		for _, s := range set.series {
			s.places = nil
		}
	}
	for _, s := range set.series {
		if len(s.places) == 0 {
			s.values.sort() // here once, and not in each of the statistics
		}
	}
	if !set.Foreign && !scan.Complete {
		set.Warnings = append(set.Warnings, fmt.Errorf("the run in %s did not finish; resume it to have the rest", set.Path))
	}
	if scan.Healed > 0 {
		set.Warnings = append(set.Warnings, fmt.Errorf("%s: %s lost at first, and taken by a later session; grep '^# lost' says why", set.Path, wereSamples(scan.Healed)))
	}
	for _, l := range set.losses {
		set.Warnings = append(set.Warnings, fmt.Errorf("%s: round %d lost %s: %s", set.Path, l.Round, l.Name, l.Reason))
	}
	set.configure()
	return set, nil
}

func (s *series) add(value float64, at results.Place) {
	s.values.add(value)
	if at.Round != results.NoBlock {
		s.places = append(s.places, place{int32(at.Session), int32(at.Block), int32(at.Round), int16(at.Layout), int16(at.Build)})
	}
}

// configure parts the configuration: what is the same for all samples, and what tells benchmarks apart.
func (set *Set) configure() {
	values := map[string][]string{}
	var keys []string
	seen := map[*results.Config]bool{}
	for _, s := range set.series {
		if seen[s.config] {
			continue
		}
		seen[s.config] = true
		for _, kv := range s.config.All() {
			if !slices.Contains(keys, kv.Key) {
				keys = append(keys, kv.Key)
			}
			if !slices.Contains(values[kv.Key], kv.Value) {
				values[kv.Key] = append(values[kv.Key], kv.Value)
			}
		}
	}
	for _, key := range keys {
		everywhere := true
		for c := range seen {
			everywhere = everywhere && c.Get(key) != ""
		}
		if len(values[key]) == 1 && everywhere {
			set.Facts = append(set.Facts, results.KeyValue{Key: key, Value: values[key][0]})
		} else {
			set.varies = append(set.varies, key)
		}
	}
}

// Fact returns the value of a configuration key that all samples share, or "".
func (set *Set) Fact(key string) string {
	for _, kv := range set.Facts {
		if kv.Key == key {
			return kv.Value
		}
	}
	return ""
}

// alpha returns the level of the look that the file has come to. A file without looks was looked at
// once, at the whole level.
func (set *Set) alpha() float64 {
	at := strings.Fields(set.Fact(LooksFact))
	looks := stat.Looks(Level)
	if len(at) == 0 {
		return Level
	}
	for i, look := range looks[:min(len(looks), len(at))] {
		if rounds, err := strconv.Atoi(at[i]); err == nil && set.rounds <= rounds {
			return look.Alpha
		}
	}
	return looks[len(looks)-1].Alpha
}

// CommandFact is the configuration key of the command that wrote the file.
const CommandFact = "command"

// LeftOutFact is the configuration key of the benchmarks that were left out since an arm cannot run them, with
// spaces between them.
const LeftOutFact = "left-out"

// LooksFact is the configuration key of the numbers of rounds after which a run was looked at, with
// spaces between them.
const LooksFact = "looks"

// Level is the level of all tests of a report together, and of the intervals it prints.
const Level = 0.05

// exactly reports whether the file declares that all samples of a benchmark have the same value.
func (set *Set) exactly(unit string) bool {
	m := set.units.Get(unit, "assume")
	return m != nil && m.Value == "exact"
}

// better is -1 if a lower value is better, +1 if a higher one is, and 0 if the file does not say.
func (set *Set) better(unit string) int {
	if set.units.Get(unit, "better") == nil && (results.IsTime(unit) || slices.Contains(firstCounts, unit)) {
		return -1
	}
	return set.units.GetBetter(unit)
}

// name is the series' full name without some of its keys, and with the configuration of these keys, which
// tell benchmarks of one name apart.
func (s *series) name(varies []string, without ...string) string {
	return s.bench.Except(without...) + s.under(varies)
}

// group is what benchmarks have in common that differ in their parameters only.
func (s *series) group(varies []string) string { return s.bench.Base + s.under(varies) }

// under names the configuration of some keys.
func (s *series) under(keys []string) string {
	text := ""
	for _, key := range keys {
		if v := s.config.Get(key); v != "" {
			text += " " + key + ":" + v
		}
	}
	return text
}
