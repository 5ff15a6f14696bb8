package compare

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// A number is written as null where there is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// A record is a line as programs read it: ratios are 1.01 for 1 % more, shares 0.01 for 1 %. If Difference, the
// ratio with its bounds, the floor, the margin and what is detectable are differences of values.
type record struct {
	Benchmark  string  `json:"benchmark"`
	Arm        string  `json:"arm"`
	From       string  `json:"before,omitempty"`
	Unit       string  `json:"unit"`
	Gate       bool    `json:"gate"`
	Verdict    Word    `json:"verdict"`
	Why        string  `json:"why"`
	Base       number  `json:"base_median"`
	Other      number  `json:"median"`
	BaseMean   number  `json:"base_mean"`
	Mean       number  `json:"mean"`
	Difference bool    `json:"difference"`
	Ratio      number  `json:"ratio"`
	Lo         number  `json:"lo"`
	Hi         number  `json:"hi"`
	N          int     `json:"n"`
	Of         string  `json:"n_of"`
	Widened    number  `json:"widened"`
	P          number  `json:"p"`
	Adjusted   number  `json:"p_adjusted"`
	Floor      number  `json:"floor"`
	Margin     number  `json:"margin"`
	Detectable number  `json:"detectable"`
	Counts     []Count `json:"counts"`
}

func (l *Line) record() record {
	none := number(math.NaN())
	rec := record{
		Benchmark: l.Name, Arm: l.Arm, From: l.From, Unit: l.Unit, Gate: l.Gate, Verdict: l.Word, Why: l.Why,
		Base: none, Other: none, BaseMean: none, Mean: none, Ratio: none, Lo: none, Hi: none,
		N: l.N, Of: l.Of, Widened: none, Difference: l.Linear, P: none, Adjusted: none, Floor: none, Margin: none, Detectable: none,
		Counts: append([]Count{}, l.Counts...),
	}
	if l.test != nil {
		rec.Base, rec.Other = number(l.Base.Median), number(l.Other.Median)
		rec.BaseMean, rec.Mean = number(l.Base.Mean), number(l.Other.Mean)
		rec.Ratio, rec.Lo, rec.Hi = number(l.Ratio), number(l.Lo), number(l.Hi)
		rec.Widened = number(l.Widened)
		rec.P, rec.Adjusted = number(l.P), number(l.Adjusted)
		rec.Floor, rec.Margin, rec.Detectable = number(l.Floor), number(l.Margin), number(l.Detectable)
	}
	return rec
}

// WriteJSON writes the report as one JSON object. What is not known is null.
func (r *Report) WriteJSON(w io.Writer) error {
	out := struct {
		Base     string    `json:"base"`
		Verdict  Word      `json:"verdict"`
		Arms     []Verdict `json:"arms"`
		Chain    []string  `json:"chain,omitempty"`
		Family   int       `json:"gate_family"`
		Level    float64   `json:"level"`
		Common   *Common   `json:"machine_or_session"`
		Lines    []record  `json:"lines"`
		Safety   []string  `json:"safety"`
		Lacks    []string  `json:"only_one_side"`
		Warnings []string  `json:"warnings"`
		Facts    []fact    `json:"facts"`
		Command  string    `json:"command"`
	}{r.Base, r.Whole, r.Arms, r.Chain, r.Family, r.Alpha, r.Common, []record{}, list(r.Safety), list(r.Lacks), list(r.Warnings), []fact{}, r.Command}
	for _, l := range r.Lines {
		out.Lines = append(out.Lines, l.record())
	}
	for _, kv := range r.Facts {
		out.Facts = append(out.Facts, fact{kv.Key, kv.Value})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

type fact struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// list is never nil, so that JSON has [] and not null.
func list(s []string) []string { return append([]string{}, s...) }

// WriteCSV writes a row for each line. A cell is empty where there is no number.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"benchmark", "arm", "unit", "gate", "verdict", "why", "base_median", "median", "base_mean", "mean",
		"difference", "ratio", "lo", "hi", "n", "n_of", "widened", "p", "p_adjusted", "floor", "margin", "detectable", "counts", "before"})
	for _, l := range r.Lines {
		rec := l.record()
		counts := ""
		for i, c := range rec.Counts {
			if i > 0 {
				counts += "; "
			}
			counts += fmt.Sprintf("%s %v to %v", c.Unit, c.Base, c.Other)
		}
		out.Write([]string{rec.Benchmark, rec.Arm, rec.Unit, strconv.FormatBool(rec.Gate), string(rec.Verdict), rec.Why,
			cell(rec.Base), cell(rec.Other), cell(rec.BaseMean), cell(rec.Mean),
			strconv.FormatBool(rec.Difference), cell(rec.Ratio), cell(rec.Lo), cell(rec.Hi),
			strconv.Itoa(rec.N), rec.Of, cell(rec.Widened), cell(rec.P), cell(rec.Adjusted), cell(rec.Floor), cell(rec.Margin), cell(rec.Detectable), counts, rec.From})
	}
	out.Flush()
	return out.Error()
}

func cell(n number) string {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}
