package results

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// If this fails, a unit is kept as another one than it is, or one time in two units.
func TestTidy(t *testing.T) {
	for written, want := range map[string]tidyUnit{
		"ns/op":       {"sec/op", 1, 1e9},
		"us/op":       {"sec/op", 1, 1e6},
		"µs/op":       {"sec/op", 1, 1e6}, // micro sign
		"μs/op":       {"sec/op", 1, 1e6}, // Greek mu
		"ms/op":       {"sec/op", 1, 1e3},
		"s/op":        {"sec/op", 1, 1},
		"sec/op":      {"sec/op", 1, 1},
		"ns":          {"sec", 1, 1e9},
		"p50-us":      {"p50-sec", 1, 1e6},
		"p99.9-ns/op": {"p99.9-sec/op", 1, 1e9},
		"ns/GC-cycle": {"sec/GC-cycle", 1, 1e9},
		"MB/s":        {"B/s", 1e6, 1},
		"B/s":         {"B/s", 1, 1},
		"events/ms":   {"events/ms", 1, 1},
		"x/ns-MB":     {"x/ns-MB", 1, 1},
		"x/y*ns":      {"x/y*sec", 1, 1e9},
		"B/op":        {"B/op", 1, 1},
		"allocs/op":   {"allocs/op", 1, 1},
		"gp-waits/op": {"gp-waits/op", 1, 1},
		"misses":      {"misses", 1, 1},
		"-ns-":        {"-sec-", 1, 1e9},
		"/":           {"/", 1, 1},
	} {
		if got := tidy(written); got != want {
			t.Errorf("%s: %+v, want %+v", written, got, want)
		}
		if once := tidy(written).unit; tidy(once) != (tidyUnit{once, 1, 1}) {
			t.Errorf("%s is converted twice: %+v", written, tidy(once))
		}
	}
}

// If this fails, a time depends on the unit that it was written in.
func TestTimesAreEqual(t *testing.T) {
	const seed = 11
	rnd := rand.New(rand.NewPCG(seed, 0))
	one := func(number, unit string) float64 {
		s := scanText(t, "BenchmarkA 1 "+number+" "+unit+"\n")
		v, ok := s.samples[0].Value("sec/op")
		if !ok || len(s.samples[0].Values) != 1 {
			t.Fatalf("%s %s: %+v", number, unit, s.samples[0].Values)
		}
		return v
	}
	for range 500 {
		// Whole in each unit: the same to the last bit, and the nearest float64.
		sec := rnd.IntN(1e5)
		want := float64(sec)
		for unit, zeros := range map[string]int{"ns/op": 9, "us/op": 6, "µs/op": 6, "μs/op": 6, "ms/op": 3, "s/op": 0, "sec/op": 0} {
			if got := one(strconv.Itoa(sec)+strings.Repeat("0", zeros), unit); got != want {
				t.Errorf("seed %d: %d s in %s is %v", seed, sec, unit, got)
			}
		}
		ms := strconv.Itoa(rnd.IntN(1e6))
		if a, b, c := one(ms, "ms/op"), one(ms+"000", "us/op"), one(ms+"000000", "ns/op"); a != b || a != c {
			t.Errorf("seed %d: %s ms is %v, %v, %v", seed, ms, a, b, c)
		}
		// With digits behind the point: but for the rounding of two conversions.
		ns := rnd.Float64() * 1e7
		a := one(strconv.FormatFloat(ns, 'f', 3, 64), "ns/op")
		b := one(strconv.FormatFloat(math.Round(ns*1e3)/1e9, 'f', 9, 64), "ms/op")
		if math.Abs(a-b) > 4e-16*a {
			t.Errorf("seed %d: %v ns is %v, in ms %v", seed, ns, a, b)
		}
	}
}

// If this fails, what a "Unit" line says of ms/op is not found for the values in ms/op, or a
// line that has a time in two units is lost.
func TestUnitLines(t *testing.T) {
	s := scanText(t, "Unit ms/op better=higher\nUnit µs/op better=lower assume=exact\nUnit p50-us better=lower\nUnit x better=neither\nBenchmarkA 1 5 ns/op 2 ms/op 3 x\nBenchmarkA 1 7 ms/op\n")
	units := s.Units()
	if len(s.Problems()) > 0 || units.GetBetter("sec/op") != 1 || units.GetBetter("p50-sec") != -1 || units.Get("sec/op", "assume").Value != "exact" || units.GetBetter("x") != 0 {
		t.Errorf("units %v, problems %v", units, s.Problems())
	}
	if got := s.samples[0].Values; len(got) != 3 || got[0] != (Value{"sec/op", 5e-9}) || got[1] != (Value{"ms/op", 2}) || got[2] != (Value{"x", 3}) {
		t.Errorf("two times in one line: %v", got)
	}
	if got := s.samples[1].Values; len(got) != 1 || got[0] != (Value{"sec/op", 7e-3}) {
		t.Errorf("one time: %v", got)
	}
}
