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
	batch uint64        // the last one it was in; protected by textMutex
}

// Insn is what the site executes, or will once the patch under way has returned.
func (s *Site) Insn() Insn { return Insn(s.insn.Load()) }

// PC is the site's address.
func (s *Site) PC() uintptr { return s.pc }

// The table is what the trap handler searches. It is replaced as a whole when
// sites are added and never changed otherwise; a handler that still holds an old
// one finds the same Sites in it.
type table struct {
	n       uintptr
	entries *entry // n of them, by address; the handler's binary search walks this
}

// entry is one row: 16 bytes, as the handler's scaled index wants.
type entry struct {
	pc   uintptr
	site *Site
}

// live is the table in force; trap_amd64.s reads it.
var live atomic.Pointer[table]

// textMutex serialises every change of text and of the table. Whoever patches
// holds it; it nests inside the locks of packages above.
var textMutex sync.Mutex

// retired keeps the tables that live has held: a handler may still walk one, and the
// collector does not look into handlers. Protected by textMutex.
var retired []*table

var rows []entry // live's entries as a slice. Protected by textMutex.

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
		live.Store(&table{uintptr(len(rows)), &rows[0]}) // P3: before anybody can patch them
	}
	return sites, nil
}
