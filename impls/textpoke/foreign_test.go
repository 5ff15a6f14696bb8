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
	"github.com/tpbench/tpbench/impls/rcu"
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

// child runs in the copy: with the trap handler or without it, the same trap.
func child(job string) {
	handler, trap, _ := strings.Cut(job, " ")
	if handler == "with" {
		if err := dispatch.Open(); err != nil {
			fmt.Println(err)
			os.Exit(99)
		}
	}
	kill := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTRAP); err != nil {
			fmt.Println(err)
		}
	}
	// The signal arrives on some thread, at some time. This waits for it asleep: where no
	// goroutine could ever run again the runtime reports a deadlock, and that report and
	// the signal's can wait for each other for ever.
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

// lateTrap passes an event's site over an int3, which only the handler survives.
func lateTrap() {
	sites, err := dispatch.Events(1)
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	enable, _ := dispatch.KeyChanges(sites)
	head := textpoke.Text(enable[0].Site.PC(), 1)
	old := head[0]
	head[0] = 0xCC
	domain := rcu.Variants()[0].New(rcu.Options{Lazy: rcu.OnlyBarrier})
	reader := domain.Register()
	before := textpoke.Totals().Traps
	sites[0].Fire(reader)
	if n := textpoke.Totals().Traps - before; n != 1 {
		fmt.Println("late traps:", n)
	}
	head[0] = old
}

// If the handler kept a trap that is not its own, debuggers, crashes and os/signal
// would break; if it passed one on with other registers, the runtime would read its
// siginfo from nowhere. So the same child dies, or lives, in the same way with and
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
