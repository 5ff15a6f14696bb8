package torture

import (
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// If this fails, a sound patcher lets a thread execute what a site never was.
func TestTextpoke(t *testing.T) {
	for _, s := range textpokeSubjects() {
		if s.Status == impls.Sound {
			t.Run(s.Name, func(t *testing.T) { try(t, s) })
		}
	}
}

// If this fails, the torture of sound patchers proves nothing: it does not notice one
// that is wrong, or that one is not wrong any more.
func TestTextpokeBusted(t *testing.T) {
	// A torn call may lead anywhere: where there is no code, the runtime dies while it looks
	// for the caller.
	caught := regexp.MustCompile(`(?m)^P1: |SIGTRAP: trace trap|SIGILL: illegal instruction|SIGSEGV|SIGBUS|unexpected fault address|invalid memory address|^fatal error: |unexpected return pc`)
	for _, s := range textpokeSubjects() {
		if s.Status == impls.Busted {
			t.Run(s.Name, func(t *testing.T) {
				judge.Need(t, s.Check(), s.Family, s.Name)
				cpus, err := allowedCPUs()
				judge.Check(t, err)
				if s.Name == "cross-line-store" && len(cpus) == 1 {
					t.Skip("a store is torn between CPUs, and this process may use one")
				}
				out, err := runChild(t, s.Family+"/"+s.Name, "GOTRACEBACK=none")
				var exit *exec.ExitError
				if !errors.As(err, &exit) || !caught.MatchString(out) {
					t.Errorf("not caught: %v\n%s", err, out)
				}
				t.Logf("%v: %s", err, caught.FindString(out))
			})
		}
	}
}

// If this fails, executions are not judged: the busted patchers would still be caught, since
// they die, but not one that makes a reader do something wrong and live.
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
			try(t, Subject{
				Family: "textpoke", Name: name, Status: impls.Busted, Check: textpoke.Check,
				attack: func(a *attack) error { return attackPatcher(a, wrong) },
			})
		})
	}
}

// If this fails, the torture reports what is right, or not what is wrong, or gives it
// another name.
func TestJudge(t *testing.T) {
	const nop, callA, callB = 0, 1, 2
	rest, patching := pack(4, nop, nop), pack(5, nop, callA)
	for _, row := range []struct {
		name   string
		before uint64
		got    int // by index; -1 for none
		after  uint64
		want   string
	}{
		{"at rest", rest, nop, rest, ""},
		{"at rest, another", rest, callA, rest, "P2"},
		{"at rest, none", rest, -1, rest, "P1"},
		{"patching, old", patching, nop, patching, ""},
		{"patching, new", patching, callA, patching, ""},
		{"patching, neither", patching, callB, patching, "P1"},
		{"patching what changes nothing", pack(5, nop, nop), callB, pack(5, nop, nop), "P1"},
		{"a patch begins, old", rest, nop, patching, ""},
		{"a patch begins, new", rest, callA, patching, ""},
		{"a patch begins, neither", rest, callB, patching, "P1"},
		{"a patch ends, old", patching, nop, pack(6, callA, callA), ""},
		{"a patch ends, neither", patching, callB, pack(6, callA, callA), "P1"},
		{"patches between that nobody saw", rest, callB, pack(8, callA, callA), ""},
		{"patches between that nobody saw, none", rest, -1, pack(8, callA, callA), "P1"},
	} {
		got := uint64(0xdead)
		if row.got >= 0 {
			got = ran[row.got]
		}
		if broken := brokenBy(row.before, got, row.after); broken != row.want {
			t.Errorf("%s: %q, want %q", row.name, broken, row.want)
		}
	}
}
