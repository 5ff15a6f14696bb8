package textpoke

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Site is one registered instruction. It is never freed.
type Site struct {
	pc    uintptr
	insn  atomic.Uint64 // the Insn; written under textMutex, read by the trap handler
	batch uint64        // the number of the last batch that it was in; protected by textMutex
}

// Insn is the instruction that the site has, or will have when the patch under way returns.
func (s *Site) Insn() Insn { return Insn(s.insn.Load()) }

// PC is the site's address.
func (s *Site) PC() uintptr { return s.pc }

// The trap handler searches a table. Registering sites replaces the whole table; a table
// itself never changes. A handler that still uses an old one finds the same Sites in it.
type table struct {
	n       uintptr
	entries *entry // n of them, sorted by address for the handler's binary search
}

// entry is one row. The handler relies on its size of 16 bytes.
type entry struct {
	pc   uintptr
	site *Site
}

// live is the current table; trap_amd64.s reads it.
var live atomic.Pointer[table]

// textMutex serialises every change of text and of the table. A caller holds no lock of this
// package when it takes it, and may hold locks of its own.
var textMutex sync.Mutex

// retired keeps earlier tables from the collector, which does not look into signal handlers: a
// handler may still search one. Protected by textMutex.
var retired []*table

var rows []entry // the entries of live, as a slice. Protected by textMutex.

// Register adds the five-byte instructions at pcs to the table, makes their pages
// writable, and returns their Sites in the order of pcs. The instructions stay as
// they are. The first registration installs the trap handler.
func Register(pcs []uintptr) ([]*Site, error) {
	textMutex.Lock()
	defer textMutex.Unlock()
	if err := install(); err != nil {
		return nil, err
	}
	block := make([]Site, len(pcs))
	sites := make([]*Site, len(pcs))
	merged := slices.Grow(slices.Clone(rows), len(pcs))
	for i, pc := range pcs {
		bytes := Text(pc, Size)
		insn, ok := decode(pc, code(binary.LittleEndian.Uint32(bytes))|code(bytes[4])<<32)
		if !ok {
			return nil, fmt.Errorf("textpoke: the bytes % x at %#x are none of nop, call, jmp", bytes, pc)
		}
		sites[i] = &block[i]
		sites[i].pc = pc
		sites[i].insn.Store(uint64(insn))
		merged = append(merged, entry{pc, sites[i]})
	}
	slices.SortFunc(merged, func(a, b entry) int { return cmp.Compare(a.pc, b.pc) })
	for i := 1; i < len(merged); i++ {
		if merged[i].pc-merged[i-1].pc < Size {
			return nil, fmt.Errorf("textpoke: the sites at %#x and %#x overlap, or are registered twice", merged[i-1].pc, merged[i].pc)
		}
	}
	if err := makeWritable(pcs); err != nil {
		return nil, err
	}
	if len(merged) > 0 {
		rows = merged
		retired = append(retired, live.Load())
		live.Store(&table{uintptr(len(rows)), &rows[0]}) // P3: before the sites can be patched; pairs with trap's load
	}
	return sites, nil
}
