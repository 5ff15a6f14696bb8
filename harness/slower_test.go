package harness

import (
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// A ticker is a simulated counter, in ns, that moves in steps. A read of it takes time.
type ticker struct {
	rnd       *rand.Rand
	now       float64
	step      float64
	read      float64 // ns of a read: between this and twice as much
	interrupt float64 // ns, of one read in 3000
	longest   float64 // of the reads that were no interrupt
}

func (k *ticker) tick() uint64 {
	cost := k.read * (1 + k.rnd.Float64())
	k.longest = max(k.longest, cost)
	if k.interrupt > 0 && k.rnd.IntN(3000) == 0 {
		cost += k.interrupt
	}
	k.now += cost
	return uint64(math.Floor(k.now/k.step) * k.step)
}

// If this fails, the slowdown that a self-test of the pipeline injects is not the one that it
// says: over any number of timed parts, of one phase or several, whatever the clock's steps and its
// reads take, each phase is longer by the share, to within one read and one step of the clock.
func TestSlowdownIsExact(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		step := []float64{1, 10, 26, 100}[rnd.IntN(4)]
		k := &ticker{rnd: rnd, now: 1e6 * rnd.Float64(), step: step, read: []float64{1, 20, 45, 200}[rnd.IntN(4)]}
		c := fakeClock(t, step, float64(rnd.IntN(60)))
		phases := 1 + rnd.IntN(3)
		s := newSlowdown([]float64{1e-4, 0.0025, 0.005, 0.05, 1}[rnd.IntN(5)], c, phases)
		s.read = k.tick
		plain, slower := make([]phase, phases), make([]phase, phases)
		part := math.Pow(10, 1+5*rnd.Float64()) // ns
		part = min(part, 300*k.read/s.share)    // so that the test ends soon
		for range 1 + rnd.IntN(300) {
			i := rnd.IntN(phases)
			begin := k.tick()
			k.now += part * rnd.Float64()
			end := k.tick()
			plain[i].add(c, end-begin, nil, nil, Count{}, Count{})
			slower[i].add(c, s.lengthen(i, begin, end)-begin, nil, nil, Count{}, Count{})
		}
		for i := range phases {
			more := slower[i].ns - plain[i].ns
			if want := s.share * plain[i].ns; more < want-1e-6 || more > want+k.longest+step {
				t.Fatalf("seed %d: %v ns with the share %v became %v ns longer, want %v and at most %v more", seed, plain[i].ns, s.share, more, want, k.longest+step)
			}
		}
	}
}

// If this fails, an interrupt while the slowdown spins takes the slowdown away from the timed
// parts that follow.
func TestSlowdownForgetsInterrupts(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	k := &ticker{rnd: rnd, step: 10, read: 30, interrupt: 4e6}
	c := fakeClock(t, k.step, 30)
	s := newSlowdown(0.005, c, 1)
	s.read = k.tick
	var more []float64
	for range 1000 {
		begin := uint64(k.now)
		end := begin + 1e6
		k.now += 1e6
		more = append(more, c.NS(s.lengthen(0, begin, end)-end))
	}
	if m := median(more); m < 4900 || m > 5100 {
		t.Errorf("seed %d: 1 ms became longer by %v ns, want 5000", seed, m)
	}
}

// If this fails, the timer of samples does not make its parts longer, or not before it reads the
// clock and the counters for good. However long the scheduler takes, the bounds hold.
func TestTimerIsSlower(t *testing.T) {
	c := openClock(t)
	const share = 0.5
	var thread sync.WaitGroup
	thread.Go(func() { // pinned, as in TestTimerBracketsItsPart
		allowed, err := host.Allowed()
		if err == nil {
			err = host.Pin(allowed[0])
		}
		if err != nil {
			t.Error(err)
			return
		}
		var counting uint64 // when the last call of Counts began
		op := &Op{Counts: func() []Count { counting = clock.Start(); return nil }}
		timer := newTimer(c, newSlowdown(share, c, 2), op, 2)
		for phase := range 2 {
			timer.Start(phase)
			outer := counting
			inner := clock.Start()
			emptyLoop(1_000_000)
			within := c.NS(clock.Stop()-inner) - c.Overhead().Median
			timer.Stop()
			if ns, around := timer.phases[phase].ns, c.NS(counting-outer); ns < (1+share)*within || ns > around {
				t.Errorf("phase %d: %v ns, want %v times %v or more, and %v at most", phase, ns, 1+share, within, around)
			}
		}
	})
	thread.Wait()
}

// If this fails, each batch of a sample begins with nothing owed, so that all are too long by half
// a read of the clock.
func TestBatchesShareOneSlowdown(t *testing.T) {
	c := openClock(t)
	s := newSampler(c, &Case{Names: []string{"A"}}, &Op{Run: loop}, &Env{}, 1e-9)
	reads, read := 0, s.slower.read
	s.slower.read = func() uint64 { reads++; return read() }
	// The first batch owes less than a read takes, and the others owe the first one's excess back.
	const batches = 100
	for range batches {
		if _, err := s.batch(1000); err != nil {
			t.Fatal(err)
		}
	}
	if reads == 0 || reads > batches/2 {
		t.Errorf("%d batches read the clock %d times to be slower by a billionth", batches, reads)
	}
}

// If this fails, a worker does not make its case slower, or makes slower what should not be.
func TestWorkIsSlower(t *testing.T) {
	c := openClock(t)
	for _, share := range []float64{0, 0.25} {
		got := -1.0
		cs := &Case{Names: []string{"A"}, CPUs: 1, Ops: 1, Open: func(*Env) (*Op, error) {
			return &Op{Run: func(n int, t Timer) {
				got = 0
				if s := t.(*tscTimer).slower; s != nil {
					got = s.share
				}
				loop(1000, t)
			}}, nil
		}}
		_ = work(t.Context(), io.Discard, c, cs, Task{Names: cs.Names, Slower: share}) // it may fail on a busy machine, and Run has run
		if got != share {
			t.Errorf("a task that is to be slower by %v is by %v", share, got)
		}
	}
}
