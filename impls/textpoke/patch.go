package textpoke

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// A Change makes a site execute another instruction.
type Change struct {
	Site *Site
	To   Insn
}

// Counters are exact totals for the process; see P5.
type Counters struct {
	Batches uint64 // patches applied, of one site or of many
	Syncs   uint64 // times all cores were synchronised
	Traps   uint64 // int3s that threads ran into and the handler performed
	Stores  uint64 // sites that aligned-store wrote by one store
	Holds   uint64 // threads that stop-readers held
}

// Totals returns the counters so far.
func Totals() Counters {
	return Counters{batches.Load(), syncs.Load(), traps.Load(), stores.Load(), holds.Load()}
}

// traps is incremented by the handler, in trap_amd64.s.
var batches, syncs, traps, stores, holds atomic.Uint64

// A Patcher applies changes; see P1 and P2. A change to what a site already
// executes is left out. An error means that nothing was changed.
type Patcher func(changes []Change) error

// int3Batch takes all changes through the protocol together: three syncs, however
// many sites.
func int3Batch(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	return poke(changes)
}

// int3 takes each change through the protocol by itself, as the kernel's static
// calls do: three syncs a site.
func int3(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	if _, err := prepare(changes); err != nil {
		return err
	}
	for i := range changes {
		if err := poke(changes[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// poke is the protocol of the package doc. textMutex must be held.
func poke(changes []Change) error { return apply(changes, throughInt3s) }

// apply hands what the changes come to, if anything, to write. textMutex must be held.
func apply(changes []Change, write func(work []pokeWork)) error {
	work, err := prepare(changes)
	if err != nil || len(work) == 0 {
		return err
	}
	write(work)
	batches.Add(1)
	return nil
}

func throughInt3s(work []pokeWork) {
	// Steps 1 and 2. x86 makes the store of the instruction visible before the
	// int3, so no handler finds the old one behind the new trap (P3); it pairs
	// with the handler's load, which follows the trap. Another CPU executes the
	// old instruction whole, or traps.
	writeInt3s(&work[0], len(work))
	step.At("textpoke: int3s written")
	syncCores()

	// Step 3. Nobody decodes the tails: every CPU has seen the int3s.
	writeTails(&work[0], len(work))
	step.At("textpoke: tails written")
	syncCores()

	// Step 4. Another CPU traps, or executes the new instruction whole.
	writeHeads(&work[0], len(work))
	step.At("textpoke: heads written")
	syncCores()
}

// writeTable is step 1 for those who write no int3s.
func writeTable(work []pokeWork) {
	for _, w := range work {
		w.site.insn.Store(uint64(w.insn))
	}
}

// A pokeWork is what assembler needs to write one site.
type pokeWork struct {
	pc   uintptr
	insn Insn
	site *Site
	code code
}

// batch numbers the calls of prepare. A site twice in one batch would have the head of
// one instruction written before the tail of the other. Protected by textMutex.
var batch uint64

// scratch is prepare's, kept from batch to batch. Protected by textMutex.
var scratch []pokeWork

// prepare encodes the changes that change something.
func prepare(changes []Change) ([]pokeWork, error) {
	work := slices.Grow(scratch[:0], len(changes))
	batch++
	for _, c := range changes {
		if c.Site == nil || c.Site.pc == 0 {
			return nil, fmt.Errorf("textpoke: change to %v of no registered site", c.To)
		}
		if c.Site.batch == batch {
			return nil, fmt.Errorf("textpoke: the site at %#x is in one batch twice", c.Site.pc)
		}
		c.Site.batch = batch
		if c.Site.Insn() == c.To {
			continue
		}
		code, ok := encode(c.Site.pc, c.To)
		if !ok {
			return nil, errReach(c)
		}
		work = append(work, pokeWork{c.Site.pc, c.To, c.Site, code})
	}
	scratch = work
	return work, nil
}

func errReach(c Change) error {
	return fmt.Errorf("textpoke: %v at %#x: the target is out of the reach of 32 bits", c.To, c.Site.pc)
}

// Reach reports that the site cannot execute the instruction, because its target is
// too far away, or nil.
func (s *Site) Reach(to Insn) error {
	if _, ok := encode(s.pc, to); !ok {
		return errReach(Change{s, to})
	}
	return nil
}

// syncCores returns when every thread of the process has executed a serialising
// instruction, or will before it next returns to user code.
func syncCores() {
	membarrierSyncCore()
	step.At("textpoke: synced")
}
