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
	// MaxFunctions is how many old functions there are.
	MaxFunctions = 32

	// entrySize, for the assembler, is the size of an OLD, rounded up.
	entrySize = 32
)

// A Function is one that can be patched: the old function, with its ftrace entry.
type Function struct {
	// body is what the function does as it was compiled. Read by assembler; written
	// by SetBody.
	body uintptr

	// ops is there while a patch covers the function. Written under Core.mu, read by
	// handlers inside their sections.
	ops atomic.Pointer[ops]

	slot []ops // where ops is. Protected by Core.mu.

	site  *textpoke.Site
	entry uintptr
}

// table is addressed by assembler.
var table [MaxFunctions]Function

// text is the state behind Open.
var text struct {
	once    sync.Once
	err     error
	handler textpoke.Insn
}

// Open registers the functions' sites with package textpoke, once. Its error is
// impls.ErrUnsupported where text cannot be patched. Everything else in this package
// relies on it.
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

// Functions returns all old functions. They belong to one Core at a time. What they do
// is nothing, until SetBody says otherwise.
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

// SetBody says what the function does as it was compiled. Nobody calls it meanwhile, and
// no patch covers it.
func (f *Function) SetBody(body dispatch.Func) { f.body = uintptr(body) }

// Patched reports whether the function's ftrace entry calls the handler.
func (f *Function) Patched() bool { return f.site.Insn() != textpoke.Nop }

// ftrace makes the function's entry a NOP or a call of the handler.
func (f *Function) ftrace(to textpoke.Insn) {
	if err := textpoke.Int3Batch([]textpoke.Change{{Site: f.site, To: to}}); err != nil {
		panic(fmt.Sprintf("livepatch: open has seen that the handler is in reach: %v", err))
	}
}
