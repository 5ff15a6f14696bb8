// Package clock reads the time stamp counter (TSC) as a clock of known precision.
//
// Its words: a tick is one count of the TSC; the step is the number of ticks by which the counter
// moves at once; a pair is a [Start] and a [Stop] with nothing between them; a mark is one moment
// read from the TSC and from the kernel's clock; a calibration is all that [Open] measures; a guest
// in virtual time is a virtual machine whose clock counts instructions (QEMU's icount).
//
// [Open] measures how good the clock is before anything is timed:
//
//  1. It checks by CPUID that the counter ticks at one rate in every power
//     state (invariant TSC) and that RDTSCP exists. Otherwise it
//     returns [ErrUnavailable] with what is missing and what to do. QEMU's emulation has no bit for that.
//     There a guest is told by two things together: the emulation's name in CPUID, and
//     [GuestEnv]. When a counter is virtual and is calibrated, a tick must be a nanosecond.
//  2. It measures the precision, which is the step in nanoseconds. Under some
//     hypervisors it is 10 ns, not one tick.
//  3. It measures the overhead: what a pair reads, as a median between two quantiles.
//  4. It calibrates the rate against CLOCK_MONOTONIC_RAW, which NTP does not adjust,
//     and computes the uncertainty from the reads: the width of the brackets at both ends,
//     the counter's step, and the nanosecond of the kernel's clock.
//
// A coordinator opens the clock once and passes the calibration to its workers
// as one line of text ([Clock.MarshalText]). If each worker calibrated for itself, the error of
// its calibration would be in every comparison.
//
// Package clock does not use another clock instead (a caller that can use time.Now does that
// itself), does not subtract its overhead from a reading (the harness does),
// and does not time what is shorter than its precision. Both reads of a pair must
// happen on one CPU; package host pins threads.
package clock
