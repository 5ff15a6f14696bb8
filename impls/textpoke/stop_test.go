//go:build linux && amd64

package textpoke_test

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// patcher returns the variant of that name, if it can run here.
func patcher(t *testing.T, name string) textpoke.Variant {
	t.Helper()
	v, err := impls.Find("patcher", textpoke.Variants(), name)
	judge.Check(t, err)
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	return v
}

// If this fails, stop-readers overlooks a thread that spins, sleeps, waits in the kernel or for
// another thread, or that begins or ends while it counts. Such a thread could execute a
// half-written site (P1). Or it never lets a thread go: then the failure is a hang.
func TestP1StopHoldsEveryThread(t *testing.T) {
	v := patcher(t, "stop-readers")
	site := testSites(t)[0]

	var over atomic.Bool
	var group sync.WaitGroup
	thread := func(pass func()) {
		group.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			for !over.Load() {
				pass()
			}
		})
	}
	r, w, err := os.Pipe()
	judge.Check(t, err)
	buf := make([]byte, 1)
	thread(func() {})
	thread(func() { unix.Nanosleep(&unix.Timespec{Nsec: 1e5}, nil) })
	thread(func() { unix.Read(int(r.Fd()), buf) }) // Fd makes it block
	thread(func() {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	})
	site.patch(t, textpoke.Int3, nop)
	const times = 300
	for i := range times {
		first := threads(t)
		before := textpoke.Totals()
		site.patch(t, v.New, callA+i%2)
		counted := since(before)
		site.is(t, site.insns[callA+i%2])
		lived := 0 // threads that lived all the time, the updater's among them
		for _, id := range threads(t) {
			if slices.Contains(first, id) {
				lived++
			}
		}
		if counted.Holds+1 < uint64(lived) || counted.Syncs != 1 {
			t.Fatalf("stop %d, during which %d threads lived: %+v", i, lived, counted)
		}
	}
	over.Store(true)
	w.Close()
	group.Wait()
	r.Close()
	site.patch(t, v.New, nop)
}

// threads returns this process's threads but those that are ending: an ending one gets no signal, and
// executes no site.
func threads(t *testing.T) (ids []string) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	judge.Check(t, err)
	for _, entry := range list {
		stat, err := os.ReadFile("/proc/self/task/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		const flagsField, exiting = 6, 0x4 // behind the name; the kernel's PF_EXITING
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		flags, err := strconv.ParseUint(fields[flagsField], 10, 64)
		judge.Check(t, err)
		if flags&exiting == 0 {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// If this fails, stop-readers does not work in a program that ignores its signal through os/signal.
func TestStopOutlivesIgnore(t *testing.T) {
	v := patcher(t, "stop-readers")
	site := testSites(t)[0]
	site.patch(t, v.New, callA)
	signal.Ignore(syscall.Signal(34))
	signal.Notify(make(chan os.Signal, 1), syscall.Signal(34))
	defer signal.Reset(syscall.Signal(34))
	site.patch(t, v.New, nop)
	site.is(t, site.insns[nop])
}

// If this fails, stop-readers writes although it does not hold every thread (P1), or never returns.
func TestP1StopWithoutOne(t *testing.T) {
	v := patcher(t, "stop-readers")
	site := testSites(t)[0]
	before := site.Insn()
	blocked, leave, left := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		runtime.LockOSThread() // the mask is the thread's, which ends with the goroutine
		defer close(left)
		all := unix.Sigset_t{}
		for i := range all.Val {
			all.Val[i] = ^uint64(0)
		}
		if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, nil); err != nil {
			t.Error(err)
		}
		close(blocked)
		<-leave
	}()
	<-blocked
	if err := v.New([]textpoke.Change{site.to(jumpA)}); err == nil {
		t.Error("patched without holding one of the threads")
	}
	site.is(t, before)
	close(leave)
	<-left
}
