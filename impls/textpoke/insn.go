package textpoke

import "fmt"

// An Insn is a five-byte instruction: a NOP, or a CALL or JMP to an absolute address. It is
// one word, so that the trap handler can load it by one instruction: the kind in the top byte,
// the target in the rest. The zero Insn is the NOP.
type Insn uint64

const (
	kindShift = 56
	kindNop   = 0
	kindCall  = 1
	kindJump  = 2
)

// Nop is the five-byte NOP.
const Nop = Insn(kindNop)

// Call is CALL rel32 to the code at target.
func Call(target uintptr) Insn { return kindCall<<kindShift | Insn(target) }

// Jump is JMP rel32 to the code at target.
func Jump(target uintptr) Insn { return kindJump<<kindShift | Insn(target) }

// Target is the address that a CALL or JMP goes to.
func (i Insn) Target() uintptr { return uintptr(i &^ (0xff << kindShift)) }

func (i Insn) kind() int { return int(i >> kindShift) }

func (i Insn) String() string {
	switch i.kind() {
	case kindCall:
		return fmt.Sprintf("call %#x", i.Target())
	case kindJump:
		return fmt.Sprintf("jmp %#x", i.Target())
	}
	return "nop"
}

// Size is the length of every site.
const Size = 5

// First bytes.
const (
	opCall = 0xE8
	opJump = 0xE9
	opInt3 = 0xCC
)

// code is the five bytes of an instruction as they lie in memory, lowest first; the
// upper three bytes are zero.
type code uint64

// nopCode is nopl 0x5a(AX)(AX*1). No compiler or assembler emits that displacement, so sites
// can be found by their bytes.
const nopCode = code(0x5A_00_44_1F_0F)

// encode returns insn's bytes at the address pc. ok is false if a 32-bit displacement cannot
// reach its target.
func encode(pc uintptr, insn Insn) (c code, ok bool) {
	if insn == Nop {
		return nopCode, true
	}
	op := code(opCall)
	if insn.kind() == kindJump {
		op = opJump
	}
	rel := int64(insn.Target()) - int64(pc+Size)
	return op | code(uint32(rel))<<8, int64(int32(rel)) == rel
}

// decode is encode's inverse. ok is false if the bytes are none of the three
// instructions.
func decode(pc uintptr, c code) (insn Insn, ok bool) {
	if c == nopCode {
		return Nop, true
	}
	target := pc + Size + uintptr(int32(c>>8))
	switch byte(c) {
	case opCall:
		return Call(target), true
	case opJump:
		return Jump(target), true
	}
	return 0, false
}
