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
	Batches uint64 // batches written, of one site or of many
	Syncs   uint64 // core syncs
	Traps   uint64 // traps that the handler performed
	Stores  uint64 // sites that aligned-store wrote by one store
	Holds   uint64 // threads that stop-readers held
}

// Totals returns the counters so far.
func Totals() Counters {
	return Counters{batches.Load(), syncs.Load(), traps.Load(), stores.Load(), holds.Load()}
}

// The handler, in trap_amd64.s, increments traps.
var batches, syncs, traps, stores, holds atomic.Uint64

// A Patcher makes the changes; see P1 and P2. It leaves out a change to the instruction that
// the site already has. An error means that nothing was changed.
type Patcher func(changes []Change) error

// patcher makes a Patcher of a function that writes all sites of a batch.
func patcher(write func(work []pokeWork)) Patcher {
	return func(changes []Change) error {
		textMutex.Lock()
		defer textMutex.Unlock()
		return apply(changes, write)
	}
}

// int3 takes each change through the protocol by itself, as the kernel does for static calls:
// three syncs for each site.
func int3(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	if _, err := prepare(changes); err != nil {
		return err
	}
	for i := range changes {
		if err := apply(changes[i:i+1], int3Batch); err != nil {
			return err
		}
	}
	return nil
}

// apply prepares the changes and calls write if any of them changes a site. textMutex must be
// held.
func apply(changes []Change, write func(work []pokeWork)) error {
	work, err := prepare(changes)
	if err != nil || len(work) == 0 {
		return err
	}
	write(work)
	batches.Add(1)
	return nil
}

// int3Batch takes all sites through the protocol together: three syncs for any number of them.
func int3Batch(work []pokeWork) {
	// Steps 1 and 2. x86 makes the store to the table visible before the int3. It pairs
	// with the handler's load, which comes after the trap: so a handler that the new int3
	// started does not find the old instruction (P3). Another CPU executes the whole old
	// instruction, or traps.
	writeInt3s(&work[0], len(work))
	step.At("textpoke: int3s written")
	syncCores()

	// Step 3. No CPU decodes the tails: every CPU has seen the int3s.
	writeTails(&work[0], len(work))
	step.At("textpoke: tails written")
	syncCores()

	// Step 4. Another CPU traps, or executes the whole new instruction.
	writeHeads(&work[0], len(work))
	step.At("textpoke: heads written")
	syncCores()
}

// writeTable is step 1 for patchers that write no int3s.
func writeTable(work []pokeWork) {
	for _, w := range work {
		w.site.insn.Store(uint64(w.insn))
	}
}

// A pokeWork is one site to write, for assembler.
type pokeWork struct {
	pc   uintptr
	insn Insn
	site *Site
	code code
}

// batch is the number of calls of prepare. It finds a site that is in one batch twice: the
// tails and heads of two instructions would mix there. Protected by textMutex.
var batch uint64

// scratch is the memory of prepare's result, used again for each batch. Protected by
// textMutex.
var scratch []pokeWork

// prepare checks the changes and encodes those that change a site.
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

// Reach returns an error if the site cannot execute the instruction, because its target is too
// far away.
func (s *Site) Reach(to Insn) error {
	if _, ok := encode(s.pc, to); !ok {
		return errReach(Change{s, to})
	}
	return nil
}

// syncCores returns when every thread of the process has executed a serialising instruction,
// or will execute one before it next returns to user code.
func syncCores() {
	membarrierSyncCore()
	step.At("textpoke: synced")
}
