//go:build linux && amd64

package textpoke_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// If this fails, a thread that executes the site between two steps of the protocol does not
// execute a whole instruction, the old one or the new one by a trap: the table has the new
// instruction later than the text has the int3 (P3), or a new head is written before its tail.
func TestP1P3StepByStep(t *testing.T) {
	sites := testSites(t)
	for from := range sites[0].insns {
		for to := range sites[0].insns {
			if from != to {
				t.Run(fmt.Sprintf("%d-%d", from, to), func(t *testing.T) {
					for _, offset := range []int{0, 30, 59, 60, 61, 62, 63} { // into a cache line
						stepByStep(t, sites[offset], from, to)
					}
				})
			}
		}
	}
}

func stepByStep(t *testing.T, s *testSite, from, to int) {
	s.patch(t, textpoke.Int3Batch, from)
	textpoke.TextMutex.Lock()
	defer textpoke.TextMutex.Unlock()
	work, err := textpoke.Prepare([]textpoke.Change{s.to(to)})
	judge.Check(t, err)
	if len(work) != 1 {
		t.Fatalf("%d changes", len(work))
	}
	before, after, int3 := s.code(s.insns[from]), s.code(s.insns[to]), []byte{opInt3}
	for _, step := range []struct {
		name  string
		write func()
		text  []byte
		traps uint64
	}{
		{"2, the int3", func() { textpoke.WriteInt3s(&work[0], 1) }, slices.Concat(int3, before[1:]), 1},
		{"3, the tail", func() { textpoke.WriteTails(&work[0], 1) }, slices.Concat(int3, after[1:]), 1},
		{"4, the head", func() { textpoke.WriteHeads(&work[0], 1) }, after, 0},
	} {
		step.write()
		textpoke.SyncCores()
		if text := textpoke.Text(s.PC(), textpoke.Size); !slices.Equal(text, step.text) {
			t.Errorf("step %s: the bytes are % x, want % x", step.name, text, step.text)
		}
		if s.Insn() != s.insns[to] {
			t.Errorf("step %s: the table has %v, not %v", step.name, s.Insn(), s.insns[to])
		}
		traps := textpoke.Totals().Traps
		if got, want := s.run(), s.result(s.insns[to]); got != want {
			t.Errorf("step %s: executed as %#x, want %#x", step.name, got, want)
		}
		if got := textpoke.Totals().Traps - traps; got != step.traps {
			t.Errorf("step %s: %d traps, want %d", step.name, got, step.traps)
		}
	}
}

// If this fails, batches or syncs are miscounted, and the benchmarks explain costs by wrong counts;
// or a sync is missing, which nothing else shows on a machine whose fetches are coherent.
func TestP5CountersAreExact(t *testing.T) {
	sites := testSites(t)
	all := func(index, n int) (changes []textpoke.Change) {
		for _, s := range sites[:n] {
			changes = append(changes, s.to(index))
		}
		return changes
	}
	for _, row := range []struct {
		name          string
		changes       []textpoke.Change
		single, batch uint64 // patches by int3 and by int3-batch, from all NOPs
	}{
		{"nothing", nil, 0, 0},
		{"one that changes nothing", all(nop, 1), 0, 0},
		{"many that change nothing", all(nop, 64), 0, 0},
		{"one", all(callA, 1), 1, 1},
		{"two", all(callA, 2), 2, 1},
		{"sixty-four", all(callA, 64), 64, 1},
		{"two of four", append(all(callA, 2), all(nop, 4)[2:]...), 2, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, patcher := range map[string]struct {
				patch textpoke.Patcher
				want  uint64
			}{"int3": {textpoke.Int3, row.single}, "int3-batch": {textpoke.Int3Batch, row.batch}} {
				judge.Check(t, textpoke.Int3Batch(all(nop, len(sites))))
				before := textpoke.Totals()
				judge.Check(t, patcher.patch(row.changes))
				got := textpoke.Totals()
				if n := got.Batches - before.Batches; n != patcher.want {
					t.Errorf("%s: %d batches, want %d", name, n, patcher.want)
				}
				if n := got.Syncs - before.Syncs; n != 3*patcher.want {
					t.Errorf("%s: %d syncs, want %d", name, n, 3*patcher.want)
				}
			}
		})
	}
}

func BenchmarkPatch(b *testing.B) {
	sites := testSites(b)
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("impl=%s/sites=%d", v.Name, n), func(b *testing.B) {
				to := [2][]textpoke.Change{}
				for _, s := range sites[:n] {
					to[0] = append(to[0], s.to(callA))
					to[1] = append(to[1], s.to(nop))
				}
				for i := 0; b.Loop(); i++ {
					judge.Check(b, v.New(to[i%2]))
				}
			})
		}
	}
}
