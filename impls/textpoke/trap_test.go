//go:build linux && amd64

package textpoke

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, the sigaction of SIGTRAP is no copy of the runtime's with another handler. A trap
// could run on a goroutine's stack (no SA_ONSTACK), be interrupted by a preemption (no full mask),
// or not return (no restorer). Or the handler passes foreign traps to itself, without end.
func TestP4ActionIsACopy(t *testing.T) {
	textMutex.Lock()
	err := install()
	textMutex.Unlock()
	judge.Need(t, err, "textpoke")
	var act, runtimes sigaction
	if errno := rtSigaction(unix.SIGTRAP, nil, &act); errno != 0 {
		t.Fatal(errno)
	}
	// SIGURG is the runtime's too, installed in the same way.
	if errno := rtSigaction(unix.SIGURG, nil, &runtimes); errno != 0 {
		t.Fatal(errno)
	}
	if act.handler != trapPC() {
		t.Errorf("SIGTRAP goes to %#x, not to %#x", act.handler, trapPC())
	}
	if previous != runtimes.handler {
		t.Errorf("a foreign trap is passed to %#x, the runtime's handler is %#x", previous, runtimes.handler)
	}
	act.handler = runtimes.handler
	if act != runtimes {
		t.Errorf("the action is %+v, the runtime's %+v", act, runtimes)
	}
}
