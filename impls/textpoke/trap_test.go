//go:build linux && amd64

package textpoke

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If the action were not a copy of the runtime's, a trap would run on a goroutine's
// stack (no SA_ONSTACK), be interrupted by a preemption (a mask with holes), or have
// nowhere to return to (no restorer); and if the handler behind were ours again, a
// foreign trap would go round for ever.
func TestP4ActionIsACopyOfTheRuntimes(t *testing.T) {
	textMutex.Lock()
	err := install()
	textMutex.Unlock()
	judge.Need(t, err, "textpoke")
	var act, runtimes sigaction
	if errno := rtSigaction(unix.SIGTRAP, nil, &act); errno != 0 {
		t.Fatal(errno)
	}
	// SIGURG is the runtime's as well, installed in the same way.
	if errno := rtSigaction(unix.SIGURG, nil, &runtimes); errno != 0 {
		t.Fatal(errno)
	}
	if act.handler != trapPC() {
		t.Errorf("SIGTRAP goes to %#x, not to %#x", act.handler, trapPC())
	}
	if previous != runtimes.handler {
		t.Errorf("a foreign trap goes on to %#x, the runtime's handler is %#x", previous, runtimes.handler)
	}
	act.handler = runtimes.handler
	if act != runtimes {
		t.Errorf("the action is %+v, the runtime's %+v", act, runtimes)
	}
}
