//go:build linux && amd64

package textpoke_test

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A log is the data of the probes of one site.
type log struct {
	a, b   atomic.Uint64 // calls of probeA and probeB
	report string        // by the first call that found an error
}

func (l *log) complain(what string) {
	if l.report == "" {
		l.report = what
	}
}

func probeA(data unsafe.Pointer, a, b uint64) { (*log)(data).a.Add(1) }
func probeB(data unsafe.Pointer, a, b uint64) { (*log)(data).b.Add(1) }

// probeStack makes the runtime move the stack while a patched call is on it.
func probeStack(data unsafe.Pointer, a, b uint64) {
	l := (*log)(data)
	if got := judge.Deep(200, a); got != a+200 {
		l.complain("the stack's contents changed when it grew")
	}
	l.a.Add(1)
}

var sink atomic.Pointer[[]byte]

func probeAllocates(data unsafe.Pointer, a, b uint64) {
	l := (*log)(data)
	some := make([]byte, 4096)
	some[0] = byte(a)
	sink.Store(&some)
	l.a.Add(1)
}

func probePanics(data unsafe.Pointer, a, b uint64) {
	(*log)(data).a.Add(1)
	panic("from a probe")
}

// probeCallers checks that the unwinder walks through the patched call.
func probeCallers(data unsafe.Pointer, a, b uint64) {
	l := (*log)(data)
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var names []string
	for {
		frame, more := frames.Next()
		names = append(names, frame.Function[strings.LastIndexByte(frame.Function, '/')+1:])
		if !more {
			break
		}
	}
	want := []string{"textpoke_test.probeCallers", "dispatch.fire", "dispatch.(*Site).Fire", "textpoke_test.fireForCallers"}
	i := 0
	for _, name := range names {
		if i < len(want) && name == want[i] {
			i++
		}
	}
	if i < len(want) {
		l.complain("callers are " + strings.Join(names, " < "))
	}
	l.a.Add(1)
}

//go:noinline
func fireForCallers(site *dispatch.Site, r *rcu.Reader) { site.Fire(r) }

// A bench has the site of one event, whose probe has a log, and a reader to fire it with.
type bench struct {
	site   *dispatch.Site
	log    *log
	domain *rcu.Domain
	reader *rcu.Reader
}

// rounds returns n, or fewer if every round goes through Go's scheduler, on one CPU.
func rounds(n int) int {
	if runtime.GOMAXPROCS(0) == 1 {
		return n / 10
	}
	return n
}

// newDomain opens a Domain of the first flavour that runs here: any will do.
func newDomain() *rcu.Domain {
	flavours := rcu.Variants()
	runs := slices.IndexFunc(flavours, func(v rcu.Variant) bool { return v.Supported() == nil })
	return flavours[runs].New(rcu.Options{Lazy: rcu.OnlyBarrier})
}

func newBench(t *testing.T) *bench {
	t.Helper()
	judge.Need(t, dispatch.Open(), "textpoke")
	sites, err := dispatch.Events(8)
	judge.Check(t, err)
	b := &bench{site: sites[7], log: new(log), domain: newDomain()}
	b.reader = b.domain.Register()
	b.site.Publish([]dispatch.Entry{{Fn: code(t, probeA), Data: unsafe.Pointer(b.log)}, {}})
	t.Cleanup(func() {
		b.enable(t, false)
		b.site.Publish(nil)
		b.call(t, dispatch.Dispatch{}.Iterator())
		b.reader.Unregister()
		b.domain.Close()
		if b.log.report != "" {
			t.Error(b.log.report)
		}
	})
	return b
}

func code(t *testing.T, probe func(unsafe.Pointer, uint64, uint64)) uintptr {
	t.Helper()
	fn, err := dispatch.GoFunc(probe)
	judge.Check(t, err)
	return uintptr(fn)
}

func (b *bench) call(t *testing.T, target uintptr) {
	t.Helper()
	judge.Check(t, b.site.StaticCall(target))
}

func (b *bench) enable(t *testing.T, on bool) {
	t.Helper()
	change := b.site.KeyDisable
	if on {
		change = b.site.KeyEnable
	}
	judge.Check(t, change())
}

// If this fails, a thread can begin the old call after StaticCall has returned: calls of the old
// target are counted after a grace period, which waits for those that began before.
func TestP2OldTargetIsQuietAfterGracePeriod(t *testing.T) {
	b := newBench(t)
	targets := [2]uintptr{code(t, probeA), code(t, probeB)}
	counts := [2]*atomic.Uint64{&b.log.a, &b.log.b}
	b.call(t, targets[0])
	b.enable(t, true)
	var stopped atomic.Bool
	var firing sync.WaitGroup
	passes := uint64(0)
	firing.Go(func() {
		for ; !stopped.Load(); passes++ {
			b.site.Fire(b.reader)
			b.reader.Quiescent()
		}
	})
	for i := range rounds(200) {
		old, next := i%2, 1-i%2
		b.call(t, targets[next])
		b.domain.Synchronize()
		before := counts[old].Load()
		runtime.Gosched()
		if got := counts[old].Load(); got != before {
			t.Errorf("round %d: the old target began %d times more", i, got-before)
		}
	}
	stopped.Store(true)
	firing.Wait()
	if total := b.log.a.Load() + b.log.b.Load(); total != passes {
		t.Errorf("%d passes of an enabled site made %d calls", passes, total)
	}
}

// If this fails, the CALL that the handler performs leaves another stack or return address than
// the CPU's, and a Go probe that is called by a trap crashes in the unwinder, in the collector or
// on return.
func TestP3LateTrapCallsGo(t *testing.T) {
	for name, probe := range goProbes {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.call(t, code(t, probe))
			b.enable(t, true)
			_, disable := dispatch.KeyChanges([]*dispatch.Site{b.site})
			key := textpoke.Text(disable[0].Site.PC(), textpoke.Size)
			call := callText(t, b.site, disable[0].Site)
			for _, heads := range [][]*byte{{&key[0]}, {&call[0]}, {&key[0], &call[0]}} {
				old := make([]byte, len(heads))
				for i, head := range heads {
					old[i], *head = *head, opInt3
				}
				calls, traps := b.log.a.Load(), textpoke.Totals().Traps
				var pass sync.WaitGroup // a new goroutine: its stack is small and has to grow
				pass.Go(func() { fireForCallers(b.site, b.reader) })
				pass.Wait()
				if got := b.log.a.Load() - calls; got != 1 {
					t.Errorf("%d calls in a pass", got)
				}
				if got, want := textpoke.Totals().Traps-traps, uint64(len(heads)); got != want {
					t.Errorf("%d traps, want %d", got, want)
				}
				for i, head := range heads {
					*head = old[i]
				}
			}
		})
	}
}

// goProbes do what Go functions may do.
var goProbes = map[string]func(unsafe.Pointer, uint64, uint64){
	"counts":      probeA,
	"grows stack": probeStack,
	"allocates":   probeAllocates,
	"unwinds":     probeCallers,
}

// callText returns the text of the site's static call: the five-byte CALL in the code that the key
// jumps to.
func callText(t *testing.T, s *dispatch.Site, key *textpoke.Site) []byte {
	t.Helper()
	body := textpoke.Text(key.Insn().Target(), 128)
	mark := "\x4c\x89\xe1\xe8" // MOVQ R12, CX; CALL
	i := strings.Index(string(body), mark)
	if i < 0 {
		t.Fatal("no static call where the key jumps to")
	}
	return body[i+3:][:textpoke.Size]
}

// If this fails, patching disturbs the runtime: the collector, the growth of stacks or the unwinder.
// A goroutine fires probes that use them, while its key and call are patched and the collector runs.
func TestP1GoProbesUnderPatching(t *testing.T) {
	for name, probe := range goProbes {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			direct, iterator := code(t, probe), dispatch.Dispatch{}.Iterator()
			b.site.Publish([]dispatch.Entry{{Fn: direct, Data: unsafe.Pointer(b.log)}, {}})
			b.call(t, direct)
			var stopped atomic.Bool
			var group sync.WaitGroup
			group.Go(func() {
				for !stopped.Load() {
					fireForCallers(b.site, b.reader)
				}
			})
			group.Go(func() {
				for !stopped.Load() {
					runtime.GC()
				}
			})
			for i := range rounds(100) {
				b.enable(t, i%2 == 0)
				b.call(t, []uintptr{direct, iterator, iterator}[i%3])
				runtime.Gosched()
			}
			stopped.Store(true)
			group.Wait()
			b.enable(t, true)
			before := b.log.a.Load()
			fireForCallers(b.site, b.reader)
			if b.log.a.Load() != before+1 {
				t.Error("the site does not call its probe in the end")
			}
		})
	}
}

// If this fails, a panic of a probe cannot unwind through a patched call, which the CPU or the handler
// performs, and the process dies without a traceback.
func TestP3PanicThroughPatchedCall(t *testing.T) {
	b := newBench(t)
	b.call(t, code(t, probePanics))
	b.enable(t, true)
	_, disable := dispatch.KeyChanges([]*dispatch.Site{b.site})
	call := callText(t, b.site, disable[0].Site)
	for _, trapped := range []bool{false, true} {
		old := call[0]
		if trapped {
			call[0] = opInt3
		}
		func() {
			defer func() {
				if got := recover(); got != "from a probe" {
					t.Errorf("trapped %v: recovered %v", trapped, got)
				}
			}()
			b.site.Fire(b.reader)
		}()
		call[0] = old
		b.reader.Unlock() // the panic left the site's section open
	}
	if got := b.log.a.Load(); got != 2 {
		t.Errorf("%d calls, want 2", got)
	}
}
