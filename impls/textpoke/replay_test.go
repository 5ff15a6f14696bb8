//go:build steps && linux && amd64

package textpoke_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// The scripts of this file are the interleavings of docs/interleavings.md: a site that is a NOP
// becomes a CALL, and a reader executes it in the middle. Each is played in a process of its own.
// What is found is the message that the process dies with.
//
// tx-T4 has no busted variant: the table of sites is permanent (P3; the conformance tests' late
// trap).
var replays = []judge.Replay{
	{Name: "tx-T1", Script: `
updater                                   reader
change until textpoke: int3s written
                                          execute   // traps: does the handler claim the trap?
go on`, Breaks: map[string]string{"flag-late": "SIGTRAP"}},
	{Name: "tx-T2", Script: `
updater                                   reader
change until textpoke: int3s written
                                          trap      // stops before the handler
go on
                                          arrive    // does the handler claim the trap?`,
		Breaks: map[string]string{"flag-late": "SIGTRAP", "flag-guarded": "SIGTRAP"}},
	{Name: "tx-T3, head first", Script: `
updater                                   reader
change until textpoke: heads written
                                          execute   // the head of a CALL, the tail of a NOP?
go on`, Breaks: map[string]string{"torn-head-first": "unexpected fault address"}},
	{Name: "tx-T3, tail first", Script: `
updater                                   reader
change until textpoke: tails written
                                          execute   // the head of a NOP, the tail of a CALL?
go on`, Breaks: map[string]string{
		"torn-tail-first": "SIGILL",
		// Its store is torn inside one instruction, where no schedule point can be. Only the
		// random torture shows it.
		"cross-line-store": "",
	}},
}

// replayEnv tells a copy of this test binary which script to play with which patcher.
const replayEnv = "TEXTPOKE_REPLAY"

// If this fails, a script no longer kills a patcher that it is drawn for, or it harms a sound one.
func TestReplay(t *testing.T) {
	patchers := textpoke.Variants()
	for i := range patchers {
		patchers[i].Check = textpoke.Check // no store meets an execution: the make of the CPU does not matter
	}
	judge.Replays(t, "textpoke", patchers, 3, replays, func(t *testing.T, r judge.Replay, v textpoke.Variant) (found string, trace []string) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestReplayOne$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%s", replayEnv, r.Name, v.Name), "GOTRACEBACK=none")
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch message := r.Breaks[v.Name]; {
		case err == nil:
			return "", []string{string(out)}
		case !errors.As(err, &exit):
			t.Fatal(err)
		case message != "" && strings.Contains(string(out), message):
			return message, []string{string(out)}
		}
		return cmd.ProcessState.String(), []string{string(out)}
	})
}

// TestReplayOne plays one script in the copy. If it fails, so does TestReplay.
func TestReplayOne(t *testing.T) {
	job := os.Getenv(replayEnv)
	if job == "" {
		t.Skip("TestReplay runs this in processes of its own")
	}
	debug.SetGCPercent(-1) // the collector would wait for a thread that stops before the handler
	script, name, _ := strings.Cut(job, "/")
	i := slices.IndexFunc(replays, func(r judge.Replay) bool { return r.Name == script })
	v, err := impls.Find("patcher", textpoke.Variants(), name)
	judge.Check(t, err)
	site := testSiteInWord(t)
	var got uint64
	arrived := make(chan bool)
	trace, err := step.Play(replays[i].Script, map[string]func(){
		"change":  func() { site.patch(t, v.New, callA) },
		"execute": func() { got = site.run() },
		"trap": func() {
			if textpoke.Text(site.PC(), 1)[0] != opInt3 {
				return // this patcher writes no int3
			}
			begun := textpoke.TrapsBegun.Load()
			textpoke.HoldTraps.Store(1)
			go func() {
				got = site.run()
				close(arrived)
			}()
			for textpoke.TrapsBegun.Load() == begun {
			}
		},
		"arrive": func() {
			if textpoke.HoldTraps.Swap(0) == 1 {
				<-arrived
			}
		},
	})
	judge.Check(t, err)
	t.Logf("%s\nexecuted %#x", strings.Join(trace, "\n"), got)
	if got != 0 && got != results[nop] && got != results[callA] {
		t.Errorf("executed %#x, neither old nor new", got)
	}
	site.is(t, site.insns[callA])
}
