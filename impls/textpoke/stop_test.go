//go:build linux && amd64

package textpoke_test

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/textpoke/textpoketest"
)

// If this fails, stop-readers overlooks threads: those that spin, sleep, wait in the kernel
// or for each other, or that come and go while it counts. What it overlooks could
// execute a half-written site (P1). Or it holds one for ever: then the failure is a hang.
func TestP1StopHoldsEveryThread(t *testing.T) {
	v, err := impls.Find("patcher", textpoke.Variants(), "stop-readers")
	judge.Check(t, err)
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	site := textpoketest.Sites(t)[0]

	var over atomic.Bool
	var group sync.WaitGroup
	thread := func(pass func()) {
		group.Go(func() {
			runtime.LockOSThread() // and never again: the thread ends with the goroutine
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
	thread(func() { unix.Read(int(r.Fd()), buf) }) // blocking: Fd says so
	thread(func() {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	})
	judge.Check(t, textpoke.Int3([]textpoke.Change{{Site: site.Site, To: site.Insns[0]}}))
	const times = 300
	for i := range times {
		alive := threads(t)
		before := textpoke.Totals()
		judge.Check(t, v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[1+i%2]}}))
		site.Is(t, site.Insns[1+i%2])
		held := textpoke.Totals().Holds - before.Holds
		// All but the updater's; those that have ended since, or are about to, are few.
		if held+4 < alive {
			t.Fatalf("stop %d held %d of %d threads", i, held, alive)
		}
		if syncs := textpoke.Totals().Syncs - before.Syncs; syncs != 1 {
			t.Fatalf("stop %d: %d core syncs, want 1", i, syncs)
		}
	}
	over.Store(true)
	w.Close()
	group.Wait()
	r.Close()
	judge.Check(t, v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[0]}}))
}

// threads is how many this process has.
func threads(t *testing.T) uint64 {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	judge.Check(t, err)
	return uint64(len(list))
}

// If this fails, aligned-store stores where it must not, across two words, or goes the long
// way where it need not.
func TestP1AlignedStoreWhereItFits(t *testing.T) {
	v, err := impls.Find("patcher", textpoke.Variants(), "aligned-store")
	judge.Check(t, err)
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	for _, site := range textpoketest.Sites(t) {
		judge.Check(t, textpoke.Int3([]textpoke.Change{{Site: site.Site, To: site.Insns[0]}}))
		before := textpoke.Totals()
		judge.Check(t, v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[1]}}))
		after := textpoke.Totals()
		stores, syncs := uint64(0), uint64(3)
		if site.PC()%8 <= 3 {
			stores, syncs = 1, 1
		}
		if after.Stores-before.Stores != stores || after.Syncs-before.Syncs != syncs {
			t.Errorf("at offset %d of a word: %d stores and %d syncs, want %d and %d",
				site.PC()%8, after.Stores-before.Stores, after.Syncs-before.Syncs, stores, syncs)
		}
		site.Is(t, site.Insns[1])
		judge.Check(t, textpoke.Int3([]textpoke.Change{{Site: site.Site, To: site.Insns[0]}}))
	}
}

// If this fails, a program that ignores signals, as os/signal can be told to, keeps a stop
// from coming about.
func TestStopOutlivesIgnore(t *testing.T) {
	v, err := impls.Find("patcher", textpoke.Variants(), "stop-readers")
	judge.Check(t, err)
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	site := textpoketest.Sites(t)[0]
	judge.Check(t, v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[1]}}))
	signal.Ignore(syscall.Signal(34))
	signal.Notify(make(chan os.Signal, 1), syscall.Signal(34))
	defer signal.Reset(syscall.Signal(34))
	judge.Check(t, v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[0]}}))
	site.Is(t, site.Insns[0])
}

// If this fails, a stop that not every thread comes to writes all the same (P1), or never ends.
func TestP1StopWithoutOne(t *testing.T) {
	v, err := impls.Find("patcher", textpoke.Variants(), "stop-readers")
	judge.Check(t, err)
	judge.Need(t, v.Supported(), "textpoke", v.Name)
	site := textpoketest.Sites(t)[0]
	before := site.Insn()
	blocked, leave, left := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		runtime.LockOSThread() // whose mask this is; the thread ends with the goroutine
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
	if err := v.New([]textpoke.Change{{Site: site.Site, To: site.Insns[3]}}); err == nil {
		t.Error("a stop without one of the threads succeeded")
	}
	site.Is(t, before)
	close(leave)
	<-left
}
