package harness

import (
	"bytes"
	"cmp"
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

// formatVersion is the value of the configuration line "tpbench" that begins every file.
const formatVersion = "2"

// A FileError says in one sentence why the results of a run cannot be written to a file.
type FileError struct {
	Path string
	Line int // 0 if it is not about one line
	Msg  string
}

func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
	}
	return e.Path + ": " + e.Msg
}

// A File gets the lines of one run. Lines are only appended.
type File struct {
	f    file
	done map[sampleID]bool

	// past: looks after so many rounds, or fewer, are of the past. See running.look.
	past int
}

// A file is what Run needs of an *os.File.
type file interface {
	io.WriteCloser
	Sync() error
}

type sampleID struct {
	round int
	name  string // with the arm
}

// Done returns how many samples the file held when it was opened.
func (f *File) Done() int { return len(f.done) }

// Create opens the file at path for the results of the plan, before anything is measured:
//
//   - It begins a file that does not exist, and one that has no sample yet.
//   - It continues a file without "# end complete" and "# end decided", if that is of the same plan, binary
//     and machine. See also Plan.SeedGiven.
//   - For any other file, and for one that another run is writing to, it returns a *FileError
//     and leaves the file as it is.
func Create(path string, plan *Plan, facts []host.Fact, units []Unit) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, cannotWrite(err)
	}
	if err := CheckRegular(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return nil, cannotWrite(err)
	}
	results, err := begin(f, plan, facts, units)
	if err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	return results, nil
}

// CheckRegular returns a *FileError if path is a pipe, a device or a directory. Create asks that before it opens the
// file, since opening a pipe waits for a reader. So does a caller that reads it first: a device may have no end.
func CheckRegular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &FileError{path, 0, "this is not a regular file; name another with -o or --out"}
	}
	return nil
}

// begin locks the file, cuts off what is not a whole line, and writes what comes before the
// session's first block.
func begin(f *os.File, plan *Plan, facts []host.Fact, units []Unit) (*File, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	old, err := io.ReadAll(f)
	if err != nil {
		return nil, cannotWrite(err)
	}
	results := &File{f: f, done: map[sampleID]bool{}}
	keep := int64(0)
	var head strings.Builder
	if len(old) > 0 && !onlyHead(old) {
		if keep, err = results.resume(f.Name(), old, plan, facts); err != nil {
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
	fmt.Fprintf(&head, "# session %08x\n", rand.Uint32())
	if err := f.Truncate(keep); err != nil {
		return nil, cannotWrite(err)
	}
	return results, results.line("%s", head.String())
}

// cannotWrite explains the error of an operation on a file. nil stays nil.
func cannotWrite(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("harness: the results cannot be written: %w", err)
}

// line appends to the file in one write, so that a run that is killed leaves whole lines.
func (f *File) line(format string, args ...any) error {
	_, err := fmt.Fprintf(f.f, format, args...)
	return cannotWrite(err)
}

// sync returns when a loss of power would not lose what was written.
func (f *File) sync() error { return cannotWrite(f.f.Sync()) }

// end writes the last line and closes the file.
func (f *File) end(format string, args ...any) error {
	err := errors.Join(f.line(format, args...), f.sync())
	return cmp.Or(err, cannotWrite(f.f.Close()))
}

// header returns the configuration lines of a file: everything that can change a number.
func header(plan *Plan, facts []host.Fact) []host.Fact {
	head := []host.Fact{{Key: "tpbench", Value: formatVersion}}
	head = append(head, facts...)
	return append(head,
		host.Fact{Key: "seed", Value: strconv.FormatUint(plan.Seed, 10)},
		host.Fact{Key: "plan", Value: plan.id()})
}

// headRE matches the lines of a file that come before its first sample.
var headRE = regexp.MustCompile(`^([a-z][a-z0-9._+-]*: .*|Unit \S+ better=\S+.*|# (plan|session|block|look|lost|again|end|sample|superseded) ?.*)$`)

// onlyHead reports whether a file is a result file without a sample. Nothing is lost when Create
// begins it again. It is false of a file of another kind, even one with the first line of a
// result file.
func onlyHead(old []byte) bool {
	first, rest, whole := strings.Cut(string(old), "\n")
	if first != "tpbench: "+formatVersion || !whole || !strings.Contains(rest, "\nplan: ") {
		return false
	}
	for line := range strings.Lines(rest) {
		// The last line may be cut off at any place.
		if text, whole := strings.CutSuffix(line, "\n"); whole && !headRE.MatchString(text) {
			return false
		}
	}
	return true
}

// mayDiffer are the configuration lines that may differ between the sessions of a file.
var mayDiffer = []string{"load", "steal", "date", "seed", "tsc", "command"}

// resume reads what earlier sessions left in a file, and returns the length of its whole
// lines. It sets the seed of the plan to the file's.
func (f *File) resume(path string, old []byte, plan *Plan, facts []host.Fact) (int64, error) {
	fail := func(line int, msg string) (int64, error) { return 0, &FileError{path, line, msg} }
	// The last line may be cut off, and is then not a sample.
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	rounds := map[int]int{} // the round of each line
	block, round, look, line := 0, 0, 0, 0
	for text := range bytes.Lines(whole) {
		line++
		if bytes.HasPrefix(text, []byte("# end complete")) {
			return fail(line, "this file holds a whole run already; name another with -o or --out, or remove it")
		}
		if bytes.HasPrefix(text, []byte("# end decided")) {
			return fail(line, "this file holds a run that a look has decided, so nothing is missing; name another with -o or --out, or remove it")
		}
		fmt.Sscanf(string(text), "# block %d round %d", &block, &round) // other lines do not change them
		fmt.Sscanf(string(text), "# look after %d rounds", &look)
		rounds[line] = round
		f.past = max(f.past, round, look)
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
		return fail(0, "this file is not empty and has no sample to continue from; name another with -o or --out, or remove it")
	}
	for _, fact := range header(plan, facts) {
		if was := config[fact.Key]; was != fact.Value && !slices.Contains(mayDiffer, fact.Key) {
			return fail(0, fmt.Sprintf("another run began this file (%s was %q, now it is %q); name another with -o or --out", fact.Key, was, fact.Value))
		}
	}
	seed, err := strconv.ParseUint(config["seed"], 10, 64)
	if err != nil {
		return fail(0, "this file has no seed line; name another with -o or --out")
	}
	if plan.SeedGiven && seed != plan.Seed {
		return fail(0, fmt.Sprintf("another run began this file (seed was %d, now it is %d); name another with -o or --out", seed, plan.Seed))
	}
	plan.Seed = seed
	return int64(len(whole)), nil
}

// missing returns those of c's Wanted of which f has no sample in the round.
func (f *File) missing(round int, c *Planned) []string {
	return slices.DeleteFunc(slices.Clone(c.Wanted), func(name string) bool { return f.done[sampleID{round, withArm(name, c.Arm)}] })
}
