package torture

import (
	"math"
	"math/rand/v2"
	"time"
)

// Intruder is a thread for a reader's CPU. Again and again it takes that CPU away, for
// microseconds to fractions of a millisecond, wherever the reader is. The updater, on another
// CPU, has that long to meet a window that is a nanosecond wide. generator is the thread's
// number for [Attack.Rand].
func (a *Attack) Intruder(cpu, generator int) Thread {
	rnd := a.Rand(generator)
	return Thread{cpu, func() error {
		for !a.Over() {
			Nap(time.Duration(rnd.IntN(int(200 * time.Microsecond))))
			Busy(rnd, time.Microsecond, 300*time.Microsecond)
		}
		return nil
	}}
}

// Busy keeps the CPU for a random time. Every order of magnitude is as likely as the next.
func Busy(rnd *rand.Rand, least, most time.Duration) {
	l, m := math.Log(float64(least)), math.Log(float64(most))
	d := time.Duration(math.Exp(l + rnd.Float64()*(m-l)))
	for began := time.Now(); time.Since(began) < d; {
	}
}

// Spin passes time: n turns of an empty loop, about a third of a nanosecond each.
func Spin(n uint32) {
	for range n {
	}
}
