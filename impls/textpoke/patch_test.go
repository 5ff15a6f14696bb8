//go:build linux && amd64

package textpoke_test

import (
	"fmt"
	"slices"
	"testing"

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
