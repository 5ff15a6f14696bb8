package rcutest

import (
	"runtime"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A testCase is one promise, with what it would mean if it were broken. The Domain's
// engine starts no grace period unasked.
type testCase struct {
	name        string
	explanation string
	test        func(t *testing.T, d *rcu.Domain)
}

// Run runs all cases against a flavour.
func Run(t *testing.T, v rcu.Variant) {
	judge.Need(t, v.Supported(), "rcu", v.Name)
	run := func(name, explanation string, lazy time.Duration, test func(t *testing.T, d *rcu.Domain)) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log(explanation)
				}
			}()
			d := v.New(rcu.Options{Lazy: lazy})
			defer d.Close()
			test(t, d)
		})
	}
	for _, c := range cases {
		run(c.name, c.explanation, rcu.OnlyBarrier, c.test)
	}
	for _, c := range engineCases {
		run(c.name, c.explanation, time.Microsecond, c.test)
	}
}

// cases need an engine that waits to be asked: they count grace periods.
var cases = []testCase{
	{
		"G1: waits for a reader",
		"If Synchronize returned while a reader is in a section from before it, the updater would reuse what the reader still uses.",
		waitsForReader(1),
	},
	{
		"G1: waits for a nested reader",
		"If the end of an inner section passed for the end of the outermost, the same would happen to readers that nest.",
		waitsForReader(4),
	},
	{
		"G1: waits for every reader",
		"If a grace period looked at some readers only, the others would be overlooked.",
		waitsForEveryReader,
	},
	{
		"G1: does not wait for a later section",
		"If a section entered after the grace period began could delay it, readers that come and go would delay it for ever. The failure is a hang.",
		doesNotWaitForLater,
	},
	{
		"G1: does not wait for who has gone",
		"If grace periods waited for readers that have unregistered, one last seen in a section, or never heard of, would hold them up for ever. The failure is a hang.",
		doesNotWaitForGone,
	},
	{
		"G1: nobody sees poison",
		"If a store that enters a section could still be in its CPU's store buffer when the grace period looks, the reader would be overlooked.",
		nobodySeesPoison,
	},
	{
		"G2 G4: snapshots, counters and callbacks follow the model",
		"If a state were satisfied by another grace period than the kernel's rule says, CondSync would return too early, or never elide anything; if a counter were off, so would be the benchmarks' grace periods per transition.",
		followsModel,
	},
	{
		"G2: a cookie is not satisfied inside its section",
		"If a state taken inside a section were satisfied in the same section, whatever grace period did that was too short for it.",
		cookieInsideSection,
	},
	{
		"G2: CondSync waits for a reader",
		"If CondSync could return on a state that is not satisfied, it would not be a Synchronize.",
		condSyncWaits,
	},
	{
		"G3: a callback waits for a whole grace period",
		"If a callback ran at the end of a grace period that was under way when it was queued, it would free under a reader that this one need not have looked at.",
		callbackWaitsForWhole,
	},
	{
		"G3: callbacks run in order, once",
		"If callbacks ran in another order, twice or never, an updater's second callback could free what its first one still needs.",
		callbacksInOrder,
	},
	{
		"G3: Barrier waits for every caller",
		"If Calls of many goroutines could lose a callback, or Barrier one queued before it, memory would leak, or be freed by nobody.",
		barrierWaitsForCallers,
	},
	{
		"G3: Close drains",
		"If Close forgot the queue, what was deferred would never be freed.",
		closeDrains,
	},
	{
		"G3: StartPoll starts a grace period",
		"If StartPoll only took a snapshot, whoever polls it would poll for ever: nobody else starts a grace period here. The failure is a hang.",
		startPollStarts,
	},
	{
		"G4: counters are exact",
		"If a counter missed a call or counted it twice, the benchmarks' grace periods per transition, which are the project's result, would be wrong.",
		countersAreExact,
	},
	{
		"G5: an idle reader is waited for, or never",
		"If a flavour that watches idle readers overlooked one, its updater would reuse what that still uses; if one that stands for vanilla RCU did wait, tests would find nothing wrong where the kernel fails. The failure may be a hang.",
		idleReader,
	},
	{
		"G5: who comes back from idle is watched again",
		"If a reader passed for idle after it has come back, its sections would be overlooked.",
		backFromIdle,
	},
	{
		"G1: a section may be left on another thread",
		"If a section were a thread's and not the Reader's, one that sleeps and wakes elsewhere would be lost. The failure may be a hang.",
		leftElsewhere,
	},
	{
		"G1: a section of SRCU may be left by another Reader",
		"If what one Reader counts in and another out did not add up, a grace period would not wait, or for ever.",
		leftByAnother,
	},
	{
		"misuse panics",
		"If misuse went unnoticed, the next grace period would wait for ever, or not at all.",
		misusePanics,
	},
}

// engineCases need an engine that starts grace periods by itself.
var engineCases = []testCase{
	{
		"G3: the engine waits for a reader",
		"If the engine ran callbacks without a grace period of its own or somebody else's, a reader from before the Call would be inside.",
		engineWaits,
	},
	{
		"G3: Barrier waits for a running callback",
		"If Barrier looked at the queue alone, it would return while the engine is in the middle of a callback that it took from there.",
		barrierWaitsForRunning,
	},
}

// rounds is n, or a tenth of it where a grace period takes a millisecond or more, or
// costs a round through Go's scheduler.
func rounds(d *rcu.Domain, n int) int {
	began := time.Now()
	d.Synchronize()
	if time.Since(began) >= time.Millisecond || runtime.GOMAXPROCS(0) == 1 {
		return n / 10
	}
	return n
}

// until yields the CPU until cond holds. A cond that never does is a hang, which
// go test's own limit reports with every goroutine's stack.
func until(cond func() bool) {
	for spins := 0; !cond(); spins++ {
		if spins < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// leave ends the reader's section in the way each flavour notices.
func leave(r *rcu.Reader) {
	r.Unlock()
	r.Quiescent()
}

// begin lets f begin a grace period, in a goroutine, and returns when it has begun:
// sections entered from now on are later than it. The channel is closed when f has
// returned.
func begin(d *rcu.Domain, f func()) (done chan struct{}) {
	before := d.Counters().Started
	done = make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	until(func() bool { return d.Counters().Started != before })
	return done
}

// closed reports whether done is.
func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// An openGracePeriod is one that has begun and cannot end: a reader stands in a section
// from before it.
type openGracePeriod struct {
	leave func() // the reader does, and goes
	done  chan struct{}
}

// A holder is how the reader stands that holds a grace period open.
type holder int

const (
	watched    holder = iota
	idle              // for flavours that watch such
	handedOver        // in a section of SRCU, whose Reader has gone
)

// holdOpen begins a grace period by a Synchronize of its own.
func holdOpen(d *rcu.Domain) *openGracePeriod { return holdOpenBy(d, watched) }

func holdOpenBy(d *rcu.Domain, how holder) *openGracePeriod {
	r := d.Register()
	h := &openGracePeriod{}
	switch how {
	case handedOver:
		index := r.DownRead()
		r.Unregister()
		h.leave = func() {
			other := d.Register()
			other.UpRead(index)
			other.Unregister()
		}
	case idle:
		r.EnterIdle()
		fallthrough
	default:
		r.Lock()
		h.leave = func() {
			leave(r)
			r.Unregister()
		}
	}
	h.done = begin(d, d.Synchronize)
	return h
}

// holders are the ways in which the Domain promises to notice a reader.
func holders(d *rcu.Domain) []holder {
	list := []holder{watched}
	if d.WatchesIdle() {
		list = append(list, idle)
	}
	if d.HasSRCU() {
		list = append(list, handedOver)
	}
	return list
}

// end lets the reader go, and returns when the Synchronize has.
func (h *openGracePeriod) end() {
	h.leave()
	<-h.done
}
