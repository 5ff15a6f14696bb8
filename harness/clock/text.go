package clock

import "fmt"

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
