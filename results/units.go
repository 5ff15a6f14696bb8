package results

import (
	"fmt"
	"math"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// A tidyUnit is the unit in which the values of a written unit are kept, and how they are
// converted to it.
type tidyUnit struct {
	unit        string
	times, over float64
}

// of converts a value. Of the two factors one is 1, so one rounding is all that happens to it:
// 1e6 ns and 1 ms are the same number of seconds, to the last bit.
func (t tidyUnit) of(v float64) float64 { return v * t.times / t.over }

// prefixed are the units that are kept in another one. benchunit has ns and MB only.
var prefixed = map[string]tidyUnit{
	"ns":      {"sec", 1, 1e9},
	"us":      {"sec", 1, 1e6},
	"\u00b5s": {"sec", 1, 1e6}, // micro sign
	"\u03bcs": {"sec", 1, 1e6}, // Greek letter mu
	"ms":      {"sec", 1, 1e3},
	"s":       {"sec", 1, 1},
	"MB":      {"B", 1e6, 1},
}

// tidy returns the tidy unit of a written one: sec/op for ns/op and ms/op, p50-sec for
// p50-us, B/s for MB/s. As in benchunit, '-' and '*' stand between factors, and below '/'
// nothing is converted.
func tidy(written string) tidyUnit {
	t := tidyUnit{times: 1, over: 1}
	below := false
	for rest := written; rest != ""; {
		end := strings.IndexAny(rest, "-*/")
		if end < 0 {
			end = len(rest)
		}
		factor := rest[:end]
		if p, ok := prefixed[factor]; ok && !below {
			factor = p.unit
			t.times *= p.times
			t.over *= p.over
		}
		t.unit += factor
		if rest = rest[end:]; rest != "" {
			below = rest[0] == '/' || below && rest[0] == '-'
			t.unit += rest[:1]
			rest = rest[1:]
		}
	}
	return t
}

// written returns a value and its unit as the file has them. benchfmt has converted some.
func written(v *benchfmt.Value) (float64, string) {
	if v.OrigUnit != "" {
		return v.OrigValue, v.OrigUnit
	}
	return v.Value, v.Unit
}

// tidyValues converts the values of a benchmark line, and appends them to into, which is empty. A
// second value of one tidy unit, as of ms/op beside ns/op, keeps the unit that it was written
// in. units has the units of the file so far, by what is written. If a value cannot be used, bad
// says why.
func tidyValues(into []Value, line []benchfmt.Value, units map[string]tidyUnit) (vs []Value, bad string) {
	for i := range line {
		v, unit := written(&line[i])
		t, ok := units[unit]
		if !ok {
			t = tidy(unit)
			units[unit] = t
		}
		for j := range i {
			switch _, before := written(&line[j]); {
			case before == unit:
				return into, fmt.Sprintf("unit %s twice in one line; delete the line or run again", unit)
			case into[j].Unit == t.unit:
				t = tidyUnit{unit, 1, 1}
			}
		}
		tidied := t.of(v)
		if math.IsNaN(tidied) || math.IsInf(tidied, 0) || tidied < 0 {
			return into, fmt.Sprintf("%v %s; expected a finite number, 0 or more; delete the line or run again", v, unit)
		}
		into = append(into, Value{t.unit, tidied})
	}
	return into, ""
}

// tidyUnits returns what a file's "Unit" lines say, by tidy unit. Of two lines that come to
// one unit the first counts.
func tidyUnits(lines benchfmt.UnitMetadataMap) benchfmt.UnitMetadataMap {
	units := benchfmt.UnitMetadataMap{}
	for key, line := range lines {
		key.Unit = tidy(line.OrigUnit).unit
		if first := units[key]; first != nil {
			_, a := first.Pos()
			if _, b := line.Pos(); a < b {
				continue
			}
		}
		units[key] = line
	}
	return units
}
