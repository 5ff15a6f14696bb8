package dispatch

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// If this fails, Open accepts a Go release whose ABI sites do not use, or does not accept the
// one in go.mod.
func TestOpenSelfTest(t *testing.T) {
	judge.Need(t, textpoke.Check(), "dispatch")
	judge.Check(t, Open()) // also if it is not supported
	thunks := Thunks()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	judge.Check(t, selfTest(machine.events[TextSites-1], events(t, TextSites+1)[TextSites]))
	runtime.ReadMemStats(&after)
	if n := after.NumGC - before.NumGC; n != 1 {
		t.Errorf("%d garbage collections with probes below sites, want 1", n)
	}
	if n := Thunks(); n != thunks {
		t.Errorf("%d thunks are left", n-thunks)
	}
	for _, v := range Variants() {
		judge.Check(t, v.Supported())
	}
}

// If this fails, a build with another Go release crashes and does not say why: the self-test
// accepts a site that does not keep what Go functions rely on, or crashes on it.
func TestSelfTestRefuses(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	rows := []struct {
		name   string
		detour []byte // executed before the site loads the data
		call   bool   // mapped code calls, and so is on the stack
		want   string
	}{
		{"R14 is not g", []byte{0x45, 0x31, 0xF6}, false, "R14 is 0x0"},                             // XORL R14, R14
		{"X15 is not zero", []byte{0x66, 0x45, 0x0F, 0x76, 0xFF}, false, "X15 is"},                  // PCMPEQL X15, X15
		{"another argument in BX", []byte{0xFF, 0xC3}, false, "it was passed"},                      // INCL BX
		{"another argument in CX", []byte{0xFF, 0xC1}, false, "it was passed"},                      // INCL CX
		{"the array is not at its address", []byte{0x49, 0x83, 0xE9, 0x08}, false, "it was passed"}, // SUBQ $8, R9
		{"mapped code on the stack", nil, true, "which is in no function"},
	}
	own := ownMapped(t, len(rows))
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			site := own[i]
			site.tail = !row.call
			if len(row.detour) > 0 {
				detour(t, site, row.detour)
			}
			err := selfTest(machine.events[TextSites-1], site)
			if !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("self-test: %v, want ErrUnsupported: %s", err, row.want)
			}
			judge.Check(t, selfTest(machine.events[TextSites-1], machine.mapped[0])) // nothing is left
		})
	}
}

// ownMapped returns mapped sites that are no event's.
func ownMapped(t *testing.T, n int) []*Site {
	t.Helper()
	machine.mu.Lock()
	defer machine.mu.Unlock()
	sites, err := mapSites(n)
	judge.Check(t, err)
	return sites
}

// detour makes the site execute code before it loads the data.
func detour(t *testing.T, s *Site, code []byte) {
	t.Helper()
	const load, room = mappedCall - 4, mappedCall + textpoke.Size + 1 // of the load of the data; after the last RET
	text := textpoke.Text(s.entry, mappedSize)
	code = append(code[:len(code):len(code)], text[load:mappedCall]...)
	n := copy(text[room:], code)
	text[room+n] = 0xEB // JMP call
	text[room+n+1] = byte(256 + mappedCall - (room + n + 2))
	copy(text[load:], []byte{0xEB, room - (load + 2)}) // JMP to the detour
}

// If this fails, the self-test calls Go functions of a release that keeps g elsewhere, or does
// not accept a function because of the size of its frame.
func TestSelfTestPrologue(t *testing.T) {
	pad := make([]byte, 16)
	for _, row := range []struct {
		name string
		code []byte
		fits bool
	}{
		{"CMPQ SP, 16(R14)", []byte{0x49, 0x3B, 0x66, 0x10}, true},
		{"LEAQ -16(SP), R12; CMPQ R12, 16(R14)", []byte{0x4C, 0x8D, 0x64, 0x24, 0xF0, 0x4D, 0x3B, 0x66, 0x10}, true},
		{"LEAQ -256(SP), R12; CMPQ R12, 16(R14)", []byte{0x4C, 0x8D, 0xA4, 0x24, 0, 0xFF, 0xFF, 0xFF, 0x4D, 0x3B, 0x66, 0x10}, true},
		{"CMPQ SP, 24(R14)", []byte{0x49, 0x3B, 0x66, 0x18}, false},
		{"CMPQ SP, 16(R13)", []byte{0x49, 0x3B, 0x65, 0x10}, false},
		{"LEAQ -16(SP), R12; CMPQ R12, 16(R13)", []byte{0x4C, 0x8D, 0x64, 0x24, 0xF0, 0x4D, 0x3B, 0x65, 0x10}, false},
		{"MOVQ TLS, CX, of before Go 1.17", []byte{0x64, 0x48, 0x8B, 0x0C, 0x25, 0xF8, 0xFF, 0xFF, 0xFF}, false},
	} {
		err := checkPrologue(append(row.code, pad...))
		if fits := err == nil; fits != row.fits || !fits && !errors.Is(err, impls.ErrUnsupported) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// If this fails, a probe that the runtime cannot unwind grows its stack in the self-test, and
// the runtime throws.
func TestSelfTestCallers(t *testing.T) {
	whole := []string{
		"dispatch.selfProbe", "dispatch.traceiter", "dispatch.fireMapped", "dispatch.(*Site).Fire",
		"dispatch.(*tester).try.func4", "sync.(*WaitGroup).Go.func1", "runtime.goexit",
	}
	for i, name := range whole {
		if name, ok := strings.CutPrefix(name, "dispatch."); ok {
			whole[i] = "github.com/tpbench/tpbench/impls/dispatch." + name
		}
	}
	if err := checkCallers(whole); err != nil {
		t.Error(err)
	}
	for n := range whole {
		if checkCallers(whole[:n]) == nil {
			t.Errorf("callers that end with %q are accepted", whole[:n])
		}
	}
	if checkCallers(append(whole[:1:1], whole[4:]...)) == nil {
		t.Error("callers without a site are accepted")
	}
	if checkCallers(append(whole[:len(whole):len(whole)], "another")) == nil {
		t.Error("callers after the goroutine's first function are accepted")
	}
}
