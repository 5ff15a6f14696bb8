package results

import (
	"bufio"
	"io"
	"slices"

	"golang.org/x/perf/benchfmt"
)

// A Scanner reads a file in benchmark format as a stream: what tpbench writes, and what go
// test -bench prints, with several configurations and with text between the lines. It reads
// each line once and keeps each name and each configuration once, so its memory does
// not grow with the number of lines.
//
// A line that cannot be used is left out, and is one of Problems. A file that cannot be used
// has an Err.
type Scanner struct {
	Facts // when Scan has returned false

	lines  lines
	reader *benchfmt.Reader
	done   bool

	interner
	units      map[string]tidyUnit // by what is written
	config     *Config             // at the sample above
	configured int                 // see lines.configs
	sample     Sample
	count      int
}

// NewScanner returns a Scanner of r; name is for messages.
func NewScanner(r io.Reader, name string) *Scanner {
	s := &Scanner{
		interner: interner{names: map[string]*named{}, configs: map[string]*Config{}},
		units:    map[string]tidyUnit{},
	}
	s.lines = lines{name: Visible(name), in: bufio.NewReaderSize(r, lineLimit), marks: marks{place: nowhere}}
	s.reader = benchfmt.NewReader(&s.lines, s.lines.name)
	return s
}

// Scan reads up to the next sample. It returns false at the end of the file, and if the file as
// a whole cannot be used: see Err.
func (s *Scanner) Scan() bool {
	for s.lines.err == nil && s.reader.Scan() {
		switch rec := s.reader.Result().(type) {
		case *benchfmt.SyntaxError:
			form := `"Unit unit key=value ..."`
			if s.lines.take(rec.Line).line == rec.Line {
				form = benchmarkForm
			}
			s.lines.problem(rec.Line, "%s; expected %s; mend or delete the line, or run again", rec.Msg, form)
		case *benchfmt.Result:
			if s.take(rec) {
				s.count++
				return true
			}
		}
	}
	s.finish()
	return false
}

// Sample returns the sample that Scan has read. The next Scan overwrites it and its Values; its
// Bench and Config stay as they are.
func (s *Scanner) Sample() *Sample { return &s.sample }

// Err returns why the file as a whole cannot be used, or nil: a *FormatError, or an error of
// the reader.
func (s *Scanner) Err() error { return s.lines.err }

// Problems returns a *FormatError for each line that was left out, and why, and for each sample
// that stands where tpbench would not have written it. After the first 100 it has their
// number.
func (s *Scanner) Problems() []error { return s.lines.problems.all(s.lines.name) }

// Foreign reports whether tpbench did not write the file: there was no "tpbench:" line. Samples
// then have no place.
func (s *Scanner) Foreign() bool { return !s.lines.own }

// Units returns what the "Unit" lines so far say, by tidy unit.
func (s *Scanner) Units() benchfmt.UnitMetadataMap { return tidyUnits(s.reader.Units()) }

// take converts one benchmark line to s.sample. It checks what benchfmt does not, and returns
// false if the line cannot be used.
func (s *Scanner) take(rec *benchfmt.Result) bool {
	_, line := rec.Pos()
	at := s.lines.take(line)
	if at.configs != s.configured || s.config == nil {
		s.configured = at.configs
		s.reconfigure(rec.Config, line)
	}
	if rec.Iters < 1 {
		s.lines.problem(line, "%d iterations; expected 1 or more; delete the line or run again", rec.Iters)
		return false
	}
	name := s.bench(rec.Name, s.lines.own)
	if name.Base == "" {
		s.lines.problem(line, "a benchmark without a name; delete the line or run again")
		return false
	}
	values, bad := tidyValues(s.sample.Values[:0], rec.Values, s.units)
	s.sample = Sample{&name.Bench, s.config, values, line, at.place, at.taking}
	if bad != "" {
		s.lines.problem(line, "%s", bad)
		return false
	}
	if s.lines.known() {
		s.arrange(name)
	}
	return s.lines.err == nil
}

// reconfigure makes the configuration that of the lines above a sample.
func (s *Scanner) reconfigure(above []benchfmt.Config, line int) {
	s.config = s.interner.config(above)
	if v := s.config.Get("tpbench"); v != Version && (s.lines.own || s.lines.strict) {
		s.lines.fail(line, `expected "tpbench: %s" above the first benchmark, found %q; read the file with the tpbench that wrote it, or run again`, Version, v)
	}
}

// arrange finds out whether the sample stands where tpbench writes it.
func (s *Scanner) arrange(name *named) {
	m := &s.lines.marks
	place := &s.sample.Place
	switch {
	case m.blocks == 0:
		if !m.Rearranged {
			s.lines.problem(s.sample.Line, `no "# block N round N" line above the first benchmark; run again with this version of tpbench`)
		}
		m.Rearranged = true
	case place.Round == NoBlock: // its "# block" line is broken
	case name.add(place.Round):
		s.lines.problem(s.sample.Line, "round %d has Benchmark%s already; lines were added or moved, so what is compared cannot be paired by blocks", place.Round, name.Name)
		place.Block = NoBlock
		m.Rearranged = true
	}
}

// finish sets what the file as a whole said.
func (s *Scanner) finish() {
	if s.done {
		return
	}
	s.done = true
	l := &s.lines
	l.take(0)
	if err := s.reader.Err(); err != nil {
		l.fail(0, "%v; a line of benchmark format is below 64 KiB", err)
	}
	switch {
	case s.count > 0:
	case l.size == 0:
		l.fail(0, "the file is empty and has no benchmark lines; %s", l.expected())
	case l.strict && !l.known():
		l.fail(0, `no "tpbench:" line and no benchmark lines; %s`, l.expected())
	case l.problems.count > 0:
		l.fail(0, "no benchmark line that can be used; the first problem: %v", l.problems.first[0])
	default:
		l.fail(0, "no benchmark lines; %s", l.expected())
	}
	s.Facts = l.marks.Facts
	seen := map[Loss]bool{} // without its reason
	s.Losses = slices.DeleteFunc(s.Losses, func(l Loss) bool {
		l.Reason = ""
		if seen[l] { // two sessions lost it
			return true
		}
		seen[l] = true
		name := s.names[l.Name]
		healed := name != nil && name.in(l.Round)
		if healed {
			s.Healed++
		}
		return healed
	})
}
