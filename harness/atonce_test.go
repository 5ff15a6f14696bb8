package harness

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// blocksApart is a plan of blocks that each have one sample.
func blocksApart(blocks, rounds, atOnce int) *Plan {
	p := &Plan{Seed: 1, AtOnce: atOnce}
	for i := range blocks {
		name := fmt.Sprintf("B%d", i)
		p.Cases = append(p.Cases, Planned{Case: Case{Names: []string{name}}, Wanted: []string{name}, Rounds: rounds, Block: name})
	}
	return p
}

// If this fails, blocks are measured one after the other although the plan allows more, which takes twice as long; or
// more than it allows are; or a sample of one is lost or written twice; or a look is asked before all samples of its rounds are there.
func TestAtOnce(t *testing.T) {
	for atOnce := range 4 {
		const blocks, rounds = 3, 4
		dir := t.TempDir()
		path := filepath.Join(dir, "out.txt")
		r := &Runner{Looks: []int{2}}
		r.Look = func(n int) (bool, error) {
			if got := len(samplesOf(read(t, path))); got != n*blocks {
				t.Errorf("%d at once: a look after %d rounds sees %d samples", atOnce, n, got)
			}
			return false, nil
		}
		r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
			script := `touch on.$$; ls on.* | wc -l >> counts; `
			if atOnce > 1 { // the first of all waits for another, so that the machine's speed does not matter
				script += `while [ $(wc -l < counts) -lt 2 ]; do sleep 0.01; done; `
			}
			cmd := exec.CommandContext(ctx, "sh", "-c", script+`echo "Benchmark`+task.Names[0]+` 1 5 ns/op"; rm on.$$`)
			cmd.Dir = dir
			return cmd
		}
		p := blocksApart(blocks, rounds, atOnce)
		report, err := r.Run(t.Context(), p, create(t, path, p))
		if err != nil || report.Done != blocks*rounds || len(report.Lost) > 0 {
			t.Errorf("%d at once: %+v, %v", atOnce, report, err)
		}
		text := read(t, path)
		seen := map[string]int{}
		for _, b := range blocksOf(text) {
			for _, name := range b.names {
				seen[fmt.Sprint(b.round, name)]++
			}
		}
		if len(seen) != blocks*rounds || !strings.HasSuffix(text, "\n# end complete\n") {
			t.Errorf("%d at once: the file has %v", atOnce, seen)
		}
		most := slices.Max(strings.Fields(read(t, filepath.Join(dir, "counts"))))
		if want := strconv.Itoa(max(1, atOnce)); most > want || (most == "1") != (want == "1") {
			t.Errorf("%d at once: %s ran at the same time", atOnce, most)
		}
	}
}

// If this fails, blocks begin after one has failed, or the samples that another block took meanwhile are lost.
func TestAtOnceStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	ctx, cancel := context.WithCancel(t.Context())
	var begun atomic.Int32
	r := &Runner{Worker: func(ctx context.Context, task Task) *exec.Cmd {
		if begun.Add(1) == 3 {
			cancel()
		}
		return exec.CommandContext(ctx, "sh", "-c", `echo "Benchmark`+task.Names[0]+` 1 5 ns/op"`)
	}}
	p := blocksApart(4, 5, 2)
	report, err := r.Run(ctx, p, create(t, path, p))
	if !errors.Is(err, context.Canceled) || begun.Load() > 4 || len(samplesOf(read(t, path))) != report.Done {
		t.Errorf("%+v, %v after %d workers", report, err, begun.Load())
	}
	report, err = r.Run(t.Context(), p, create(t, path, p))
	if err != nil || report.Done != 20 || len(samplesOf(read(t, path))) != 20 {
		t.Errorf("continued: %+v, %v", report, err)
	}
}
