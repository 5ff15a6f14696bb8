package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/harness/host"
)

// formatVersion is the value of the configuration line "tpbench" that begins every
// file.
const formatVersion = "2"

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
	f interface {
		io.WriteCloser
		Sync() error
	}
	done map[sampleID]bool
}

type sampleID struct {
	round int
	name  string
}

// Done is how many samples an earlier, cut-off run has left in the file.
func (f *File) Done() int { return len(f.done) }

// Create opens path for the plan's results, before anything is measured. A file
// that does not exist is begun. One that an earlier run of the same plan and the same
// binary on the same machine left without its end is taken up where it stops, with its
// seed, which Create puts into the plan that asks for none; one without a sample yet is begun again. Any
// other file, and one that another run is writing to, is refused and left as it was.
func Create(path string, plan *Plan, facts []host.Fact, units []Unit) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, cannotWrite(err)
	}
	// Before it is opened: opening a pipe waits for a reader.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &FileError{path, 0, "results go to a file, and this is none; name another with -o or --out"}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return nil, cannotWrite(err)
	}
	file, err := takeUp(f, plan, facts, units)
	if err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	return file, nil
}

// takeUp locks the file and brings it to where the run's next line belongs.
func takeUp(f *os.File, plan *Plan, facts []host.Fact, units []Unit) (*File, error) {
	if err := lock(f); errors.Is(err, errLocked) {
		return nil, &FileError{f.Name(), 0, err.Error() + "; wait for its end, or name another with -o or --out"}
	} else if err != nil {
		return nil, cannotWrite(err)
	}
	old, err := io.ReadAll(f)
	if err != nil {
		return nil, cannotWrite(err)
	}
	file := &File{f: f, done: map[sampleID]bool{}}
	keep := int64(0)
	var head strings.Builder
	if len(old) > 0 && !begun(old) {
		if keep, err = file.resume(f.Name(), old, plan, facts); err != nil {
			return nil, err
		}
	} else {
		for _, fact := range header(plan, facts) {
			fmt.Fprintf(&head, "%s: %s\n", fact.Key, fact.Value)
		}
		for _, u := range units {
			fmt.Fprintln(&head, u)
		}
		fmt.Fprintf(&head, "# plan %d samples\n", plan.Samples())
	}
	// A session is one process that took samples; those of two are not one round's.
	fmt.Fprintf(&head, "# session %08x\n", rand.Uint32())
	if err := f.Truncate(keep); err != nil {
		return nil, cannotWrite(err)
	}
	return file, file.line("%s", head.String())
}

func cannotWrite(err error) error {
	return fmt.Errorf("harness: the results cannot be written: %w", err)
}

// line appends to the file in one write, so that a run that is cut off leaves whole
// lines.
func (f *File) line(format string, args ...any) error {
	if _, err := fmt.Fprintf(f.f, format, args...); err != nil {
		return cannotWrite(err)
	}
	return nil
}

// sync returns when what was written would survive a loss of power.
func (f *File) sync() error {
	if err := f.f.Sync(); err != nil {
		return cannotWrite(err)
	}
	return nil
}

// end writes the last line.
func (f *File) end(format string, args ...any) error {
	err := errors.Join(f.line(format, args...), f.sync())
	if e := f.f.Close(); e != nil && err == nil {
		err = cannotWrite(e)
	}
	return err
}

// headRE is a line of a file before its first sample.
var headRE = regexp.MustCompile(`^([a-z][a-z0-9-]*: .*|Unit \S+ better=\S+.*|# (plan|session|block|lost|again|end|sample|superseded) ?.*)$`)

// begun reports whether a file is one of ours that was cut off before its first
// sample: nothing is lost by beginning it again. A file of another kind, even one whose
// first line looks like ours, is not.
func begun(old []byte) bool {
	first, rest, whole := strings.Cut(string(old), "\n")
	if first != "tpbench: "+formatVersion || !whole || !strings.Contains(rest, "\nplan: ") {
		return false
	}
	for line := range strings.Lines(rest) {
		// The last line may have been cut off anywhere.
		if text, whole := strings.CutSuffix(line, "\n"); whole && !headRE.MatchString(text) {
			return false
		}
	}
	return true
}

// header is the configuration of a file: everything that can move a number.
func header(plan *Plan, facts []host.Fact) []host.Fact {
	head := []host.Fact{{Key: "tpbench", Value: formatVersion}}
	head = append(head, facts...)
	return append(head,
		host.Fact{Key: "seed", Value: strconv.FormatUint(plan.Seed, 10)},
		host.Fact{Key: "plan", Value: plan.id()})
}

// passing are the facts that may differ between the parts of a resumed run.
var passing = []string{"load", "steal", "date", "seed", "tsc"}

// resume reads what an earlier session left, and returns how many bytes of it are whole
// lines. It puts the seed of that session into the plan.
func (f *File) resume(path string, old []byte, plan *Plan, facts []host.Fact) (int64, error) {
	fail := func(line int, msg string) (int64, error) { return 0, &FileError{path, line, msg} }
	// A line that was being written when the run was cut off is no sample.
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	rounds := map[int]int{} // by line
	block, round, line := 0, 0, 0
	for text := range bytes.Lines(whole) {
		line++
		if bytes.HasPrefix(text, []byte("# end complete")) {
			return fail(line, "this file holds a whole run already; name another with -o or --out, or remove it")
		}
		fmt.Sscanf(string(text), "# block %d round %d", &block, &round) // any other line leaves them as they are
		rounds[line] = round
	}
	config := map[string]string{}
	r := benchfmt.NewReader(bytes.NewReader(whole), path)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			_, at := rec.Pos()
			return fail(at, "expected a line of a tpbench result file, found: "+rec.Msg+"; name another file with -o or --out")
		case *benchfmt.Result:
			for _, c := range rec.Config {
				config[c.Key] = string(c.Value)
			}
			_, at := rec.Pos()
			f.done[sampleID{rounds[at], rec.Name.String()}] = true
		}
	}
	if err := r.Err(); err != nil {
		return fail(0, err.Error())
	}
	if len(f.done) == 0 {
		return fail(0, "this file holds something, but no sample to go on from; name another with -o or --out, or remove it")
	}
	for _, fact := range header(plan, facts) {
		if was := config[fact.Key]; was != fact.Value && !slices.Contains(passing, fact.Key) {
			return fail(0, fmt.Sprintf("this file was begun by another run (%s was %q, now it is %q); name another with -o or --out", fact.Key, was, fact.Value))
		}
	}
	seed, err := strconv.ParseUint(config["seed"], 10, 64)
	if err != nil {
		return fail(0, "this file does not say its seed; name another with -o or --out")
	}
	if plan.AskedFor && seed != plan.Seed {
		return fail(0, fmt.Sprintf("this file was begun by another run (seed was %d, now it is %d); name another with -o or --out", seed, plan.Seed))
	}
	plan.Seed = seed
	return int64(len(whole)), nil
}
