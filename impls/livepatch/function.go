package livepatch

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/textpoke"
)

const (
	// MaxFunctions is the number of old functions.
	MaxFunctions = 32

	// entrySize, for assembler, is the size of an OLD, rounded up.
	entrySize = 32
)

// A Function is an old function: one that can be patched, with its ftrace entry.
type Function struct {
	// body is the address of the function as it was compiled. Read by assembler; written
	// by SetBody.
	body uintptr

	// ops is not nil while a patch covers the function. Written under Core.mu, read by
	// handlers inside their sections.
	ops atomic.Pointer[ops]

	slot []ops // the memory of ops. Protected by Core.mu.

	site  *textpoke.Site
	entry uintptr
}

// table is all old functions. Assembler uses its address.
var table [MaxFunctions]Function

// text is the state of Open.
var text struct {
	once    sync.Once
	err     error
	handler textpoke.Insn
}

// Open registers the functions' sites with package textpoke, once. Its error is
// impls.ErrUnsupported where text cannot be patched. Everything else in this package needs it.
func Open() error {
	text.once.Do(func() { text.err = open() })
	return text.err
}

func open() error {
	if err := dispatch.Open(); err != nil {
		return err
	}
	mark := []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A} // SITE
	pcs := make([]uintptr, MaxFunctions)
	at := enterPC()
	for k := range pcs {
		const far = 8 * entrySize
		i := bytes.Index(textpoke.Text(at, far), mark)
		if i < 0 {
			return fmt.Errorf("livepatch: no % x in the %d bytes of text from %#x: enter_amd64.s and function.go disagree", mark, far, at)
		}
		pcs[k] = at + uintptr(i)
		at = pcs[k] + textpoke.Size
	}
	sites, err := textpoke.Register(pcs)
	if err != nil {
		return err
	}
	text.handler = textpoke.Call(handlerPC())
	for k, s := range sites {
		if err := s.Reach(text.handler); err != nil {
			return err
		}
		table[k].site, table[k].entry = s, pcs[k]&^(entrySize-1)
		table[k].SetBody(dispatch.Nop())
	}
	return nil
}

// Functions returns all old functions. They belong to one Core at a time. They do nothing until
// SetBody.
func Functions() ([]*Function, error) {
	if err := Open(); err != nil {
		return nil, err
	}
	list := make([]*Function, MaxFunctions)
	for k := range list {
		list[k] = &table[k]
	}
	return list, nil
}

// SetBody sets what the function does as it was compiled. No task may call the function
// meanwhile, and no patch may cover it.
func (f *Function) SetBody(body dispatch.Func) { f.body = uintptr(body) }

// Patched reports whether the function's ftrace entry calls the handler.
func (f *Function) Patched() bool { return f.site.Insn() != textpoke.Nop }

// ftrace makes the function's entry a NOP or a call of the handler.
func (f *Function) ftrace(to textpoke.Insn) {
	if err := textpoke.Int3Batch([]textpoke.Change{{Site: f.site, To: to}}); err != nil {
		panic(fmt.Sprintf("livepatch: the handler, in reach when Open tested it, is not: %v", err))
	}
}
