package results

import (
	"fmt"
	"io"
	"os"
	"slices"
)

// Version is the value of the "tpbench:" line that Read and Scanner understand.
const Version = "2"

// A FormatError is a result file that cannot be trusted: what is wrong in which
// line, what was expected, and what to do. Line is 0 if it is about the whole.
type FormatError struct {
	File string
	Line int
	Msg  string
}

func (e *FormatError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Open reads the result file at path. Its errors are those of os.Open and Read.
func Open(path string) (*Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return Read(f, path)
}

// Read reads a result file of tpbench; name is for messages. What is wrong with the file
// is a *FormatError, and be it one line. A file whose run did not finish, or that lost samples,
// is read and has Warnings.
func Read(r io.Reader, name string) (*Run, error) {
	s := NewScanner(r, name)
	s.lines.strict = true
	run := &Run{Path: s.lines.name}
	var config *Config
	for s.Scan() {
		sample := *s.Sample()
		sample.Values = slices.Clone(sample.Values)
		if config != sample.Config {
			config = sample.Config
			if err := run.config(config, sample.Line); err != nil {
				return nil, err
			}
		}
		run.Samples = append(run.Samples, sample)
	}
	if s.Rearranged && s.count > 0 {
		return nil, run.twice(s.Sample())
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	run.Facts, run.Units = s.Facts, s.Units()
	run.warn()
	return run, nil
}

// twice is the error of a sample that the round has already.
func (r *Run) twice(s *Sample) error {
	first := slices.IndexFunc(r.Samples, func(t Sample) bool { return t.Bench == s.Bench && t.Round == s.Round })
	return &FormatError{r.Path, s.Line, fmt.Sprintf("round %d has Benchmark%s already, in line %d; a file is one run: compare several files instead of joining them", s.Round, s.Name, r.Samples[first].Line)}
}

// config records the configuration in force at a sample, which must not change.
func (r *Run) config(now *Config, line int) error {
	for _, c := range now.All() {
		switch i := slices.IndexFunc(r.Config, func(kv KeyValue) bool { return kv.Key == c.Key }); {
		case i < 0:
			r.Config = append(r.Config, c)
		case r.Config[i].Value != c.Value:
			return &FormatError{r.Path, line, fmt.Sprintf("above this line %s changed from %q to %q; a file is one run on one machine: split it there", c.Key, r.Config[i].Value, c.Value)}
		}
	}
	return nil
}

// warn adds the warnings about a run that is not whole.
func (r *Run) warn() {
	due := r.Planned
	if r.Decided > 0 {
		due = r.Decided
	}
	of := fmt.Sprint(len(r.Samples))
	if due > 0 {
		of += fmt.Sprintf(" of %d", due)
	}
	switch {
	case !r.Complete:
		r.Warnings = append(r.Warnings, fmt.Errorf("the run in %s did not finish: %s samples; resume it to have the rest", r.Path, of))
	case due > len(r.Samples)+len(r.Losses):
		r.Warnings = append(r.Warnings, fmt.Errorf("the run in %s says it is complete but has %s samples; lines are missing: run again", r.Path, of))
	}
	r.Warnings = append(r.Warnings, r.unequal()...)
	for _, l := range r.Losses {
		r.Warnings = append(r.Warnings, fmt.Errorf("round %d lost %s: %s", l.Round, l.Name, l.Reason))
	}
}
