package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"
)

// Version is the value of the "tpbench:" line that Read understands.
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
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &FormatError{Visible(path), 0, "this is a directory; " + expected + ", such as DIR/evidence.txt"}
	}
	return Read(f, path)
}

// Read reads a result file; name is for messages. What is wrong with the file
// is a *FormatError. A file whose run did not finish, or that lost samples, is
// read and has Warnings.
func Read(r io.Reader, name string) (*Run, error) {
	name = Visible(name)
	data, err := readInput(r, name)
	if err != nil {
		return nil, err
	}
	// Step 1: the lines of tpbench, which begin with "# " and which benchfmt skips.
	run := &Run{Path: name}
	marks, err := run.readMarks(data)
	if err != nil {
		return nil, err
	}
	// Step 2: benchfmt's lines. By its line number each sample finds its round.
	if err := run.readSamples(data, marks); err != nil {
		return nil, err
	}
	// Step 3: warnings of what is readable but not complete.
	run.warn()
	return run, nil
}

// marks are what the lines of tpbench say about the samples below them.
type marks struct {
	session int
	blocks  []blockMark
	samples map[int]Taking // by line, about the benchmark in the line below
}

type blockMark struct {
	line int
	Place
}

// The lines of tpbench. Any other line with '#' is a comment.
var (
	markRE    = regexp.MustCompile(`^# (plan|session|block|sample|superseded|again|lost|end)\b`)
	planRE    = regexp.MustCompile(`^# plan (\d+) samples$`)
	sessionRE = regexp.MustCompile(`^# session [0-9a-f]+$`)
	blockRE   = regexp.MustCompile(`^# block (\d+) round (\d+)(?: layout (\d+))?$`)
	sampleRE  = regexp.MustCompile(`^# sample at (\S+) tried (\d+) kept (\d+) shared (\d+)( disturbed)?$`)
	againRE   = regexp.MustCompile(`^# (superseded Benchmark\S+ |again: ).+$`)
	lostRE    = regexp.MustCompile(`^# lost round (\d+) Benchmark(\S+): (.+)$`)
	endRE     = regexp.MustCompile(`^# end (complete|(?:interrupted|incomplete) .*)$`)
)

const markForms = `"# plan N samples", "# session ID", "# block N round N [layout N]", "# sample at TIME tried N kept N shared N [disturbed]", "# superseded BenchmarkName ...", "# again: reason", "# lost round N BenchmarkName: reason", "# end complete", "# end incomplete ..." or "# end interrupted ..."`

// readMarks fills in Planned, Losses and Complete and returns the other marks. Lines that
// benchfmt would silently skip are an error.
func (r *Run) readMarks(data []byte) (*marks, error) {
	m := &marks{samples: map[int]Taking{}}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		text, whole := strings.CutSuffix(string(line), "\n")
		if !whole {
			return nil, &FormatError{r.Path, n, "the last line has no newline, so the file was cut off; delete that line to use the rest"}
		}
		switch {
		case strings.HasPrefix(text, "Benchmark"):
			r.Complete = false // a resumed run goes on below an earlier end
			if len(strings.Fields(text)) < 4 {
				return nil, &FormatError{r.Path, n, `expected "BenchmarkName iterations value unit ..."; delete the line or run again`}
			}
		case markRE.MatchString(text):
			if err := r.readMark(text, n, m); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

func (r *Run) readMark(text string, line int, into *marks) error {
	var bad error // the first number too large for an int
	atoi := func(s string) int {
		v, err := strconv.Atoi(s)
		bad = errors.Join(bad, err)
		return v
	}
	if m := planRE.FindStringSubmatch(text); m != nil {
		r.Planned = atoi(m[1])
	} else if sessionRE.MatchString(text) {
		into.session++
	} else if m := blockRE.FindStringSubmatch(text); m != nil {
		b := blockMark{line, Place{into.session, atoi(m[1]), atoi(m[2]), NoLayout}}
		if m[3] != "" {
			b.Layout = atoi(m[3])
		}
		into.blocks = append(into.blocks, b)
	} else if m := sampleRE.FindStringSubmatch(text); m != nil {
		at, err := time.Parse(time.RFC3339, m[1])
		bad = err
		into.samples[line] = Taking{at, atoi(m[2]), atoi(m[3]), atoi(m[4]), m[5] != ""}
	} else if m := againRE.FindStringSubmatch(text); m != nil {
		if m[1] != "again: " {
			r.Superseded++
		}
	} else if m := lostRE.FindStringSubmatch(text); m != nil {
		r.Losses = append(r.Losses, Loss{atoi(m[1]), m[2], m[3]})
	} else if m := endRE.FindStringSubmatch(text); m != nil {
		r.Complete = m[1] == "complete"
	} else {
		bad = errors.New("no such form")
	}
	if bad != nil {
		return &FormatError{r.Path, line, fmt.Sprintf("%q: expected %s; mend or delete the line", text, markForms)}
	}
	return nil
}

// readSamples fills in Config, Units and Samples.
func (r *Run) readSamples(data []byte, marks *marks) error {
	type id struct {
		round int
		name  string
	}
	seen := map[id]int{} // line
	reader := benchfmt.NewReader(bytes.NewReader(data), r.Path)
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return &FormatError{r.Path, rec.Line, rec.Msg + "; mend or delete the line, or run again"}
		case *benchfmt.Result:
			s, err := r.sample(rec, marks)
			if err != nil {
				return err
			}
			if first, ok := seen[id{s.Round, s.Name}]; ok {
				return &FormatError{r.Path, s.Line, fmt.Sprintf("round %d has Benchmark%s already, in line %d; a file is one run: compare several files instead of joining them", s.Round, s.Name, first)}
			}
			seen[id{s.Round, s.Name}] = s.Line
			if err := r.config(rec, s.Line); err != nil {
				return err
			}
			r.Samples = append(r.Samples, s)
		}
	}
	if err := reader.Err(); err != nil {
		return &FormatError{r.Path, 0, err.Error() + "; a line of benchmark format is below 64 KiB"}
	}
	if len(r.Samples) == 0 {
		return &FormatError{r.Path, 0, `no benchmark lines; expected a file written by "tpbench run"`}
	}
	r.Units = reader.Units()
	r.Losses = slices.DeleteFunc(r.Losses, func(l Loss) bool {
		_, retaken := seen[id{l.Round, l.Name}] // by a resumed run
		return retaken
	})
	return nil
}

// sample converts one benchmark line. It checks what benchfmt does not.
func (r *Run) sample(res *benchfmt.Result, marks *marks) (Sample, error) {
	_, line := res.Pos()
	fail := func(format string, args ...any) (Sample, error) {
		return Sample{}, &FormatError{r.Path, line, fmt.Sprintf(format, args...)}
	}
	if res.Iters < 1 {
		return fail("%d iterations; expected 1 or more; delete the line or run again", res.Iters)
	}
	i, _ := slices.BinarySearchFunc(marks.blocks, line, func(m blockMark, line int) int { return m.line - line })
	if i == 0 {
		return fail(`no "# block N round N" line above the first benchmark; run again with this version of tpbench`)
	}
	s := Sample{Name: res.Name.String(), Line: line, Place: marks.blocks[i-1].Place, Taking: marks.samples[line-1]}
	base, parts := res.Name.Parts()
	s.Base = string(base)
	if s.Base == "" {
		return fail("a benchmark without a name; delete the line or run again")
	}
	for _, p := range parts {
		key, value, found := strings.Cut(string(p[1:]), "=")
		switch {
		case p[0] == '-':
			key, value = "gomaxprocs", key
		case !found:
			key, value = "", key
		}
		s.Keys = append(s.Keys, KeyValue{key, value})
	}
	for _, v := range res.Values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 {
			return fail("%v %s; expected a finite number, 0 or more; delete the line or run again", v.Value, v.Unit)
		}
		// benchfmt leaves the unit of a zero as it was: 0 ns/op is not 0 sec/op.
		value, unit := benchunit.Tidy(v.Value, v.Unit)
		if _, twice := s.Value(unit); twice {
			return fail("unit %s twice in one line; delete the line or run again", unit)
		}
		s.Values = append(s.Values, Value{unit, value})
	}
	return s, nil
}

// config records the configuration in force at a result, which must not change.
func (r *Run) config(res *benchfmt.Result, line int) error {
	for _, c := range res.Config {
		value := string(c.Value)
		switch i := slices.IndexFunc(r.Config, func(kv KeyValue) bool { return kv.Key == c.Key }); {
		case i < 0:
			r.Config = append(r.Config, KeyValue{c.Key, value})
		case r.Config[i].Value != value:
			return &FormatError{r.Path, line, fmt.Sprintf("above this line %s changed from %q to %q; a file is one run on one machine: split it there", c.Key, r.Config[i].Value, value)}
		}
	}
	if v := r.Get("tpbench"); v != Version {
		return &FormatError{r.Path, line, fmt.Sprintf(`expected "tpbench: %s" above the first benchmark, found %q; read the file with the tpbench that wrote it, or run again`, Version, v)}
	}
	return nil
}

// warn adds the warnings about a run that is not whole.
func (r *Run) warn() {
	of := fmt.Sprint(len(r.Samples))
	if r.Planned > 0 {
		of += fmt.Sprintf(" of %d", r.Planned)
	}
	switch {
	case !r.Complete:
		r.Warnings = append(r.Warnings, fmt.Errorf("the run in %s did not finish: %s samples; resume it to have the rest", r.Path, of))
	case r.Planned > len(r.Samples)+len(r.Losses):
		r.Warnings = append(r.Warnings, fmt.Errorf("the run in %s says it is complete but has %s samples; lines are missing: run again", r.Path, of))
	}
	r.Warnings = append(r.Warnings, r.unequal()...)
	for _, l := range r.Losses {
		r.Warnings = append(r.Warnings, fmt.Errorf("round %d lost %s: %s", l.Round, l.Name, l.Reason))
	}
}
