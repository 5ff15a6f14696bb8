package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// A guest boots with one CPU (maxcpus=1), and Init brings up the others. QEMU gives the CPUs of a guest their turns in one
// thread. Under a virtual clock a turn ends when the CPU executes PAUSE or sleeps, or else when the next timer is due; before QEMU 8.1,
// the next CPU then has no turn before that timer, which ends it at once:
//
//	CPU 0, the only one with timers           CPU 1
//	waits for CPU 1: calls the scheduler
//	in a loop, without a PAUSE (Linux 6.1)
//	                                          says that it is up in its next turn, which never comes
//
// So Linux 6.1 never ends its boot. Here a thread beside the one that waits executes PAUSE, and each gives CPU 1 a turn.

// bringUp brings up the CPUs below the directory of sysfs that has one for each.
func bringUp(cpus string) error {
	files, err := filepath.Glob(filepath.Join(cpus, "cpu[0-9]*", "online")) // CPU 0 has none
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // one for the thread that pauses
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
			pause()
		}
	}()
	for _, f := range files {
		if err := os.WriteFile(f, []byte("1"), 0); err != nil {
			return fmt.Errorf("guest: bringing up a CPU: %w", err)
		}
	}
	return nil
}
