// Package clock is a fenced, calibrated TSC with known precision.
//
// A number of nanoseconds is only as good as the clock it was read from, so
// this package says how good its clock is before anything is timed. [Open]:
//
//  1. checks through CPUID that the counter ticks at one rate in every power
//     state (invariant TSC) and that RDTSCP exists; where either is missing it
//     returns [ErrUnavailable] with what is missing and what to do;
//  2. measures the precision: the step in which the counter moves. Under some
//     hypervisors that is 10 ns, not one tick;
//  3. measures the overhead: what an empty [Start]/[Stop] pair reads, as a
//     median between two quantiles;
//  4. calibrates the rate against CLOCK_MONOTONIC_RAW, which NTP does not slew,
//     and derives the uncertainty from what it observed: the width of the
//     brackets at both ends, the counter's step, and the clock's nanosecond.
//
// A coordinator opens the clock once and hands the calibration to its workers
// as one line of text ([Clock.MarshalText]); a worker that calibrated for itself
// would add its own error of calibration to every comparison.
//
// What it refuses to do: fall back on another clock (the caller asked for this
// one, and a caller that can live with time.Now knows so itself), subtract its
// overhead from a reading (the harness does, with the uncertainty beside it),
// and time anything shorter than its precision. Both reads of a pair must
// happen on one CPU; pinning is package host's business.
package clock
