//go:build linux && amd64

package textpoke_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/textpoke/textpoketest"
)

// The steps of the protocol by themselves: whatever a thread meets between two of
// them has to be a whole instruction, the old or a trap that performs the new one.
// If the table learned of the new instruction after the int3 (P3), or a head were
// written with the old tail behind it, this shows it without a race.
func TestP1P3StepByStep(t *testing.T) {
	sites := textpoketest.Sites(t)
	for from := range sites[0].Insns {
		for to := range sites[0].Insns {
			if from != to {
				t.Run(fmt.Sprintf("%d-%d", from, to), func(t *testing.T) {
					for _, offset := range []int{0, 30, 59, 60, 61, 62, 63} {
						stepByStep(t, sites[offset], from, to)
					}
				})
			}
		}
	}
}

func stepByStep(t *testing.T, s *textpoketest.Site, from, to int) {
	change := []textpoke.Change{{Site: s.Site, To: s.Insns[from]}}
	judge.Check(t, textpoke.Int3Batch(change))
	change[0].To = s.Insns[to]
	textpoke.TextMutex.Lock()
	defer textpoke.TextMutex.Unlock()
	work, err := textpoke.Prepare(change)
	judge.Check(t, err)
	if len(work) != 1 {
		t.Fatalf("%d changes", len(work))
	}
	before, after, int3 := s.Code(s.Insns[from]), s.Code(s.Insns[to]), []byte{0xCC}
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
		if s.Insn() != s.Insns[to] {
			t.Errorf("step %s: the table says %v, not %v", step.name, s.Insn(), s.Insns[to])
		}
		traps := textpoke.Totals().Traps
		if got, want := s.Run(), s.Returns(s.Insns[to]); got != want {
			t.Errorf("step %s: executed as %#x, want %#x", step.name, got, want)
		}
		if got := textpoke.Totals().Traps - traps; got != step.traps {
			t.Errorf("step %s: %d traps, want %d", step.name, got, step.traps)
		}
	}
}

// If batches or syncs were miscounted, the cost that the benchmarks explain with them
// would be explained wrongly; if a sync were left out, by nothing else would it show on
// a machine whose fetches are coherent.
func TestP5CountersAreExact(t *testing.T) {
	sites := textpoketest.Sites(t)
	all := func(index, n int) (changes []textpoke.Change) {
		for _, s := range sites[:n] {
			changes = append(changes, textpoke.Change{Site: s.Site, To: s.Insns[index]})
		}
		return changes
	}
	for _, row := range []struct {
		name          string
		changes       []textpoke.Change
		single, batch uint64 // patches by int3 and by int3-batch, from all NOPs
	}{
		{"nothing", nil, 0, 0},
		{"one that changes nothing", all(0, 1), 0, 0},
		{"many that change nothing", all(0, 64), 0, 0},
		{"one", all(1, 1), 1, 1},
		{"two", all(1, 2), 2, 1},
		{"sixty-four", all(1, 64), 64, 1},
		{"two of four", append(all(1, 2), all(0, 4)[2:]...), 2, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, patcher := range map[string]struct {
				patch textpoke.Patcher
				want  uint64
			}{"int3": {textpoke.Int3, row.single}, "int3-batch": {textpoke.Int3Batch, row.batch}} {
				judge.Check(t, textpoke.Int3Batch(all(0, len(sites))))
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
	sites := textpoketest.Sites(b)
	for _, v := range impls.OnlySound(textpoke.Variants()) {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("impl=%s/sites=%d", v.Name, n), func(b *testing.B) {
				to := [2][]textpoke.Change{}
				for _, s := range sites[:n] {
					to[0] = append(to[0], textpoke.Change{Site: s.Site, To: s.Insns[1]})
					to[1] = append(to[1], textpoke.Change{Site: s.Site, To: s.Insns[0]})
				}
				for i := 0; b.Loop(); i++ {
					judge.Check(b, v.New(to[i%2]))
				}
			})
		}
	}
}
