package torture

import (
	"math"
	"math/rand/v2"
	"time"
)

// intrude shares reader n's CPU and now and then takes it away, at whatever instruction
// the reader stands, for microseconds to fractions of a millisecond: what a site's
// window of a nanosecond looks like to an updater that has another CPU.
func (a *attack) intrude(n int, rnd *rand.Rand) error {
	if err := a.pin(n); err != nil {
		return err
	}
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
