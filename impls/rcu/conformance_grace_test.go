package rcu_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// waitsForReader: the reader sets inside, and clears it before it leaves its section, the outermost of
// one or more. A Synchronize that returns too early finds it set.
func waitsForReader(t *testing.T, d *rcu.Domain) {
	times := rounds(d, 200)
	rnd := judge.Rand(t)
	var inside atomic.Bool
	enter, entered := make(chan int), make(chan bool) // true: it has entered; false: it has left
	go func() {
		r := d.Register()
		defer r.Unregister()
		for delay := range enter {
			depth := 1 + delay%4
			for range depth {
				r.Lock()
			}
			inside.Store(true)
			entered <- true
			for range depth - 1 {
				r.Unlock() // not the end of the section
			}
			for range delay {
				runtime.Gosched()
			}
			inside.Store(false)
			rcu.Leave(r)
			// The grace period may begin only now, and one of qsbr then waits for a
			// quiescent state of this reader.
			for gone := false; !gone; {
				select {
				case entered <- false:
					gone = true
				default:
					r.Quiescent()
					runtime.Gosched()
				}
			}
		}
		close(entered)
	}()
	early := 0
	for range times {
		enter <- rnd.IntN(200)
		<-entered
		d.Synchronize()
		if inside.Load() {
			early++
		}
		<-entered
	}
	close(enter)
	<-entered
	if early > 0 {
		t.Errorf("%d times of %d, Synchronize returned while the reader was inside", early, times)
	}
}

func waitsForEveryReader(t *testing.T, d *rcu.Domain) {
	rnd := judge.Rand(t)
	for range 5 {
		readers := make([]*rcu.Reader, 4)
		for i := range readers {
			readers[i] = d.Register()
			readers[i].Lock()
		}
		var inside, returned atomic.Int64
		inside.Store(int64(len(readers)))
		done := rcu.Begin(d, func() {
			d.Synchronize()
			returned.Store(inside.Load())
		})
		for _, i := range rnd.Perm(len(readers)) {
			for range 200 {
				runtime.Gosched()
			}
			inside.Add(-1)
			rcu.Leave(readers[i])
		}
		<-done
		if n := returned.Load(); n != 0 {
			t.Errorf("Synchronize returned with %d of %d readers inside", n, len(readers))
		}
		for _, r := range readers {
			r.Unregister()
		}
	}
}

// doesNotWaitForLater: the later reader is registered after the one that holds the grace period
// open, so the grace period looks at it while it is in its section.
func doesNotWaitForLater(t *testing.T, d *rcu.Domain) {
	holder, late := d.Register(), d.Register()
	holder.Lock()
	done := rcu.Begin(d, d.Synchronize)
	late.Quiescent() // qsbr waits for it, after the grace period has begun
	late.Lock()
	rcu.Leave(holder)
	<-done
	rcu.Leave(late)
	late.Unregister()
	holder.Unregister()
}

func doesNotWaitForGone(t *testing.T, d *rcu.Domain) {
	gone := d.Register()
	h := rcu.HoldOpen(d)
	gone.Unregister() // while the grace period has it in its list
	h.End()
	d.Synchronize() // and one that does not have it
}

// noReaderSeesPoison: an updater publishes a version, waits, and poisons the version before.
// Before the reader enters, it writes to memory that is in no cache, so the store that enters
// stays long in the store buffer. Without the barrier the grace period overlooks the reader at
// once.
func noReaderSeesPoison(t *testing.T, d *rcu.Domain) {
	type version struct {
		poison atomic.Uint64
		_      [120]byte
	}
	transitions := rounds(d, 2000)
	if transitions < 2000 {
		transitions = 20
	}
	rnd := judge.Rand(t)
	seed := rnd.Uint64()
	var versions [3]version
	var published atomic.Pointer[version]
	published.Store(&versions[0])
	var stop atomic.Bool
	var sections atomic.Int64
	var overlooked int
	var reader sync.WaitGroup
	registered := make(chan bool)
	reader.Go(func() {
		r := d.Register()
		defer r.Unregister()
		cold := make([]uint64, 1<<23)
		for i := 0; i < len(cold); i += 512 {
			cold[i] = 1 // so that the page is mapped
		}
		close(registered)
		for at := seed; !stop.Load(); sections.Add(1) {
			for range 48 { // about what a store buffer holds
				at = at*6364136223846793005 + 1442695040888963407
				cold[at>>41] = at
			}
			r.Lock()
			v := published.Load()
			for range 1 + at>>53 {
				if v.poison.Load() != 0 {
					overlooked++
					break
				}
			}
			rcu.Leave(r)
		}
	})
	<-registered
	for i := range transitions {
		// Begin anywhere in a section or in the work before it.
		rcu.Until(func() bool { return sections.Load() > int64(i) })
		for range rnd.IntN(1 << 17) {
		}
		next, old := &versions[(i+1)%3], &versions[i%3]
		next.poison.Store(0)
		published.Store(next)
		d.Synchronize()
		old.poison.Store(1)
	}
	stop.Store(true)
	reader.Wait()
	if overlooked != 0 {
		t.Errorf("in %d sections the version was poisoned", overlooked)
	}
}

func misusePanics(t *testing.T, d *rcu.Domain) {
	misuses := map[string]func(r *rcu.Reader){
		"unregister inside a section":        func(r *rcu.Reader) { r.Lock(); r.Unregister() },
		"unregister inside an outer section": func(r *rcu.Reader) { r.Lock(); r.Lock(); rcu.Leave(r); r.Unregister() },
		"leave a section never entered":      func(r *rcu.Reader) { r.Unlock() },
		"leave a section twice":              func(r *rcu.Reader) { r.Lock(); rcu.Leave(r); r.Unlock() },
		"idle inside a section":              func(r *rcu.Reader) { r.Lock(); r.EnterIdle() },
		"idle twice":                         func(r *rcu.Reader) { r.EnterIdle(); r.EnterIdle() },
		"not idle inside a section":          func(r *rcu.Reader) { r.EnterIdle(); r.Lock(); r.ExitIdle() },
		"not idle without being idle":        func(r *rcu.Reader) { r.ExitIdle() },
	}
	if !d.HasSRCU() {
		misuses["enter a section of SRCU"] = func(r *rcu.Reader) { r.DownRead() }
		misuses["leave a section of SRCU"] = func(r *rcu.Reader) { r.UpRead(0) }
	}
	for name, misuse := range misuses {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse(d.Register())
		}()
	}
}
