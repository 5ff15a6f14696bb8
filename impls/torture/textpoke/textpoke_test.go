package textpoke

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/textsite"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/torture"
)

// If this fails, executions are not judged. The busted patchers would still be caught, since
// they die, but not one whose readers execute a wrong instruction and live.
func TestTextpokeJudges(t *testing.T) {
	for name, wrong := range map[string]textpoke.Patcher{
		"leaves sites as they were": func(changes []textpoke.Change) error {
			return textpoke.Int3Batch(changes[:len(changes)/2])
		},
		"goes by way of a NOP": func(changes []textpoke.Change) error {
			detour := slices.Clone(changes)
			for i := range detour {
				detour[i].To = textpoke.Nop
			}
			return errors.Join(textpoke.Int3Batch(detour), textpoke.Int3Batch(changes))
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Need(t, textpoke.Check(), "textpoke")
			if testing.Short() {
				t.Skip("half a minute, at most")
			}
			s := torture.Subject{
				Family: "textpoke", Name: name, Check: textpoke.Check,
				Attack: func(a *torture.Attack) error { return attackPatcher(a, wrong) },
			}
			r, err := s.Torture(context.Background(), torture.Options{For: 30 * time.Second, Seed: judge.Rand(t).Uint64()})
			judge.Check(t, err)
			if r.Failure == "" {
				t.Errorf("not caught: %+v", r)
			}
		})
	}
}

// If this fails, the torture reports an execution that is right, or does not report one that is
// wrong, or names another invariant.
func TestJudge(t *testing.T) {
	const nop, callA, callB = textsite.Nop, textsite.CallA, textsite.CallB
	unchanged, patching := pack(4, nop, nop), pack(5, nop, callA)
	for _, row := range []struct {
		name   string
		before uint64
		got    int // by index; -1 for none
		after  uint64
		want   string
	}{
		{"unchanged", unchanged, nop, unchanged, ""},
		{"unchanged, another", unchanged, callA, unchanged, "P2"},
		{"unchanged, none", unchanged, -1, unchanged, "P1"},
		{"patching, old", patching, nop, patching, ""},
		{"patching, new", patching, callA, patching, ""},
		{"patching, neither", patching, callB, patching, "P1"},
		{"patching what changes nothing", pack(5, nop, nop), callB, pack(5, nop, nop), "P1"},
		{"a patch begins, old", unchanged, nop, patching, ""},
		{"a patch begins, new", unchanged, callA, patching, ""},
		{"a patch begins, neither", unchanged, callB, patching, "P1"},
		{"a patch ends, old", patching, nop, pack(6, callA, callA), ""},
		{"a patch ends, neither", patching, callB, pack(6, callA, callA), "P1"},
		{"several patches in between", unchanged, callB, pack(8, callA, callA), ""},
		{"several patches in between, none", unchanged, -1, pack(8, callA, callA), "P1"},
	} {
		got := uint64(0xdead)
		if row.got >= 0 {
			got = textsite.Results[row.got]
		}
		if broken := brokenBy(row.before, got, row.after); broken != row.want {
			t.Errorf("%s: %q, want %q", row.name, broken, row.want)
		}
	}
}
