//go:build linux && amd64

package textpoke

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/impls"
)

func eachPatcher(t *testing.T, test func(t *testing.T, patch Patcher)) {
	t.Helper()
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			need(t, v.Supported())
			test(t, v.New)
		})
	}
}

// newRand returns a source seeded with TEST_SEED or at random, and logs the seed.
func newRand(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			tb.Fatalf("TEST_SEED: %v", err)
		}
	}
	tb.Logf("TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// textIs reports an error if the bytes at s are not insn's.
func textIs(t *testing.T, s *Site, insn Insn) {
	t.Helper()
	c, _ := encode(s.pc, insn)
	want := bytesOf(c)
	if got := Text(s.pc, Size); !bytes.Equal(got, want[:Size]) {
		t.Errorf("at %#x (offset %d of its line) is % x, want % x (%v)", s.pc, s.pc%64, got, want[:Size], insn)
	}
	if got := s.Insn(); got != insn {
		t.Errorf("the table says %v, want %v", got, insn)
	}
}

// If a site executed as anything but an instruction it was told to be, some thread
// decoded the head of one with the tail of another. A thread executes sites at every
// offset into a cache line while they change in batches of every size. It also reads
// the site's phase: an execution that begins and ends in one and the same rest has to
// be the new instruction (P2), in one and the same patch the old or the new one.
func TestP1Torture(t *testing.T) {
	sites := mappedSites(t)
	eachPatcher(t, func(t *testing.T, patch Patcher) {
		const batches = 400
		rnd := newRand(t)
		const rest, patching, phases = 0, 2, 3 // 1 is announcing
		type state struct {
			phase    atomic.Uint64 // modulo phases; it only grows
			old, new atomic.Uint64 // results
			_        [104]byte
		}
		states := make([]state, len(sites))
		for i, s := range sites {
			states[i].old.Store(mapped.results[s.Insn()])
			states[i].new.Store(mapped.results[s.Insn()])
		}
		var stop atomic.Bool
		var executions, early, late int // early: during a batch
		var running sync.WaitGroup
		started := make(chan bool)
		running.Go(func() {
			close(started)
			for !stop.Load() {
				for i := range sites {
					st := &states[i]
					before := st.phase.Load()
					old := st.old.Load()
					got := sites[i].run()
					to, after := st.new.Load(), st.phase.Load()
					executions++
					switch {
					case before == after && before%phases == rest:
						late++
						if got != to {
							t.Errorf("offset %d: executed as %#x after a patch to %#x had returned", i, got, to)
						}
					case before == after && before%phases == patching:
						early++
						if got != old && got != to {
							t.Errorf("offset %d: executed as %#x during a patch from %#x to %#x", i, got, old, to)
						}
					default: // the phase has changed, perhaps more than once
						switch got {
						case ranNop, ranCallA, ranCallB, ranJumpA, ranJumpB:
						default:
							t.Errorf("offset %d: executed as %#x", i, got)
						}
					}
				}
			}
		})
		<-started
		traps := Totals().Traps
		for range batches {
			var changes []Change
			batch := rnd.Perm(len(sites))[:1+rnd.IntN(8)]
			if rnd.IntN(10) == 0 {
				batch = rnd.Perm(len(sites))
			}
			for _, i := range batch {
				to := mapped.insns[rnd.IntN(len(mapped.insns))]
				changes = append(changes, Change{sites[i].Site, to})
				states[i].phase.Add(1) // announcing
				states[i].old.Store(states[i].new.Load())
				states[i].new.Store(mapped.results[to])
				states[i].phase.Add(1) // patching
			}
			if err := patch(changes); err != nil {
				t.Fatal(err)
			}
			for k, i := range batch {
				states[i].phase.Add(1) // rest
				textIs(t, sites[i].Site, changes[k].To)
			}
		}
		stop.Store(true)
		running.Wait()
		t.Logf("%d executions, %d of them during a patch of their site, %d after; %d traps",
			executions, early, late, Totals().Traps-traps)
	})
}

// The steps of the protocol by themselves: whatever a thread meets between two of
// them has to be a whole instruction, the old or a trap that performs the new one.
// If the table learned of the new instruction after the int3 (P3), or a head were
// written with the old tail behind it, this shows it without a race.
func TestP1P3StepByStep(t *testing.T) {
	sites := mappedSites(t)
	for _, from := range mapped.insns {
		for _, to := range mapped.insns {
			if from == to {
				continue
			}
			t.Run(fmt.Sprintf("%#x-%#x", mapped.results[from], mapped.results[to]), func(t *testing.T) {
				for _, offset := range []int{0, 30, 59, 60, 61, 62, 63} {
					s := sites[offset]
					if err := int3Batch([]Change{{s.Site, from}}); err != nil {
						t.Fatal(err)
					}
					textMutex.Lock()
					work, err := prepare([]Change{{s.Site, to}})
					if err != nil || len(work) != 1 {
						textMutex.Unlock()
						t.Fatalf("%d changes, %v", len(work), err)
					}
					tail := slices.Clone(Text(s.pc+1, Size-1))
					writes := []struct {
						step  string
						write func(*pokeWork, int)
						head  byte
						tail  []byte
						traps uint64
					}{
						{"2, the int3", writeInt3s, opInt3, tail, 1},
						{"3, the tail", writeTails, opInt3, nil, 1},
						{"4, the head", writeHeads, 0, nil, 0},
					}
					encoded := bytesOf(work[0].code)
					for _, w := range writes {
						if w.head == 0 {
							w.head = encoded[0]
						}
						if w.tail == nil {
							w.tail = encoded[1:Size]
						}
						w.write(&work[0], 1)
						syncCores()
						text := Text(s.pc, Size)
						if text[0] != w.head || !bytes.Equal(text[1:], w.tail) {
							t.Errorf("step %s: the bytes are % x", w.step, text)
						}
						if s.Insn() != to {
							t.Errorf("step %s: the table says %v, not %v", w.step, s.Insn(), to)
						}
						traps := Totals().Traps
						if got, want := s.run(), mapped.results[to]; got != want {
							t.Errorf("step %s: executed as %#x, want %#x", w.step, got, want)
						}
						if got := Totals().Traps - traps; got != w.traps {
							t.Errorf("step %s: %d traps, want %d", w.step, got, w.traps)
						}
					}
					textMutex.Unlock()
					textIs(t, s.Site, to)
				}
			})
		}
	}
}

// If a thread that is about to start could still begin the old instruction after
// Patch returned, the caller could not reuse what the old target needs.
func TestP2NewInstructionOnReturn(t *testing.T) {
	sites := mappedSites(t)
	eachPatcher(t, func(t *testing.T, patch Patcher) {
		for _, to := range append(slices.Clone(mapped.insns), Nop) {
			changes := make([]Change, len(sites))
			for i, s := range sites {
				changes[i] = Change{s.Site, to}
			}
			if err := patch(changes); err != nil {
				t.Fatal(err)
			}
			traps := Totals().Traps
			results := make(chan uint64)
			go func() {
				defer close(results)
				for _, s := range sites {
					results <- s.run()
				}
			}()
			for got := range results {
				if got != mapped.results[to] {
					t.Errorf("executed as %#x, want %#x", got, mapped.results[to])
				}
			}
			if got := Totals().Traps; got != traps {
				t.Errorf("%d traps with no patch under way", got-traps)
			}
			for _, s := range sites {
				textIs(t, s.Site, to)
			}
		}
	})
}

// If the table forgot a site once its patch is over, a thread that trapped during the
// patch and arrives later would die of SIGTRAP. Here it arrives after everything: an
// int3 over a site at rest.
func TestP3LateTrap(t *testing.T) {
	sites := mappedSites(t)
	for _, insn := range mapped.insns {
		t.Run(fmt.Sprintf("%#x", mapped.results[insn]), func(t *testing.T) {
			for i, s := range sites {
				if err := int3Batch([]Change{{s.Site, insn}}); err != nil {
					t.Fatal(err)
				}
				text := Text(s.pc, Size)
				head := text[0]
				text[0] = opInt3
				syncCores()
				traps := Totals().Traps
				const times = 3
				for range times {
					if got, want := s.run(), mapped.results[insn]; got != want {
						t.Errorf("offset %d: a late trap performed %#x, want %#x", i, got, want)
					}
				}
				if got := Totals().Traps - traps; got != times {
					t.Errorf("offset %d: %d traps counted of %d", i, got, times)
				}
				text[0] = head
				syncCores()
			}
		})
	}
}

// If another thread could see an int3 whose instruction the table does not have yet,
// it would perform the old one after step 2. It polls the text as data.
func TestP3TableBeforeInt3(t *testing.T) {
	s := mappedSites(t)[17]
	if err := int3Batch([]Change{{s.Site, Nop}}); err != nil {
		t.Fatal(err)
	}
	var announced atomic.Int64 // the number of the patch under way; never the same again
	to := func(patch int64) Insn { return mapped.insns[patch%int64(len(mapped.insns))] }
	var stop atomic.Bool
	var watcher sync.WaitGroup
	seen := 0
	watcher.Go(func() {
		text := Text(s.pc, Size)
		for !stop.Load() {
			before := announced.Load()
			if text[0] != opInt3 {
				continue
			}
			insn := s.Insn()
			if announced.Load() != before {
				continue
			}
			seen++
			if insn != to(before) {
				t.Errorf("behind the int3 the table says %v, not %v", insn, to(before))
			}
		}
	})
	for i := range 2000 {
		patch := int64(i + 1)
		announced.Store(patch)
		if err := int3Batch([]Change{{s.Site, to(patch)}}); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	watcher.Wait()
	t.Logf("the watcher saw an int3 %d times", seen)
}

// If the action were not a copy of the runtime's, a trap would run on a goroutine's
// stack (no SA_ONSTACK), be interrupted by a preemption (a mask with holes), or have
// nowhere to return to (no restorer); and if the handler behind were ours again, a
// foreign trap would go round for ever.
func TestP4ActionIsACopyOfTheRuntimes(t *testing.T) {
	mappedSites(t) // installs the handler
	var act, runtimes sigaction
	if errno := rtSigaction(unix.SIGTRAP, nil, &act); errno != 0 {
		t.Fatal(errno)
	}
	// SIGURG is the runtime's as well, installed in the same way.
	if errno := rtSigaction(unix.SIGURG, nil, &runtimes); errno != 0 {
		t.Fatal(errno)
	}
	if act.handler != trapPC() {
		t.Errorf("SIGTRAP goes to %#x, not to %#x", act.handler, trapPC())
	}
	if previous != runtimes.handler {
		t.Errorf("a foreign trap goes on to %#x, the runtime's handler is %#x", previous, runtimes.handler)
	}
	act.handler = runtimes.handler
	if act != runtimes {
		t.Errorf("the action is %+v, the runtime's %+v", act, runtimes)
	}
}

// If Register took bytes that are no site, patching would destroy code; if it took
// an overlap, two patches would destroy each other. Nothing may be registered then.
func TestRegisterRefuses(t *testing.T) {
	sites := mappedSites(t)
	text, err := Map(64)
	need(t, err)
	base := textAddress(text)
	nop := bytesOf(nopCode)
	copy(text[0:], nop[:Size])
	copy(text[8:], nop[:Size])
	copy(text[16:], []byte{0x90, 0x90, 0x90, 0x90, 0x90})
	copy(text[24:], []byte{0xE8, 0xE8, 0, 0, 0, 0, 0}) // a CALL, and one byte on another
	for _, row := range []struct {
		name string
		pcs  []uintptr
	}{
		{"other bytes", []uintptr{base + 16}},
		{"other bytes behind a good one", []uintptr{base, base + 16}},
		{"twice in one call", []uintptr{base, base}},
		{"overlap in one call", []uintptr{base + 25, base + 24}},
		{"registered before", []uintptr{sites[0].PC()}},
		{"a good one and one registered before", []uintptr{base, sites[63].PC()}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := live.Load()
			got, err := Register(row.pcs)
			if err == nil || got != nil {
				t.Errorf("registered as %v, %v", got, err)
			}
			if live.Load() != before || len(rows) != int(before.n) {
				t.Error("the table has changed")
			}
		})
	}
	// The good ones are still free, in whatever order.
	got, err := Register([]uintptr{base + 8, base})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].PC() != base+8 || got[1].PC() != base || got[0].Insn() != Nop {
		t.Errorf("registered %#x %#x", got[0].PC(), got[1].PC())
	}
	if !slices.IsSortedFunc(rows, func(a, b entry) int { return int(a.pc) - int(b.pc) }) {
		t.Error("the table is not sorted, which the handler's binary search needs")
	}
}

// If an error left some sites changed, the caller could not tell what executes.
func TestPatchRefuses(t *testing.T) {
	sites := mappedSites(t)
	eachPatcher(t, func(t *testing.T, patch Patcher) {
		first, second := sites[3].Site, sites[4].Site
		if err := patch([]Change{{first, Nop}, {second, Nop}}); err != nil {
			t.Fatal(err)
		}
		far := Call(first.PC() + 1<<40)
		for name, bad := range map[string]Change{
			"no site":      {nil, Nop},
			"out of reach": {second, far},
		} {
			for order, changes := range map[string][]Change{
				"alone":             {bad},
				"behind a good one": {{first, mapped.insns[1]}, bad},
				"before a good one": {bad, {first, mapped.insns[1]}},
			} {
				before := Totals()
				if err := patch(changes); err == nil {
					t.Errorf("%s, %s: no error", name, order)
				}
				if got := Totals(); got != before {
					t.Errorf("%s, %s: counters went from %+v to %+v", name, order, before, got)
				}
				textIs(t, first, Nop)
				textIs(t, second, Nop)
			}
		}
	})
}

// If batches or syncs were miscounted, the cost that the benchmarks explain with them
// would be explained wrongly.
func TestP5CountersAreExact(t *testing.T) {
	sites := mappedSites(t)
	all := func(to Insn, n int) (changes []Change) {
		for _, s := range sites[:n] {
			changes = append(changes, Change{s.Site, to})
		}
		return changes
	}
	a := mapped.insns[1]
	for _, row := range []struct {
		name           string
		changes        []Change
		single, batchd uint64 // batches by int3 and by int3-batch, from all NOPs
	}{
		{"nothing", nil, 0, 0},
		{"one that changes nothing", all(Nop, 1), 0, 0},
		{"many that change nothing", all(Nop, 64), 0, 0},
		{"one", all(a, 1), 1, 1},
		{"two", all(a, 2), 2, 1},
		{"sixty-four", all(a, 64), 64, 1},
		{"two of four", append(all(a, 2), Change{sites[2].Site, Nop}, Change{sites[3].Site, Nop}), 2, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachPatcher(t, func(t *testing.T, patch Patcher) {
				if err := int3Batch(all(Nop, len(sites))); err != nil {
					t.Fatal(err)
				}
				want := row.batchd
				if t.Name()[len(t.Name())-len("int3"):] == "int3" {
					want = row.single
				}
				before := Totals()
				if err := patch(row.changes); err != nil {
					t.Fatal(err)
				}
				got := Totals()
				if n := got.Batches - before.Batches; n != want {
					t.Errorf("%d batches, want %d", n, want)
				}
				if n := got.Syncs - before.Syncs; n != 3*want {
					t.Errorf("%d syncs, want %d", n, 3*want)
				}
				if got.Traps != before.Traps {
					t.Errorf("%d traps by nobody", got.Traps-before.Traps)
				}
			})
		})
	}
}

func BenchmarkPatch(b *testing.B) {
	sites := mappedSites(b)
	for _, v := range impls.OnlySound(Variants()) {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("impl=%s/sites=%d", v.Name, n), func(b *testing.B) {
				to := [2][]Change{}
				for _, s := range sites[:n] {
					to[0] = append(to[0], Change{s.Site, mapped.insns[1]})
					to[1] = append(to[1], Change{s.Site, Nop})
				}
				for i := 0; b.Loop(); i++ {
					if err := v.New(to[i%2]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A site that is in a batch twice would be executed with the head of one instruction
// and the tail of the other.
func TestP1BatchRefusesSiteTwice(t *testing.T) {
	need(t, Check())
	s := mappedSites(t)[0]
	textIs(t, s.Site, s.Insn())
	was, before := s.Insn(), Totals()
	if err := int3Batch([]Change{{s.Site, Call(s.pc + 64)}, {s.Site, Jump(s.pc + 128)}}); err == nil {
		t.Error("a site was twice in one batch and no error came")
	}
	textIs(t, s.Site, was)
	if after := Totals(); after != before {
		t.Errorf("the refused batch was counted: %+v, then %+v", before, after)
	}
}
