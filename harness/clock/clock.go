package clock

import (
	"errors"
	"fmt"
	"math"
)

// ErrUnavailable is wrapped by the errors of [Open] on a machine, operating
// system or build without a TSC that can be a clock.
var ErrUnavailable = errors.New("TSC unavailable")

// GuestEnv is the variable by which the first process of a guest tells the others what the guest's clock
// counts. In QEMU's emulation, and nowhere else, the two values make [Open] accept a counter without the
// invariant bit.
const (
	GuestEnv     = "TPBENCH_GUEST"
	GuestVirtual = "virtual" // instructions: one is a nanosecond
	GuestWall    = "wall"    // what the host's counter counts, which a process of the host has checked
)

// errDisturbed is wrapped by the error of a calibration where another one may succeed.
var errDisturbed = errors.New("bad calibration")

// A Clock converts ticks to nanoseconds and knows its precision. It does
// not change after [Open] or [Clock.UnmarshalText], so goroutines may share it.
type Clock struct {
	rate      Rate
	precision float64 // ns, > 0
	overhead  Overhead
}

// A Rate is the counter's frequency. The true rate, in seconds of CLOCK_MONOTONIC_RAW,
// is within Hz ± Uncertainty: a bound, not a standard deviation.
type Rate struct {
	Hz          float64
	Uncertainty float64 // Hz; typically a few ppm
}

// An Overhead is what an empty Start/Stop pair reads, in nanoseconds. The
// quantiles are those of grouped data (see quantile). A counter with steps of 26
// reads 52 or 78 for a pair that takes 65, and its simple median would be either of the two.
type Overhead struct {
	Median, P10, P90 float64
}

// NS converts a difference of two reads to nanoseconds.
func (c *Clock) NS(ticks uint64) float64 { return float64(ticks) * 1e9 / c.rate.Hz }

// Rate returns the calibrated frequency.
func (c *Clock) Rate() Rate { return c.rate }

// Precision returns the step of the counter in nanoseconds. Two moments that are closer
// may read the same.
func (c *Clock) Precision() float64 { return c.precision }

// Overhead returns how long an empty Start/Stop pair takes.
func (c *Clock) Overhead() Overhead { return c.overhead }

// check returns an error if Open cannot have made c.
func (c *Clock) check() error {
	for _, v := range []float64{c.rate.Hz, c.rate.Uncertainty, c.precision, c.overhead.P90} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("clock: %w: %s is not finite", errDisturbed, c.text())
		}
	}
	o := c.overhead
	if c.rate.Hz <= 0 || c.rate.Uncertainty < 0 || c.precision <= 0 ||
		!(0 <= o.P10 && o.P10 <= o.Median && o.Median <= o.P90) {
		return fmt.Errorf("clock: %w: %s is out of range (expected a positive rate and step, and 0 <= pair-p10 <= pair-ns <= pair-p90)", errDisturbed, c.text())
	}
	return nil
}

// textForm is the calibration on one line. A change of its meaning must change the version
// (tsc/1), so that a worker of another revision fails to read it.
const textForm = "tsc/1 hz=%v hz-err=%v step-ns=%v pair-ns=%v pair-p10=%v pair-p90=%v"

// MarshalText returns the calibration as one printable line, which
// [Clock.UnmarshalText] reads back without loss.
func (c *Clock) MarshalText() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.text(), nil
}

func (c *Clock) text() []byte {
	return fmt.Appendf(nil, textForm, c.rate.Hz, c.rate.Uncertainty, c.precision,
		c.overhead.Median, c.overhead.P10, c.overhead.P90)
}

// UnmarshalText sets c to a calibration made by another process on this
// machine since it booted. On an error it does not change c.
func (c *Clock) UnmarshalText(text []byte) error {
	var n Clock
	_, err := fmt.Sscanf(string(text), textForm, &n.rate.Hz, &n.rate.Uncertainty, &n.precision,
		&n.overhead.Median, &n.overhead.P10, &n.overhead.P90)
	if err != nil {
		return fmt.Errorf("clock: %q is no calibration (want %q): %w", text, textForm, err)
	}
	if err := n.check(); err != nil {
		return err
	}
	// Sscanf ignores text behind the last value and accepts several spellings of a number;
	// only text as MarshalText writes it is valid.
	if string(n.text()) != string(text) {
		return fmt.Errorf("clock: %q is no calibration: read as %q", text, n.text())
	}
	*c = n
	return nil
}
