package harness

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/harness/host"
)

// headRE matches the lines of a file that come before its first sample.
var headRE = regexp.MustCompile(`^([a-z][a-z0-9-]*: .*|Unit \S+ better=\S+.*|# (plan|session|block|lost|again|end|sample|superseded) ?.*)$`)

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
var mayDiffer = []string{"load", "steal", "date", "seed", "tsc"}

// resume reads what earlier sessions left in a file, and returns the length of its whole
// lines. It sets the seed of the plan to the file's.
func (f *File) resume(path string, old []byte, plan *Plan, facts []host.Fact) (int64, error) {
	fail := func(line int, msg string) (int64, error) { return 0, &FileError{path, line, msg} }
	// The last line may be cut off, and is then not a sample.
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	rounds := map[int]int{} // the round of each line
	block, round, line := 0, 0, 0
	for text := range bytes.Lines(whole) {
		line++
		if bytes.HasPrefix(text, []byte("# end complete")) {
			return fail(line, "this file holds a whole run already; name another with -o or --out, or remove it")
		}
		fmt.Sscanf(string(text), "# block %d round %d", &block, &round) // other lines do not change them
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

// missing returns those names of which f has no sample in the round.
func (f *File) missing(round int, names []string) []string {
	var m []string
	for _, name := range names {
		if !f.done[sampleID{round, name}] {
			m = append(m, name)
		}
	}
	return m
}
