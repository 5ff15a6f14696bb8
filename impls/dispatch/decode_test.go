package dispatch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A line is one decoded instruction.
type line struct {
	pc, target uintptr // target is where a branch goes, or what LEAQ takes the address of
	text       string  // branches without their displacement
	imm        int64
}

var displacement = regexp.MustCompile(`\.[+-]0x[0-9a-f]+|\[rip[+-]0x[0-9a-f]+\]`)

// decode returns n instructions from pc on.
func decode(tb testing.TB, pc uintptr, n int) []line {
	tb.Helper()
	lines := make([]line, n)
	for i := range lines {
		insn, err := x86asm.Decode(textpoke.Text(pc, 15), 64)
		if err != nil {
			tb.Fatalf("at %#x: %v", pc, err)
		}
		l := line{pc: pc}
		next := pc + uintptr(insn.Len)
		for _, arg := range insn.Args {
			switch arg := arg.(type) {
			case x86asm.Rel:
				l.target = next + uintptr(arg)
			case x86asm.Imm:
				l.imm = int64(arg)
			case x86asm.Mem:
				if arg.Base == x86asm.RIP {
					l.target = next + uintptr(arg.Disp)
				}
			}
		}
		l.text = displacement.ReplaceAllString(x86asm.IntelSyntax(insn, 0, nil), "@")
		lines[i] = l
		pc = next
	}
	return lines
}

func compareText(tb testing.TB, what string, got []line, want []string) {
	tb.Helper()
	for i, l := range got {
		if l.text != want[i] {
			tb.Fatalf("%s: instruction %d is %q, want %q", what, i, l.text, want[i])
		}
	}
}

// The indices in bodyText of the instructions that tests name.
const (
	lockAt    = 6  // enter
	pointAt   = 7  // LEAQ point
	funcsAt   = 8  // load array
	noProbeAt = 10 // to unlockAt
	dataAt    = 11 // load data
	numberAt  = 12 // a
	callAt    = 14 // call
	unlockAt  = 16 // leave
	backAt    = 18
	nestedAt  = 19
)

// bodyText is BODY.
var bodyText = []string{
	"mov rsi, qword ptr [rsp+0x40]",
	"mov r8, qword ptr [rsi]",
	"mov rdx, qword ptr [rsi+0x8]",
	"mov rdx, qword ptr [rdx]",
	"test r8w, r8w",
	"jnz @",
	"mov qword ptr [rsi], rdx",
	"lea rdi, ptr @",
	"mov r9, qword ptr [rdi]",
	"test r9, r9",
	"jz @",
	"mov rax, qword ptr [r9+0x8]",
	"mov ebx, #",
	"mov rcx, r12",
	"call @",
	"mov rsi, qword ptr [rsp+0x40]",
	"dec qword ptr [rsi]",
	"mov r12, qword ptr [rsp+0x20]",
	"jmp @",
	"inc qword ptr [rsi]",
	"jmp @",
}

// hooks is how many calls of hook_amd64.s an iterator has in this build. A body then has one, in
// place of the load of its data.
var hooks int

func init() {
	if code, _ := throughHook(nil, 0); len(code) > 0 {
		hooks = 2
		bodyText[dataAt] = "call @"
	}
}

// checkBody checks a spot's body: it passes number as a, and returns to back.
func checkBody(tb testing.TB, what string, p spot, s *Site, number int, back uintptr) {
	tb.Helper()
	body := decode(tb, p.body, len(bodyText))
	switch zero := number == 0 && body[numberAt].text == "xor ebx, ebx"; {
	case zero, strings.HasPrefix(body[numberAt].text, "mov ebx, ") && body[numberAt].imm == int64(number):
		body[numberAt].text = "mov ebx, #"
	}
	compareText(tb, what, body, bodyText)
	for _, branch := range []struct {
		name     string
		from, to uintptr
	}{
		{"nested reader", body[5].target, body[nestedAt].pc},
		{"reader that has nested", body[nestedAt+1].target, body[pointAt].pc},
		{"NULL funcs", body[noProbeAt].target, body[unlockAt].pc},
		{"way back", body[backAt].target, back},
		{"tracepoint", body[pointAt].target, pointAddress(s.point)},
		{"static call's address", p.call.PC(), body[callAt].pc},
		{"static call", body[callAt].target, p.call.Insn().Target()},
	} {
		if branch.from != branch.to {
			tb.Fatalf("%s: %s: %#x, want %#x", what, branch.name, branch.from, branch.to)
		}
	}
}

// If this fails, a site in text does not load the data in the section and before the call, or
// one of thousands differs from the others.
func TestD3Order(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	if !slices.IsSorted([]int{lockAt, funcsAt, dataAt, callAt, unlockAt}) {
		t.Fatal("bodyText itself has the wrong order")
	}
	for i, s := range machine.events {
		p := s.spots[0]
		if len(s.spots) != 1 || s.point != &points[i] || p.key.PC() != s.entry+uintptr(len(keepMark)) {
			t.Fatalf("event %d: %+v", i, s)
		}
		checkBody(t, fmt.Sprint("event ", i), p, s, i, p.key.PC()+textpoke.Size)
	}
	for layout := range Layouts {
		for _, s := range []*Site{machine.timed[layout], machine.plain[layout]} {
			if len(s.spots) != Unroll {
				t.Fatalf("layout %d has %d spots, want %d", layout, len(s.spots), Unroll)
			}
			for i, p := range s.spots {
				checkBody(t, fmt.Sprintf("layout %d, spot %d", layout, i), p, s, i, p.key.PC()+textpoke.Size)
			}
		}
	}
}

// If this fails, a block continues in the middle of another block.
func TestBlocks(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	out := decode(t, machine.events[0].entry, 4)[3].target
	for i, s := range machine.events {
		block := decode(t, s.entry, 5)
		compareText(t, fmt.Sprint("event ", i), block, []string{
			"mov qword ptr [rsp+0x20], r12",
			"nop dword ptr [rax+rax+0x5a], eax",
			"dec r12",
			"jz @",
			"jmp @",
		})
		next := out
		if i+1 < TextSites {
			next = machine.events[i+1].entry
		}
		if leave, goOn := block[3].target, block[4].target; leave != out || goOn != next {
			t.Fatalf("event %d leaves to %#x, want %#x, and goes on to %#x, want %#x", i, leave, out, goOn, next)
		}
	}
}

// If this fails, a disabled site costs more than its five bytes, or the key of an enabled site
// does not jump to its body.
func TestKeyBytes(t *testing.T) {
	sites := slices.Concat(events(t, TextSites+3), machine.timed[:])
	enable, disable := KeyChanges(sites)
	off := func(when string) {
		t.Helper()
		for _, c := range disable {
			if got := textpoke.Text(c.Site.PC(), textpoke.Size); !slices.Equal(got, keyMark) {
				t.Fatalf("%s the key at %#x is % x, want % x", when, c.Site.PC(), got, keyMark)
			}
		}
	}
	off("before")
	judge.Check(t, textpoke.Int3Batch(enable))
	i := 0
	for _, s := range sites {
		for _, p := range s.spots {
			jump := decode(t, p.key.PC(), 1)[0]
			if jump.text != "jmp @" || jump.target != p.body || enable[i].To.Target() != p.body {
				t.Errorf("the key at %#x is %q to %#x, want the body %#x", p.key.PC(), jump.text, jump.target, p.body)
			}
			i++
		}
	}
	judge.Check(t, textpoke.Int3Batch(disable))
	off("after")
}

// If this fails, a mapped site loads its data outside the section, which is in fireMapped, or
// after the call.
func TestD3OrderMapped(t *testing.T) {
	sites := events(t, TextSites+3)[TextSites:]
	for i, s := range sites {
		p := s.spots[0]
		entry := decode(t, s.entry, 2)
		compareText(t, "mapped entry", entry, []string{"nop dword ptr [rax+rax+0x5a], eax", "ret"})
		body := decode(t, p.body, 7)
		body[0].text, _, _ = strings.Cut(body[0].text, ",")
		compareText(t, "mapped body", body, []string{
			"mov rdi",
			"mov r9, qword ptr [rdi]",
			"test r9, r9",
			"jz @",
			"mov rax, qword ptr [r9+0x8]",
			"jmp @",
			"ret",
		})
		if uintptr(body[0].imm) != pointAddress(s.point) || body[3].target != body[6].pc || body[5].pc != p.call.PC() || body[5].target != p.call.Insn().Target() {
			t.Errorf("mapped site %d has wrong operands: %+v", i, body)
		}
	}

	start, err := find(funcPC(t, sites[0]), []byte{0x48, 0x8B, 0x74, 0x24, 0x40}) // MOVQ r+8(FP), SI
	judge.Check(t, err)
	got := decode(t, start, 18)
	compareText(t, "fireMapped", got, append(bodyText[:lockAt+1:lockAt+1],
		"mov qword ptr [rsp+0x20], r12",
		"mov r9, qword ptr [rsp+0x38]",
		"xor ebx, ebx",
		"mov rcx, r12",
		"call r9",
		"mov rsi, qword ptr [rsp+0x40]",
		"dec qword ptr [rsi]",
		"mov r12, qword ptr [rsp+0x20]",
		"dec r12",
		"jnz @",
		"add rsp, 0x28",
	))
	nested := decode(t, got[5].target, 2)
	compareText(t, "fireMapped, nested", nested, []string{"inc qword ptr [rsi]", "jmp @"})
	if nested[1].target != got[7].pc || got[16].target != got[0].pc {
		t.Error("fireMapped's loop or its nested entry jumps to a wrong instruction")
	}
}

// If this fails, a thunk passes other data (D5), or does not enter its function at the first
// instruction; or a freed thunk does not count its calls.
func TestThunk(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	funcs, _ := recorders(t, 1, nil)
	e := funcs[0]
	target, err := bind(e)
	judge.Check(t, err)
	want, end := []string{"mov rax, @", "jmp @"}, 15
	if hooks > 0 {
		want, end = slices.Insert(want, 1, "mov r10, @"), 25
	}
	_, fn := throughHook(nil, e.Fn) // in this build
	check := func(what string, want []string, e Entry, fn uintptr, end int) {
		t.Helper()
		got := decode(t, target.PC, len(want))
		for i := range got { // addresses, which compareText does not know
			got[i].text = immediate.ReplaceAllString(got[i].text, "@")
		}
		compareText(t, what, got, want)
		last := got[len(got)-1]
		if uintptr(got[0].imm) != uintptr(e.Data) || len(got) > 2 && uintptr(got[1].imm) != e.Fn || fn != 0 && last.target != fn {
			t.Errorf("%s loads %#x and goes to %#x, want %#x and %#x", what, got[0].imm, last.target, e.Data, fn)
		}
		for i, b := range textpoke.Text(target.PC, thunkSize)[end:] {
			if b != 0xCC {
				t.Errorf("%s: byte %d is %#x, want an int3", what, end+i, b)
			}
		}
	}
	check("thunk", want, e, fn, end)
	target.Release()
	check("freed thunk", []string{"mov rax, @", "mov r10, @", "jmp r10"}, Poison(), 0, 23)
}

var immediate = regexp.MustCompile(`0x[0-9a-f]+$`)

// If this fails, a CPU can predict the target of the retpoline, or it does not go to R10.
func TestRetpoline(t *testing.T) {
	judge.Need(t, Open(), "dispatch")
	calls := func(pc uintptr) (list []line) {
		for _, l := range decode(t, pc, 24) {
			if strings.HasPrefix(l.text, "call") {
				list = append(list, l)
			}
		}
		return list[hooks:]
	}
	if got := calls(machine.pcs.traceiter); len(got) == 0 || got[0].text != "call r10" {
		t.Errorf("the iterator calls its probes by %v", got)
	}
	got := calls(machine.pcs.retpoline)
	if len(got) == 0 || got[0].text != "call @" {
		t.Fatalf("the retpoline iterator calls its probes by %v", got)
	}
	thunk := decode(t, got[0].target, 6)
	compareText(t, "retpoline", thunk, []string{
		"call @",
		"pause",
		"lfence",
		"jmp @",
		"mov qword ptr [rsp], r10",
		"ret",
	})
	if thunk[0].target != thunk[4].pc || thunk[3].target != thunk[1].pc {
		t.Errorf("the retpoline's branches go to %#x and %#x", thunk[0].target, thunk[3].target)
	}
}
