//go:build linux && amd64

package textpoke_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// childEnv tells a copy of this test binary to take one trap and report.
const childEnv = "TEXTPOKE_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		child(job)
		return
	}
	os.Exit(m.Run())
}

// child runs in the copy. job is "with" or "without" the trap handler, and a kind of trap.
func child(job string) {
	handler, trap, _ := strings.Cut(job, " ")
	if handler == "with" {
		exitOn(dispatch.Open())
	}
	kill := func() { exitOn(syscall.Kill(os.Getpid(), syscall.SIGTRAP)) }
	// The signal arrives on some thread, at some time. This sleeps until then: if no goroutine
	// could run again, the runtime would report a deadlock, and its two reports could wait for
	// each other without end.
	wait := func() { time.Sleep(time.Minute) }
	switch trap {
	case "breakpoint":
		runtime.Breakpoint()
	case "kill":
		kill()
		wait()
	case "notify", "reset", "ignore":
		arrived := make(chan os.Signal, 1)
		signal.Notify(arrived, syscall.SIGTRAP)
		kill()
		fmt.Println("notified of", <-arrived)
		switch trap {
		case "reset":
			signal.Reset(syscall.SIGTRAP)
		case "ignore":
			signal.Ignore(syscall.SIGTRAP)
		}
		if handler == "with" {
			lateTrap()
		}
		if trap == "reset" {
			kill()
			wait()
		}
	}
	fmt.Println("alive")
}

func exitOn(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
}

// lateTrap fires an event's site with an int3 over it. Without the handler the process dies.
func lateTrap() {
	sites, err := dispatch.Events(1)
	exitOn(err)
	enable, _ := dispatch.KeyChanges(sites)
	head := textpoke.Text(enable[0].Site.PC(), 1)
	old := head[0]
	head[0] = opInt3
	domain := newDomain()
	reader := domain.Register()
	before := textpoke.Totals().Traps
	sites[0].Fire(reader)
	if n := textpoke.Totals().Traps - before; n != 1 {
		fmt.Println("late traps:", n)
	}
	head[0] = old
}

// If this fails, the handler claims a trap that is not at a site, which breaks debuggers, crash
// reports and os/signal; or it passes one to the runtime with changed registers, and the runtime
// reads a wrong siginfo. The same child must die, or live, in the same way with the handler and
// without it.
func TestP4ForeignTraps(t *testing.T) {
	judge.Need(t, textpoke.Check(), "textpoke")
	addresses := regexp.MustCompile(`0x[0-9a-f]+|\bm=\d+|sigcode=-?\d+`)
	for _, row := range []struct {
		trap string
		want string // in the output
		dies bool
	}{
		{"breakpoint", "SIGTRAP: trace trap", true},
		{"kill", "SIGTRAP: trace trap", true},
		{"notify", "notified of trace/breakpoint trap\nalive", false},
		{"reset", "notified of trace/breakpoint trap\nSIGTRAP: trace trap", true},
		{"ignore", "notified of trace/breakpoint trap\nalive", false},
	} {
		t.Run(row.trap, func(t *testing.T) {
			run := func(handler string) (first string, state string) {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), childEnv+"="+handler+" "+row.trap, "GOTRACEBACK=single", "GORACE=atexit_sleep_ms=0")
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				if !strings.Contains(string(out), row.want) {
					t.Errorf("%s the handler: no %q in\n%s", handler, row.want, out)
				}
				if (err != nil) != row.dies {
					t.Errorf("%s the handler: %v", handler, cmd.ProcessState)
				}
				lines := strings.SplitN(addresses.ReplaceAllString(string(out), "*"), "\n", 4)
				return strings.Join(lines[:min(3, len(lines))], "\n"), cmd.ProcessState.String()
			}
			with, withState := run("with")
			without, withoutState := run("without")
			if with != without {
				t.Errorf("with the handler\n%s\nwithout it\n%s", with, without)
			}
			if withState != withoutState {
				t.Errorf("with the handler: %s, without it: %s", withState, withoutState)
			}
		})
	}
}
