package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

// armed has three arms in two blocks: one case with layouts, and one with two phases. B is slower.
func armed() *Plan {
	p := &Plan{Seed: 7, Builds: 3}
	for _, arm := range []string{"A", "A2", "B"} {
		slower := 0.0
		if arm == "B" {
			slower = 0.005
		}
		p.Cases = append(p.Cases,
			Planned{Case: Case{Names: []string{"X/readers=0"}, Layouts: 2}, Wanted: []string{"X/readers=0"}, Rounds: 4, Block: "X", Arm: arm, Slower: slower},
			Planned{Case: Case{Names: []string{"Y", "Z-8"}}, Wanted: []string{"Y", "Z-8"}, Rounds: 4, Block: "Y", Arm: arm, Slower: slower})
	}
	return p
}

// armedNames are those that the file has in each round, and armedSamples is how many it has in all.
var armedNames = []string{
	"X/readers=0/arm=A", "X/readers=0/arm=A2", "X/readers=0/arm=B",
	"Y/arm=A", "Y/arm=A2", "Y/arm=B", "Z/arm=A-8", "Z/arm=A2-8", "Z/arm=B-8",
}

const armedSamples = 9 * 4

// A measured is a whole block as a file has it.
type measured struct {
	round, build int
	layout       string
	names        []string // of samples that count
	superseded   []string
	lost         []string
}

var (
	blockRE = regexp.MustCompile(`^# block (\d+) round (\d+)(?: layout (\d+))?(?: build (\d+))?$`)
	nameRE  = regexp.MustCompile(`^(# superseded |# (?:again: )?lost round \d+ |)Benchmark([^\s:]+)`)
)

// blocksOf reads the blocks of a file.
func blocksOf(text string) (blocks []measured) {
	for line := range strings.Lines(text) {
		if m := blockRE.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			b := measured{layout: m[3], build: -1}
			fmt.Sscan(m[2], &b.round)
			fmt.Sscan(m[4], &b.build)
			blocks = append(blocks, b)
		}
		if m := nameRE.FindStringSubmatch(line); m != nil {
			b := &blocks[len(blocks)-1]
			switch {
			case m[1] == "":
				b.names = append(b.names, m[2])
			case m[1] == "# superseded ":
				b.superseded = append(b.superseded, m[2])
			default:
				b.lost = append(b.lost, m[2])
			}
		}
	}
	return blocks
}

// samplesOf returns the samples of a file that count, sorted: "3 X/arm=A" is of round 3.
func samplesOf(text string) (all []string) {
	for _, b := range blocksOf(text) {
		for _, name := range b.names {
			all = append(all, fmt.Sprint(b.round, " ", name))
		}
	}
	slices.Sort(all)
	return all
}

// runArmed runs armed into the file, and returns what the file then holds.
func runArmed(ctx context.Context, t *testing.T, r *Runner, path string) (Report, string, error) {
	t.Helper()
	p := armed()
	report, err := r.Run(ctx, p, create(t, path, p))
	return report, read(t, path), err
}

// If this fails, the samples of two arms have one name, or a worker is asked for a name that its
// benchmarks do not have, or for another arm, build or slowdown than the file says.
func TestArmsInTheFile(t *testing.T) {
	r := script(honest)
	var tasks []Task
	inner := r.Worker
	r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
		tasks = append(tasks, task)
		return inner(ctx, task)
	}
	var told []string
	r.Progress = func(at Progress) { told = append(told, at.Next) }
	report, text, err := runArmed(t.Context(), t, r, filepath.Join(t.TempDir(), "out.txt"))
	if err != nil || report.Done != armedSamples || report.Total != armedSamples || len(tasks) != 24 {
		t.Fatalf("%+v, %d tasks, %v", report, len(tasks), err)
	}
	next := 0
	for _, b := range blocksOf(text) {
		if b.build != b.round%3 || (b.layout != "") != strings.HasPrefix(b.names[0], "X") {
			t.Errorf("block %+v has another build or layout", b)
		}
		for len(b.names) > 0 {
			task := tasks[next]
			if told[next] != b.names[0] {
				t.Errorf("progress named %s before %s", told[next], b.names[0])
			}
			next++
			for i, name := range task.Names {
				if strings.Contains(name, "arm=") || !slices.Contains([]string{"X/readers=0", "Y", "Z-8"}, name) || b.names[i] != withArm(name, task.Arm) {
					t.Errorf("the worker of arm %s was asked for %s, and the file has %s", task.Arm, name, b.names[i])
				}
			}
			b.names = b.names[len(task.Names):]
			if layout := fmt.Sprint(task.Layout); task.Round != b.round || task.Build != b.build || b.layout != "" && b.layout != layout || (task.Slower == 0.005) != (task.Arm == "B") || task.Arm != "B" && task.Slower != 0 {
				t.Errorf("%+v is in block %+v", task, b)
			}
		}
	}
	var want []string
	for round := range 4 {
		for _, name := range armedNames {
			want = append(want, fmt.Sprint(round, " ", name))
		}
	}
	slices.Sort(want)
	if got := samplesOf(text); !slices.Equal(got, want) {
		t.Errorf("samples %q, want %q", got, want)
	}
}

// If this fails, the key arm is not where benchfmt and benchstat find it: last, before the
// number of CPUs.
func TestWithArm(t *testing.T) {
	for name, want := range map[string]string{
		"X": "X/arm=A2", "X/readers=0": "X/readers=0/arm=A2", "X-8": "X/arm=A2-8", "X/size=1k-16": "X/size=1k/arm=A2-16",
		"X/impl=no-sync-1-0/gp=memb": "X/impl=no-sync-1-0/gp=memb/arm=A2", "X/rate=1e-": "X/rate=1e-/arm=A2", "X/size-1": "X/size-1/arm=A2", "X-0": "X-0/arm=A2", "X-08": "X-08/arm=A2", "X/a-1/b": "X/a-1/b/arm=A2",
	} {
		got := withArm(name, "A2")
		if got != want || withArm(name, "") != name {
			t.Errorf("%s became %s, want %s; and %s without an arm", name, got, want, withArm(name, ""))
		}
		_, parts := benchfmt.Name(got).Parts()
		last := parts[len(parts)-1]
		if last[0] == '-' {
			last = parts[len(parts)-2]
		}
		if string(last) != "/arm=A2" {
			t.Errorf("benchfmt reads %q in %s", parts, got)
		}
	}
	lines := "# sample BenchmarkX \nBenchmarkX 1 5 ns/op\nBenchmarkX/y-4   \t 1\t5 ns/op\nBenchmarkX\nok BenchmarkX 1\n"
	const want = "# sample BenchmarkX \nBenchmarkX/arm=B 1 5 ns/op\nBenchmarkX/y/arm=B-4   \t 1\t5 ns/op\nBenchmarkX\nok BenchmarkX 1\n"
	if got := string(Rename([]byte(lines), "B")); got != want {
		t.Errorf("renamed: %q, want %q", got, want)
	}
	for name, want := range map[string]bool{"X": true, "X/y-4": true, "X/y": false, "": false, "ok": false} {
		if prints([]byte(lines), name) != want {
			t.Errorf("prints %q: %v", name, !want)
		}
	}
}

// If this fails, a worker that leaves out one of several names, or prints another that begins
// alike, is taken for one that printed all.
func TestWorkerLeavesOutAName(t *testing.T) {
	report, text, err := runArmed(t.Context(), t, script(`[ "$arm" = A2 ] && [ "$1" = Y ] && set -- Y Z-80; `+honest), filepath.Join(t.TempDir(), "out.txt"))
	if err != nil || len(report.Lost) != 8 || strings.Contains(text, "BenchmarkZ/arm=A2-80") || !strings.Contains(report.Lost[1], "BenchmarkZ/arm=A2-8: worker gave no line for BenchmarkZ-8") {
		t.Errorf("%+v, %v", report, err)
	}
}

// If this fails, a benchmark that failed in a boot takes all others of the boot with it.
func TestWorkerGivesSomeNames(t *testing.T) {
	report, text, err := runArmed(t.Context(), t, script(`[ "$arm" = A2 ] && [ "$1" = Y ] && { set -- Y; echo 'Z: panic' >&2; }; `+honest), filepath.Join(t.TempDir(), "out.txt"))
	if err != nil || report.Done != armedSamples-4 || len(report.Lost) != 4 || report.Lost[1] != "lost round 1 BenchmarkZ/arm=A2-8: worker gave no line for BenchmarkZ-8: Z: panic" {
		t.Errorf("%+v, %v", report, err)
	}
	for name, want := range map[string]int{"Y/arm=A2": 4, "Z/arm=A2-8": 0, "Z/arm=A-8": 4} {
		if n := strings.Count(text, "\nBenchmark"+name+" "); n != want {
			t.Errorf("%s: %d samples in the file, want %d", name, n, want)
		}
	}
}

// If this fails, one arm is measured first more often than another, or its place depends on its
// name, on its place in the block before, or on its place in another block of the round. The
// sign-flip test of a comparison is exact only if each order is as likely. chi2 is compared with
// a bound that one seed in a million exceeds; the seeds are fixed.
func TestOrderOfArmsIsUniform(t *testing.T) {
	orders := map[string]int{"[0 1 2]": 0, "[0 2 1]": 1, "[1 0 2]": 2, "[1 2 0]": 3, "[2 0 1]": 4, "[2 1 0]": 5}
	names := func(arms ...string) *Plan {
		p := &Plan{Builds: 5}
		for b := range 2 {
			for _, arm := range arms {
				p.Cases = append(p.Cases, Planned{Wanted: []string{fmt.Sprint(b)}, Rounds: 2, Block: fmt.Sprint(b), Arm: arm})
			}
		}
		return p
	}
	p, other := names("A", "A2", "B"), names("B", "x", "A")
	const seeds = 7200
	alone := map[int]int{}                         // of block 0 in round 0
	rounds, blocks := map[int]int{}, map[int]int{} // with the next round, with the other block
	for seed := range uint64(seeds) {
		p.Seed, other.Seed = seed, seed
		all := p.blocks()
		if fmt.Sprint(all) != fmt.Sprint(other.blocks()) {
			t.Fatalf("seed %d: the order depends on the names of the arms", seed)
		}
		var order [2][2]int // by round and block
		for _, b := range all {
			of := b.cases[0] / 3
			var places []int
			for _, i := range b.cases {
				places = append(places, i%3)
			}
			order[b.round][of] = orders[fmt.Sprint(places)]
		}
		alone[order[0][0]]++
		rounds[6*order[0][0]+order[1][0]]++
		blocks[6*order[0][0]+order[0][1]]++
	}
	for what, c := range map[string]struct {
		seen  map[int]int
		cells int
		bound float64
	}{"one block": {alone, 6, 35.9}, "two rounds": {rounds, 36, 95.7}, "two blocks": {blocks, 36, 95.7}} {
		chi2, want := 0.0, float64(seeds)/float64(c.cells)
		for i := range c.cells {
			d := float64(c.seen[i]) - want
			chi2 += d * d / want
		}
		if chi2 > c.bound {
			t.Errorf("%s: chi2 = %.1f with %d degrees of freedom: %v", what, chi2, c.cells-1, c.seen)
		}
	}
}

// If this fails, which arm is disturbed decides what is taken again, or only one arm is.
func TestDisturbedArmSupersedesTheBlock(t *testing.T) {
	for _, seed := range []uint64{0, 1, 5} { // the first arm of the first block is A, A2, B
		var first string // what happened, without the arms
		for _, arm := range []string{"A", "A2", "B"} {
			dir := t.TempDir()
			path := filepath.Join(dir, "out.txt")
			code := samples(fmt.Sprintf(`if [ "$n$arm" = "X/readers=0%s" ]; then echo x >> %[2]s/times; [ $(wc -l < %[2]s/times) -le 2 ] && s="shared 1 disturbed"; fi`, arm, dir))
			p := armed()
			p.Seed = seed
			report, err := script(code).Run(t.Context(), p, create(t, path, p))
			if err != nil || report.Done != armedSamples {
				t.Fatalf("%+v, %v", report, err)
			}
			var got []string
			for _, b := range blocksOf(read(t, path)) {
				slices.Sort(b.superseded)
				if n := len(b.superseded); n > 0 && !slices.Equal(b.superseded, armedNames[:3]) {
					t.Errorf("superseded: %s", b.superseded)
				}
				got = append(got, fmt.Sprintf("round %d layout %s build %d: %d and %d superseded", b.round, b.layout, b.build, len(b.names), len(b.superseded)))
			}
			all := strings.Join(got, "; ")
			if first == "" {
				first = all
			}
			if all != first || strings.Count(all, ": 0 and 3") != 2 {
				t.Errorf("seed %d, arm %s disturbed: %s\narm A disturbed: %s\nwant two superseded blocks", seed, arm, all, first)
			}
		}
	}
}

// If this fails, a block of the file has a sample of one arm and none of another that was not
// lost: arms are dropped alone.
func TestNoArmIsDroppedAlone(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	superseded := 0
	for range 4 {
		r := script(samples(`[ $dice = 0 ] && s="shared 1 disturbed"; [ $dice = 1 ] && exit 1`))
		inner := r.Worker
		r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
			cmd := inner(ctx, task)
			cmd.Env = append(cmd.Env, fmt.Sprint("dice=", rnd.IntN(8)))
			return cmd
		}
		_, text, err := runArmed(t.Context(), t, r, filepath.Join(t.TempDir(), "out.txt"))
		must(t, err)
		for _, b := range blocksOf(text) {
			want := armedNames[:3]
			if b.layout == "" {
				want = armedNames[3:]
			}
			all := slices.Concat(b.names, b.superseded, b.lost)
			slices.Sort(all)
			if !slices.Equal(all, want) || len(b.names) > 0 && len(b.superseded) > 0 {
				t.Fatalf("seed %d: block %+v; want %s, superseded all or none\n%s", seed, b, want, text)
			}
			superseded += len(b.superseded)
		}
	}
	if superseded == 0 {
		t.Errorf("seed %d: nothing was superseded", seed)
	}
}

// If this fails, a run that is interrupted somewhere, or whose file is cut off somewhere, measures
// a sample twice or never when it is continued, or at another build.
func TestResumeAtEveryPlace(t *testing.T) {
	dir := t.TempDir()
	_, whole, err := runArmed(t.Context(), t, script(honest), filepath.Join(dir, "whole.txt"))
	must(t, err)
	want := samplesOf(whole)
	resume := func(path, how string) {
		t.Helper()
		report, text, err := runArmed(t.Context(), t, script(honest), path)
		if err != nil || report.Done != armedSamples || len(report.Lost) > 0 || !strings.HasSuffix(text, "\n# end complete\n") {
			t.Fatalf("%s: %+v, %v", how, report, err)
		}
		if got := samplesOf(text); !slices.Equal(got, want) {
			t.Errorf("%s: samples %q, want %q", how, got, want)
		}
		for _, b := range blocksOf(text) {
			if b.build != b.round%3 {
				t.Errorf("%s: %+v", how, b)
			}
		}
	}
	every := 1
	if testing.Short() {
		every = 5
	}
	for at := 1; at < 24; at += every {
		path := filepath.Join(dir, fmt.Sprint("interrupted", at))
		sample := 0
		r, ctx := interruptedWhen(t, func(Progress) bool { sample++; return sample > at })
		if _, _, err := runArmed(ctx, t, r, path); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		resume(path, fmt.Sprintf("interrupted after %d samples", at))
	}
	rnd := rand.New(rand.NewPCG(1, 0))
	body := strings.Index(whole, "# block 0")
	for at := body; at < len(whole)-len("# end complete\n"); at += 1 + rnd.IntN(200*every) {
		path := filepath.Join(dir, fmt.Sprint("cut", at))
		must(t, os.WriteFile(path, []byte(whole[:at]), 0o666))
		resume(path, fmt.Sprintf("cut off in %q", whole[max(0, at-30):at]))
	}
}
