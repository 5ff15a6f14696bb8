package tracepoint

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A gate is a site that can hold its reader when it has loaded the first probe's data and not
// yet executed the static call. No Go code runs there, so the gate is a mapped site of package
// dispatch with its code rewritten:
//
//	 0 key:   NOP5 / JMP body
//	 5        NOP                  was RET: readers count as past the key already
//	 6 body:  ...
//	24        JMP detour           was MOVQ 8(R9), AX
//	28 call:  JMP target           the static call
//	33        RET
//	34 detour: MOVQ 8(R9), AX      load data
//	38        MOVL $1, held
//	48 spin:  PAUSE
//	50        CMPL hold, $0
//	57        JNE  spin
//	59        JMP  call
//
// A disabled key leads to the body as well. This stands for a reader that passed the key
// before it was disabled and was delayed there. So a reader can load at any time.
type gate struct {
	site *dispatch.Site
	hold *atomic.Uint32 // set by the test: the reader stays in the gate
	held *atomic.Uint32 // set by the reader: it is in the gate
}

// gateSite is the event that becomes the gate; no other test uses it.
const gateSite = dispatch.TextSites + 7

var gateOnce sync.Once
var theGate gate

// openGate returns the gate. A held reader spins in assembler, where the runtime cannot stop
// it. So there is no garbage collection until the test ends, and the reader has a CPU.
func openGate(tb testing.TB) *gate {
	tb.Helper()
	sites, err := dispatch.Events(gateSite + 1)
	judge.Need(tb, err, "tracepoint")
	gateOnce.Do(func() { theGate = makeGate(tb, sites[gateSite]) })
	if theGate.site == nil {
		tb.Fatal("the gate could not be made")
	}
	needProcs(tb, 4)
	noGC(tb)
	return &theGate
}

// needProcs sets GOMAXPROCS to at least n until the test ends.
func needProcs(tb testing.TB, n int) {
	before := runtime.GOMAXPROCS(max(n, runtime.GOMAXPROCS(0)))
	tb.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func makeGate(tb testing.TB, site *dispatch.Site) gate {
	tb.Helper()
	pc := keyOf(site).PC()
	code := textpoke.Text(pc, 64)
	if code[5] != 0xC3 || !slices.Equal(code[24:29], []byte{0x49, 0x8B, 0x41, 0x08, 0xE9}) || !slices.Equal(code[34:], make([]byte, 30)) {
		tb.Fatalf("mapped sites have changed, the gate must follow: % x", code)
	}
	g := gate{site: site}
	holdPC, hold := flag(tb)
	heldPC, held := flag(tb)
	g.hold, g.held = hold, held
	copy(code[34:], []byte{
		0x49, 0x8B, 0x41, 0x08,
		0xC7, 0x05, 0, 0, 0, 0, 1, 0, 0, 0,
		0xF3, 0x90,
		0x83, 0x3D, 0, 0, 0, 0, 0,
		0x75, 0xF5,
		0xEB, 0xDF,
	})
	binary.LittleEndian.PutUint32(code[40:], uint32(heldPC-(pc+48)))
	binary.LittleEndian.PutUint32(code[52:], uint32(holdPC-(pc+57)))
	copy(code[24:], []byte{0xEB, 0x08})
	code[5] = 0x90
	return g
}
