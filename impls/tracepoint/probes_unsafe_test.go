package tracepoint

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A datum is what every probe of these tests has as its data, or nil.
type datum struct {
	name  string
	owner int // the only function that may see it
}

// seen is what the probe functions note; for one thread at a time.
var seen struct{ calls []firing }

// A firing is one call of a probe.
type firing struct {
	fn   int
	data *datum
}

func (f firing) String() string {
	if f.data == nil {
		return fmt.Sprintf("f%d(nil)", f.fn)
	}
	return fmt.Sprintf("f%d(%s)", f.fn, f.data.name)
}

func called(fn int, data unsafe.Pointer) {
	// SAFETY: these tests register their functions with *datum only.
	d := (*datum)(data)
	seen.calls = append(seen.calls, firing{fn, d})
}

// The probe functions. They differ in which data they own.
func f0(data unsafe.Pointer, _, _ uint64) { called(0, data) }
func f1(data unsafe.Pointer, _, _ uint64) { called(1, data) }
func f2(data unsafe.Pointer, _, _ uint64) { called(2, data) }
func f3(data unsafe.Pointer, _, _ uint64) { called(3, data) }

// A letter is what the probe read has as its data.
type letter struct {
	text uint64 // written before the letter is registered, and by nobody after that
	read atomic.Uint64
}

// read reads what was written by another thread, without any atomic.
func read(data unsafe.Pointer, _, _ uint64) {
	// SAFETY: it is registered with letters only.
	l := (*letter)(data)
	l.read.Store(l.text)
}

// letterProbe makes a probe that reads the letter.
func letterProbe(tb testing.TB, l *letter) dispatch.Probe {
	return dispatch.Probe{Fn: goFunc(tb, read), Data: unsafe.Pointer(l)}
}

// functions returns the addresses of f0 to f3.
func functions(tb testing.TB) []dispatch.Func {
	tb.Helper()
	var list []dispatch.Func
	for _, f := range []func(unsafe.Pointer, uint64, uint64){f0, f1, f2, f3} {
		list = append(list, goFunc(tb, f))
	}
	return list
}

func goFunc(tb testing.TB, f func(unsafe.Pointer, uint64, uint64)) dispatch.Func {
	tb.Helper()
	fn, err := dispatch.GoFunc(f)
	if err != nil {
		tb.Fatal(err)
	}
	return fn
}

// probe makes a probe of the function and data.
func probe(fn dispatch.Func, d *datum, prio int) dispatch.Probe {
	return dispatch.Probe{Fn: fn, Data: unsafe.Pointer(d), Prio: prio}
}

// dataOf is a probe's data.
func dataOf(p dispatch.Probe) *datum {
	// SAFETY: only probe's probes are asked, and the nil one.
	return (*datum)(p.Data)
}

// published returns the address of the array that a mapped site loads at R3.
func published(s *dispatch.Site) uintptr {
	const immediate = 8 // of MOVQ $point, DI: see makeGate
	point := uintptr(binary.LittleEndian.Uint64(textpoke.Text(keyOf(s).PC()+immediate, 8)))
	// SAFETY: the site's point is a word that never moves and that the Site keeps.
	return atomic.LoadUintptr(*(**uintptr)(unsafe.Pointer(&point)))
}

// flag is a word in memory that mapped code can address.
func flag(tb testing.TB) (pc uintptr, word *atomic.Uint32) {
	tb.Helper()
	text, err := textpoke.Map(4)
	if err != nil {
		tb.Fatal(err)
	}
	// SAFETY: the mapping is aligned to a page and never goes away.
	p := unsafe.Pointer(unsafe.SliceData(text))
	return uintptr(p), (*atomic.Uint32)(p)
}
