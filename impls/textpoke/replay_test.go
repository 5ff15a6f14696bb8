//go:build steps && linux && amd64

package textpoke_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/textpoke/textpoketest"
)

// A replay is one interleaving of docs/interleavings.md: a site that is a NOP becomes a
// CALL, and a reader executes it in the middle. It is played with every patcher, in a
// process of its own, which may die of it.
//
// tx-T4, a vector of changes used again while a handler still reads it, has no subject: the
// table is permanent (P3; the kit's late trap). A store across a cache line is torn inside one
// instruction, where no schedule point can be: cross-line-store passes all of these,
// and only the random torture shows it.
type replay struct {
	name   string
	script string
	dies   map[string]string // the patchers that it kills, and their last words
}

var replays = []replay{
	{
		name: "tx-T1",
		script: `
updater                                   reader
change until textpoke: int3s written
                                          execute   // traps: whose is it?
go on`,
		dies: map[string]string{"flag-late": "SIGTRAP"},
	},
	{
		name: "tx-T2",
		script: `
updater                                   reader
change until textpoke: int3s written
                                          trap      // is held on its way to the handler
go on
                                          arrive    // whose is it?`,
		dies: map[string]string{"flag-late": "SIGTRAP", "flag-guarded": "SIGTRAP"},
	},
	{
		name: "tx-T3, head first",
		script: `
updater                                   reader
change until textpoke: heads written
                                          execute   // a CALL's opcode, a NOP's tail?
go on`,
		dies: map[string]string{"torn-head-first": "unexpected fault address"},
	},
	{
		name: "tx-T3, tail first",
		script: `
updater                                   reader
change until textpoke: tails written
                                          execute   // a NOP's opcode, a CALL's tail?
go on`,
		dies: map[string]string{"torn-tail-first": "SIGILL"},
	},
}

// replayEnv tells a copy of this test binary which replay to play with which patcher.
const replayEnv = "TEXTPOKE_REPLAY"

// If this fails, an interleaving no longer kills the patchers that have its bug, every
// time; or it harms one that has not.
func TestReplay(t *testing.T) {
	judge.Need(t, textpoke.Check(), "textpoke")
	for i, r := range replays {
		for _, v := range textpoke.Variants() {
			t.Run(strings.ReplaceAll(r.name, " ", "_")+"/"+v.Name, func(t *testing.T) {
				for range 3 {
					cmd := exec.Command(os.Args[0], "-test.run=^TestReplayOne$", "-test.v")
					cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", replayEnv, i, v.Name), "GOTRACEBACK=none")
					out, err := cmd.CombinedOutput()
					words, dies := r.dies[v.Name]
					var exit *exec.ExitError
					switch {
					case err != nil && !errors.As(err, &exit):
						t.Fatal(err)
					case dies && (err == nil || !strings.Contains(string(out), words)):
						t.Fatalf("%v; expected it to die of %q:\n%s", cmd.ProcessState, words, out)
					case !dies && err != nil:
						t.Fatalf("%v:\n%s", cmd.ProcessState, out)
					}
				}
			})
		}
	}
}

// TestReplayOne is the copy's part.
func TestReplayOne(t *testing.T) {
	job := os.Getenv(replayEnv)
	if job == "" {
		t.Skip("TestReplay runs this in processes of its own")
	}
	debug.SetGCPercent(-1) // a held thread stops for no collection
	var i int
	var name string
	_, err := fmt.Sscan(job, &i, &name)
	judge.Check(t, err)
	v, err := impls.Find("patcher", textpoke.Variants(), name)
	judge.Check(t, err)
	site := textpoketest.Sites(t)[17]
	nop, call := site.Insns[0], site.Insns[1]
	var got uint64
	arrived := make(chan bool)
	trace, err := step.Play(replays[i].script, map[string]func(){
		"change": func() {
			if err := v.New([]textpoke.Change{{Site: site.Site, To: call}}); err != nil {
				t.Error(err)
			}
		},
		"execute": func() { got = site.Run() },
		"trap": func() {
			if textpoke.Text(site.PC(), 1)[0] != 0xCC {
				return // this patcher has no traps to hold
			}
			begun := textpoke.TrapsBegun.Load()
			textpoke.HoldTraps.Store(1)
			go func() {
				got = site.Run()
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
	if got != 0 && got != site.Returns(nop) && got != site.Returns(call) {
		t.Errorf("executed %#x, neither old nor new", got)
	}
	site.Is(t, call)
}
