package torture

import (
	"math"
	"math/rand/v2"
	"time"
)

// intrude runs on a reader's CPU. Now and then it takes that CPU away, wherever the
// reader stands, for microseconds to fractions of a millisecond. The updater, on another
// CPU, then has that long to meet a window that is a nanosecond wide.
func (a *attack) intrude(rnd *rand.Rand) error {
	for !a.over() {
		nap(time.Duration(rnd.IntN(int(200 * time.Microsecond))))
		busy(logUniform(rnd, time.Microsecond, 300*time.Microsecond))
	}
	return nil
}

// busy keeps the CPU.
func busy(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
	}
}

// logUniform draws a time of which every order of magnitude is as likely as the next.
func logUniform(rnd *rand.Rand, low, high time.Duration) time.Duration {
	l, h := math.Log(float64(low)), math.Log(float64(high))
	return time.Duration(math.Exp(l + rnd.Float64()*(h-l)))
}
