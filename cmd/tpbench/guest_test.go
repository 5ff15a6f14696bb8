package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/guest"
)

// If this fails, what a worker in a guest printed counts for another arm, a worker that failed or left out a line is taken for one
// that measured, or a worker of an older revision, whose canary means nothing in a guest, has the whole boot taken again.
func TestLinesOfAGuest(t *testing.T) {
	s := bootSample{Names: []string{"X/readers=0", "Y-8"}, Arm: "B"}
	const line = "# sample at 2026-11-22T00:00:00Z tried 3 kept 3 shared 3 disturbed\nBenchmarkX/readers=0 1 5 ns/op\n"
	for _, tt := range []struct {
		why  string
		exit guest.Exit
		want string // the lines, or the error
	}{
		{"whole", guest.Exit{Stdout: []byte(line + "BenchmarkY-8 1 6 ns/op\n")},
			"# sample at 2026-11-22T00:00:00Z tried 3 kept 3 shared 0\nBenchmarkX/readers=0/arm=B 1 5 ns/op\nBenchmarkY/arm=B-8 1 6 ns/op\n"},
		{"without a line", guest.Exit{Stdout: []byte(line)}, "the worker gave no line for BenchmarkY-8"},
		{"another name", guest.Exit{Stdout: []byte(line + "BenchmarkY-80 1 6 ns/op\n")}, "the worker gave no line for BenchmarkY-8"},
		{"died after its lines", guest.Exit{Stdout: []byte(line + "BenchmarkY-8 1 6 ns/op\n"), Stderr: []byte("panic: \x1b[31mno\n\ngoroutine 1"), Code: 2}, `exit status 2: panic: \x1b[31mno`},
		{"failed with a sentence", guest.Exit{Stderr: []byte("tpbench: the file is full\n"), Code: 1}, "exit status 1: the file is full"},
		{"declined", guest.Exit{Stderr: []byte("tpbench: not here\n"), Code: 3}, "exit status 3: not here"},
	} {
		lines, err := s.lines(tt.exit)
		got := string(lines)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
		failed, ok := errors.AsType[*workerError](err)
		if declines := ok && failed.declines(); declines != (tt.why == "declined") {
			t.Errorf("%s: declines: %v", tt.why, declines)
		}
	}
}

// If this fails, a boot runs the worker of a benchmark with two phases twice, for a sample of each; or all boots measure one
// of the layouts of a benchmark.
func TestSamplesOf(t *testing.T) {
	of := func(bench string) []string {
		for _, b := range benches.Benchmarks() {
			if b.Names[0] == bench {
				return b.Cases(benches.Params{})[0].Names
			}
		}
		t.Fatal(bench)
		return nil
	}
	both, dispatch := of("KernelDisableAll"), of("Dispatch")
	for round := range 3 {
		samples, err := samplesOf(slices.Concat(both, dispatch), round)
		must(t, err)
		want := []bootSample{{guestProgram, both, 0, ""}, {guestProgram, dispatch, round, ""}}
		if fmt.Sprint(samples) != fmt.Sprint(want) || len(both) != 2 {
			t.Errorf("round %d: %v, want %v", round, samples, want)
		}
	}
}

// If this fails, guests whose clock is the host's are measured beside each other.
func TestAtOnce(t *testing.T) {
	wall, virtual := guestFlags{time: "wall"}, guestFlags{time: "virtual"}
	if wall.atOnce() != 1 || virtual.atOnce() != runtime.NumCPU() {
		t.Errorf("%d guests at once in wall time, and %d in virtual time", wall.atOnce(), virtual.atOnce())
	}
}

// If this fails, an arm of a guest is measured first more often than another, an arm is not measured as often as the others or not beside them, or a run that is
// continued takes its boots in another order.
func TestOrderInABoot(t *testing.T) {
	s := &session{plan: &harness.Plan{Seed: 5}, guest: &guestRun{programs: map[string]string{"A": "base", "A2": "base", "B": "other"}}}
	var cases []harness.Planned
	for _, name := range []string{"X", "Y", "Z"} {
		for _, arm := range []string{"A", "A2", "B"} {
			cases = append(cases, harness.Planned{Case: harness.Case{Names: []string{name}}, Wanted: []string{name}, Block: name, Arm: arm})
		}
	}
	first, programs := map[string]int{}, map[string]string{}
	const rounds = 600
	for round := range rounds {
		b := s.boot(cases, round, 2)
		if again := s.boot(cases, round, 2); fmt.Sprint(b) != fmt.Sprint(again) {
			t.Fatalf("round %d: %v, then %v", round, b, again)
		}
		if len(b.Samples) != 2*len(cases) || b.Round != round {
			t.Fatalf("round %d: %v", round, b)
		}
		for i := 0; i < len(b.Samples); i += 3 {
			in := b.Samples[i : i+3]
			arms := []string{in[0].Arm, in[1].Arm, in[2].Arm}
			slices.Sort(arms)
			if in[0].Names[0] != in[1].Names[0] || in[1].Names[0] != in[2].Names[0] || !slices.Equal(arms, []string{"A", "A2", "B"}) {
				t.Fatalf("round %d: %v", round, in)
			}
			first[in[0].Arm]++
			for _, sample := range in {
				programs[sample.Arm] = sample.Program
			}
		}
	}
	for arm, n := range first {
		const each = rounds * 2 * 3 / 3
		if n < each*9/10 || n > each*11/10 {
			t.Errorf("arm %s is first %d times, want about %d", arm, n, each)
		}
	}
	if fmt.Sprint(programs) != "map[A:base A2:base B:other]" {
		t.Errorf("programs: %v", programs)
	}
}

// If this fails, a run that lost some samples of a boot takes all of them again, which the file would hold twice.
func TestBootOfMissingSamples(t *testing.T) {
	b := boot{Samples: []bootSample{{"base", []string{"X", "Y"}, 0, "A"}, {"other", []string{"X", "Y"}, 0, "B"}, {"base", []string{"X", "Y"}, 0, "A"}}}
	for names, want := range map[string]string{
		"X/arm=A Y/arm=A X/arm=B Y/arm=B": "base[X Y]A other[X Y]B base[X Y]A",
		"Y/arm=B":                         "other[Y]B",
		"X/arm=A X/arm=B":                 "base[X]A other[X]B base[X]A",
		"X":                               "",
	} {
		var got []string
		for _, s := range b.only(strings.Fields(names)).Samples {
			got = append(got, fmt.Sprint(s.Program, s.Names, s.Arm))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %s", names, got, want)
		}
	}
	if len(b.Samples[0].Names) != 2 {
		t.Errorf("the boot itself was changed: %v", b)
	}
	cmd := b.command(context.Background())
	text, err := io.ReadAll(cmd.Stdin)
	must(t, err)
	var read boot
	if err := json.Unmarshal(text, &read); err != nil || fmt.Sprint(read) != fmt.Sprint(b) {
		t.Errorf("a worker reads %v, %v", read, err)
	}
}
