//go:build steps && linux && amd64

package textpoke

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// A replay is one interleaving of docs/interleavings.md: a site that is a NOP becomes a
// CALL, and a reader executes it in the middle. It is played with every patcher, in a
// process of its own, which may die of it.
//
// T4, a vector of changes used again while a handler still reads it, has no subject: the
// table is permanent (P3; TestP3LateTrap). A store across a cache line is torn inside one
// instruction, where no schedule point can be: cross-line-store passes all of these,
// and only the random torture shows it.
type replay struct {
	name   string
	script string
	dies   map[string]string // the patchers that it kills, and their last words
}

var replays = []replay{
	{
		name: "T1",
		script: `
updater                                   reader
change until textpoke: int3s written
                                          execute   // traps: whose is it?
go on`,
		dies: map[string]string{"flag-late": "SIGTRAP"},
	},
	{
		name: "T2",
		script: `
updater                                   reader
change until textpoke: int3s written
                                          trap      // is held on its way to the handler
go on
                                          arrive    // whose is it?`,
		dies: map[string]string{"flag-late": "SIGTRAP", "flag-guarded": "SIGTRAP"},
	},
	{
		name: "T3, head first",
		script: `
updater                                   reader
change until textpoke: heads written
                                          execute   // a CALL's opcode, a NOP's tail?
go on`,
		dies: map[string]string{"torn-head-first": "unexpected fault address"},
	},
	{
		name: "T3, tail first",
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
	need(t, Check())
	for i, r := range replays {
		for _, v := range Variants() {
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
	if _, err := fmt.Sscan(job, &i, &name); err != nil {
		t.Fatal(err)
	}
	all := Variants()
	v := all[slices.IndexFunc(all, func(v Variant) bool { return v.Name == name })]
	site, call := replaySite(t)
	var got uint64
	arrived := make(chan bool)
	trace, err := step.Play(replays[i].script, map[string]func(){
		"change": func() {
			if err := v.New([]Change{{site.Site, call}}); err != nil {
				t.Error(err)
			}
		},
		"execute": func() { got = site.run() },
		"trap": func() {
			if Text(site.PC(), 1)[0] != opInt3 {
				return // this patcher has no traps to hold
			}
			begun := trapsBegun.Load()
			holdTraps.Store(1)
			go func() {
				got = site.run()
				close(arrived)
			}()
			for trapsBegun.Load() == begun {
			}
		},
		"arrive": func() {
			if holdTraps.Swap(0) == 1 {
				<-arrived
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\nexecuted %#x", strings.Join(trace, "\n"), got)
	if got != 0 && got != ranNop && got != ranCallA {
		t.Errorf("executed %#x, neither old nor new", got)
	}
	if after := site.run(); after != ranCallA {
		t.Errorf("after the patch the site executes %#x", after)
	}
}

// replaySite is a site of which a NOP's opcode with the CALL's tail is UD2, and a CALL's
// opcode with the NOP's tail goes where nothing is mapped.
func replaySite(t *testing.T) (mappedSite, Insn) {
	text, err := Map(1024)
	if err != nil {
		t.Fatal(err)
	}
	const at, target = 64, 512 + (64+Size+0x0B)%256
	nop := bytesOf(nopCode)
	copy(text[at-2:], []byte{0x31, 0xC0})
	copy(text[at:], nop[:Size])
	copy(text[at+Size:], []byte{0x83, 0xC0, 0x10, 0xC3})
	text[target] = 0xB8 // MOVL $1, AX; RET
	binary.LittleEndian.PutUint32(text[target+1:], 1)
	text[target+Size] = 0xC3
	base := textAddress(text)
	sites, err := Register([]uintptr{base + at})
	if err != nil {
		t.Fatal(err)
	}
	return mappedSite{sites[0], funcAt(base + at - 2)}, Call(base + target)
}
