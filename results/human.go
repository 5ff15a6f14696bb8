package results

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"
)

// IsTime reports whether a tidy unit is a duration: sec/op, sec/event, p50-sec.
func IsTime(unit string) bool {
	numerator, _, _ := strings.Cut(unit, "/")
	return slices.Contains(strings.Split(numerator, "-"), "sec")
}

// Human prints a value of a tidy unit for reading: times with three digits and
// their unit (8.00 s, 7.12 ms), whole numbers with thousands marks (2,305),
// other numbers as benchunit scales them.
func Human(v float64, unit string) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case IsTime(unit) && v == 0:
		return "0 s"
	case IsTime(unit):
		s := benchunit.CommonScale([]float64{v}, benchunit.Decimal)
		if v >= 1 { // no kiloseconds
			s = benchunit.Scaler{Prec: 3 - min(2, int(math.Log10(v))), Factor: 1}
		}
		prefix := s.Prefix
		s.Prec, s.Prefix = s.Prec-1, "" // benchunit shows four digits
		return s.Format(v) + " " + prefix + "s"
	case v == math.Trunc(v) && v < 1e15:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return benchunit.Scale(v, benchunit.ClassOf(unit))
}

// HumanUnit returns the unit as column heads name it: the time unit of a cell
// stands in the cell, so sec/event becomes time/event and p50-sec p50.
func HumanUnit(unit string) string {
	if !IsTime(unit) {
		return unit
	}
	numerator, denominator, per := strings.Cut(unit, "/")
	name := strings.Join(slices.DeleteFunc(strings.Split(numerator, "-"), func(s string) bool { return s == "sec" }), "-")
	if name == "" {
		name = "time"
	}
	if per {
		name += "/" + denominator
	}
	return name
}

// ratio prints a factor with about three digits: 1.04x, 13.6x, 1,128x.
func ratio(r float64) string { return Factor(r) + "x" }

// Factor prints a ratio with about three digits, fewer below 1, without the x: 0.000936, 0.12, 1.04, 13.6, 1,128.
func Factor(r float64) string {
	prec := 0
	switch {
	case r > 0 && r < 0.00995:
		prec = 2 - int(math.Floor(math.Log10(r)))
	case r < 9.995:
		prec = 2
	case r < 99.95:
		prec = 1
	}
	return thousands(strconv.FormatFloat(r, 'f', prec, 64))
}

// thousands inserts commas into a decimal number.
func thousands(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		whole += "." + frac
	}
	return whole
}
