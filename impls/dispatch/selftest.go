package dispatch

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// The self-test finds out whether Go functions can be called from sites. Sites rely on Go's
// internal ABI, which may change with any Go release. A wrong ABI would crash the process, and
// the self-test could not recover from that. So it tries each step only after the earlier
// steps have shown that it is safe:
//
//  1. Look at the code of a Go function: it compares SP with a word of the g in R14. This
//     only reads.
//  2. Call an assembler function from every site in every way. It notes its registers, and
//     calls nothing. R14 must be the thread's g, X15 zero, the arguments where Go functions
//     expect them, and the return address one that the runtime knows: no mapped code may be
//     on the stack.
//  3. Call a Go function in the same ways. It looks at its arguments, but does not follow
//     pointers.
//  4. It looks at its callers. runtime.Callers stops where it cannot unwind. If it reaches the
//     goroutine's first function, the other unwinders of the runtime can do so, too.
//  5. It grows its stack, for which the runtime unwinds, and throws if it cannot.
//  6. It stays where it is, and so do the next ones. The last one collects garbage with all of
//     them on their stacks, which the runtime scans and shrinks; it throws if it cannot.
//
// The self-test does not check which words of the sites' frames are pointers. The assembler
// declares them, and go vet compares that with the Go declarations.

// selfTest tries an event's site in text and one in mapped memory.
func selfTest(text, mapped *Site) error {
	checked, err := GoFunc(selfProbe)
	if err != nil {
		return err
	}
	if err := checkPrologue(textpoke.Text(uintptr(checked), 64)); err != nil {
		return err
	}
	t := tester{events: map[*Site]uint64{text: TextSites - 1, mapped: 0}}
	t.domain = rcu.Variants()[0].New(rcu.Options{})
	defer t.end()
	self.stays, self.leave = make(chan struct{}), make(chan struct{})
	for _, probe := range []struct {
		fn    uintptr
		judge func() error
	}{
		{machine.pcs.probeSelf, judgeRegisters},
		{uintptr(checked), judgeCalls},
	} {
		self.calls, t.calls = 0, 0
		for _, site := range []*Site{text, mapped} {
			if err := t.try(site, probe.fn, probe.judge); err != nil {
				return fmt.Errorf("dispatch: self-test: %w", err)
			}
		}
	}
	return nil
}

// A tester is one self-test under way.
type tester struct {
	domain *rcu.Domain
	events map[*Site]uint64 // the argument a that their probes are passed
	calls  uint64           // of the probe, as expected
	thunks []Target
	arrays [][]Entry // kept alive: the collector does not see that iterators walk them
	passes sync.WaitGroup
}

// end lets the probes return that have stayed.
func (t *tester) end() {
	close(self.leave)
	t.passes.Wait()
	runtime.KeepAlive(t.arrays)
	for _, thunk := range t.thunks {
		thunk.Release()
	}
	t.domain.Close()
}

// try calls the probe from the site in every way there is.
func (t *tester) try(s *Site, fn uintptr, judge func() error) error {
	funcs := []Entry{{Fn: fn, Data: unsafe.Pointer(&self)}, {}}
	thunk, err := bind(funcs[0])
	if err != nil {
		return err
	}
	t.thunks, t.arrays = append(t.thunks, thunk), append(t.arrays, funcs)
	s.Publish(funcs)
	defer s.Publish(nil)
	defer s.StaticCall(machine.pcs.traceiter)
	for _, way := range []struct {
		what string
		do   func() error
		call bool
	}{
		{"a NOP", s.KeyDisable, false},
		{"a direct call", func() error { return errors.Join(s.StaticCall(fn), s.KeyEnable()) }, true},
		{"a thunk", func() error { return s.StaticCall(thunk.PC) }, true},
		{"the iterator", func() error { return s.StaticCall(machine.pcs.traceiter) }, true},
		{"the retpoline iterator", func() error { return s.StaticCall(machine.pcs.retpoline) }, true},
		{"a NOP again", s.KeyDisable, false},
	} {
		if err := way.do(); err != nil {
			return err
		}
		if way.call {
			t.calls++
		}
		self.collects = t.calls == selfCalls
		passed := make(chan struct{})
		t.passes.Go(func() { // with a small stack
			defer close(passed)
			r := t.domain.Register()
			defer r.Unregister()
			s.Fire(r)
		})
		select {
		case <-passed:
		case <-self.stays:
		}
		var err error
		switch {
		case self.calls != t.calls:
			err = fmt.Errorf("%d calls, expected %d", self.calls, t.calls)
		case way.call:
			err = cmp.Or(t.judgeArguments(s), judge())
		}
		if err != nil {
			return unfit("a probe behind %s: %w", way.what, err)
		}
	}
	return nil
}

// unfit returns the error for a Go release whose functions sites cannot call.
func unfit(why string, args ...any) error {
	return &impls.UnsupportedError{
		What: "calling Go functions from patched sites",
		Why:  fmt.Errorf(why, args...).Error() + " (" + runtime.Version() + ")",
		Do:   "build with the Go release in go.mod",
	}
}

// checkPrologue checks the first instructions of a Go function that has calls and a frame. They
// are LEAQ -frame(SP), R12 if the frame is large, and then CMPQ SP or R12, stackguard0(R14).
func checkPrologue(code []byte) error {
	small, large := []byte{0x49, 0x3B, 0x66, 0x10}, []byte{0x4D, 0x3B, 0x66, 0x10}
	switch {
	case bytes.HasPrefix(code, small):
	case bytes.HasPrefix(code, []byte{0x4C, 0x8D, 0x64, 0x24}) && bytes.HasPrefix(code[5:], large): // LEAQ with 8 bits
	case bytes.HasPrefix(code, []byte{0x4C, 0x8D, 0xA4, 0x24}) && bytes.HasPrefix(code[8:], large): // with 32
	default:
		return unfit("a Go function begins with % x: it does not find its goroutine in R14", code[:16])
	}
	return nil
}

// A selfSeen is what the self-test's probes have seen, in the last call.
type selfSeen struct {
	calls, data, a, b uint64

	// probeSelf's.
	r14, g, ret uint64
	x15         [2]uint64

	// selfProbe's.
	names []string // its callers, innermost first
	grown uint64

	collects bool          // selfProbe collects garbage, and does not stay
	stays    chan struct{} // selfProbe sends when it stays
	leave    chan struct{} // closed when selfProbe is to return
}

// self is the one of the running self-test. Only one runs at a time.
var self selfSeen

// selfCalls is the number of calls of each probe.
const selfCalls = 8

// judgeArguments checks the arguments of the site's last call.
func (t *tester) judgeArguments(s *Site) error {
	if data, a := wordOf(unsafe.Pointer(&self)), t.events[s]; self.data != data || self.a != a || self.b != 1 {
		return fmt.Errorf("it was passed (%#x, %d, %d), expected (%#x, %d, 1)", self.data, self.a, self.b, data, a)
	}
	return nil
}

// judgeRegisters checks step 2.
func judgeRegisters() error {
	switch {
	case self.r14 != self.g:
		return fmt.Errorf("R14 is %#x, and the goroutine %#x", self.r14, self.g)
	case self.x15 != [2]uint64{}:
		return fmt.Errorf("X15 is %#x, and not zero", self.x15)
	case runtime.FuncForPC(uintptr(self.ret)) == nil:
		return fmt.Errorf("it returns to %#x, which is in no function", self.ret)
	}
	return nil
}

// judgeCalls checks steps 4 and 5.
func judgeCalls() error {
	if err := checkCallers(self.names); err != nil {
		return err
	}
	if self.grown != selfDepth {
		return fmt.Errorf("its stack came to %d, expected %d, when it had grown", self.grown, selfDepth)
	}
	return nil
}

// checkCallers checks the names of a probe's callers, innermost first.
func checkCallers(names []string) error {
	const pkg = "github.com/tpbench/tpbench/impls/dispatch."
	want := []string{pkg + "selfProbe", pkg + "fire", pkg + "(*Site).Fire", pkg + "(*tester).try."}
	for _, name := range names {
		if len(want) > 0 && strings.HasPrefix(name, want[0]) {
			want = want[1:]
		}
	}
	if len(want) > 0 || !slices.Contains(names[len(names)-1:], "runtime.goexit") {
		return fmt.Errorf("its callers are %s", strings.Join(names, " < "))
	}
	return nil
}

// selfDepth is how deep selfGrow calls itself: a small stack grows more than once.
const selfDepth = 200

// selfProbe does steps 3 to 6.
func selfProbe(data unsafe.Pointer, a, b uint64) {
	self.calls++
	self.data, self.a, self.b = wordOf(data), a, b
	self.names = callerNames()
	if checkCallers(self.names) != nil {
		return // without unwinding, growing the stack would end the process
	}
	self.grown = selfGrow(selfDepth)
	if self.collects {
		runtime.GC()
		return
	}
	leave := self.leave
	self.stays <- struct{}{}
	<-leave
}

func callerNames() (names []string) {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		names = append(names, f.Function)
	}
	return names
}

//go:noinline
func selfGrow(n uint64) uint64 {
	var room [128]byte
	room[n%uint64(len(room))] = byte(n)
	if n == 0 {
		return 0
	}
	return selfGrow(n-1) + uint64(room[n%uint64(len(room))]-byte(n)) + 1
}
