package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/harness/host"
)

// FormatVersion is the value of the configuration line "tpbench" that begins every
// file.
const FormatVersion = "1"

// A FileError says in one sentence why a file cannot take a run's results.
type FileError struct {
	Path string
	Line int // 0 where no line is to blame
	Msg  string
}

func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
	}
	return e.Path + ": " + e.Msg
}

// A File takes the lines of one run. It only ever grows.
type File struct {
	f    *os.File
	done map[sampleID]bool
}

type sampleID struct {
	round int
	name  string
}

// Done is how many samples an earlier, cut-off run has left in the file.
func (f *File) Done() int { return len(f.done) }

// Create opens path for the plan's results, before anything is measured. A file
// that does not exist is begun. One that an earlier run of the same plan on the
// same machine left without its end is taken up where it stops, with its seed,
// which Create puts into the plan; one without a sample yet is begun again. Any other file is refused and left as it was.
func Create(path string, plan *Plan, facts []host.Fact, units []Unit) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &FileError{path, 0, "results go to a file, and this is none; name another with -o or --out"}
	}
	old, err := os.ReadFile(path)
	if err == nil && len(old) > 0 && !begun(old) {
		return resume(path, old, plan, facts)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	var head strings.Builder
	for _, fact := range header(plan, facts) {
		fmt.Fprintf(&head, "%s: %s\n", fact.Key, fact.Value)
	}
	for _, u := range units {
		fmt.Fprintf(&head, "Unit %s better=%s\n", u.Name, u.Better)
	}
	fmt.Fprintf(&head, "# plan %d samples\n", plan.Samples())
	if _, err := f.WriteString(head.String()); err != nil {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	return &File{f: f, done: map[sampleID]bool{}}, nil
}

// begun reports whether a file is one of ours that was cut off before its first
// sample: nothing is lost by beginning it again.
func begun(old []byte) bool {
	return bytes.HasPrefix(old, []byte("tpbench: ")) && !bytes.Contains(old, []byte("\nBenchmark"))
}

// header is the configuration of a file: everything that can move a number.
func header(plan *Plan, facts []host.Fact) []host.Fact {
	head := []host.Fact{{Key: "tpbench", Value: FormatVersion}}
	head = append(head, facts...)
	return append(head,
		host.Fact{Key: "seed", Value: strconv.FormatUint(plan.Seed, 10)},
		host.Fact{Key: "plan", Value: plan.id()})
}

// passing are the facts that may differ between the parts of a resumed run.
var passing = []string{"load", "steal", "date", "seed", "tsc"}

func resume(path string, old []byte, plan *Plan, facts []host.Fact) (*File, error) {
	// A line that was being written when the run was cut off is no sample.
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	rounds := map[int]int{} // by line
	round, line := 0, 0
	for text := range bytes.Lines(whole) {
		line++
		if bytes.HasPrefix(text, []byte("# end complete")) {
			return nil, &FileError{path, line, "this file holds a whole run already; name another with -o or --out, or remove it"}
		}
		fmt.Sscanf(string(text), "# round %d", &round) // any other line leaves round as it is
		rounds[line] = round
	}
	done := map[sampleID]bool{}
	config := map[string]string{}
	r := benchfmt.NewReader(bytes.NewReader(whole), path)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			_, at := rec.Pos()
			return nil, &FileError{path, at, "expected a line of a tpbench result file, found: " + rec.Msg + "; name another file with -o or --out"}
		case *benchfmt.Result:
			for _, c := range rec.Config {
				config[c.Key] = string(c.Value)
			}
			_, at := rec.Pos()
			done[sampleID{rounds[at], rec.Name.String()}] = true
		}
	}
	if err := r.Err(); err != nil {
		return nil, &FileError{path, 0, err.Error()}
	}
	if len(done) == 0 {
		return nil, &FileError{path, 0, "this file holds something, but no sample to go on from; name another with -o or --out, or remove it"}
	}
	for _, fact := range header(plan, facts) {
		if was := config[fact.Key]; was != fact.Value && !slices.Contains(passing, fact.Key) {
			return nil, &FileError{path, 0, fmt.Sprintf("this file was begun by another run (%s was %q, now it is %q); name another with -o or --out", fact.Key, was, fact.Value)}
		}
	}
	seed, err := strconv.ParseUint(config["seed"], 10, 64)
	if err != nil {
		return nil, &FileError{path, 0, "this file does not say its seed; name another with -o or --out"}
	}
	plan.Seed = seed
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	if err := f.Truncate(int64(len(whole))); err != nil {
		return nil, fmt.Errorf("harness: the results cannot be written: %w", err)
	}
	return &File{f, done}, nil
}
