// Package torture tries to break every variant of every family, as rcutorture does
// with the kernel's RCU. It is how tpbench knows that a fast strategy is right, and
// the busted variants are how it knows that this is worth something: each of them
// must break.
//
//  1. A [Subject] is one variant. [Subjects] lists them all: whatever a family's
//     Variants() holds is tortured.
//  2. An attack on a subject consists of threads: readers, updaters, and intruders that
//     take a reader's CPU away. Each thread has one CPU; with few CPUs several threads
//     share one.
//  3. No thread runs before all are ready. Each moves to its CPU and waits at a gate. When all are
//     there the gate opens, and the time of the run starts.
//  4. The threads do at random what the variant's users do: readers in nested sections
//     with random delays, and updaters that draw among all transitions and all ways to
//     wait.
//  5. What readers find is checked against the family's invariants while they run:
//     data carries its owner, its state and its age; what is freed is poisoned.
//  6. Readers are interrupted at arbitrary instructions, and held there, so that
//     windows of a nanosecond open for microseconds.
//  7. The first violation ends the run, with the invariant's name and what led to it. Else
//     the run ends when its time is over. A run in which nothing was executed, or nothing
//     was changed, has not tried anything: look at the [Tally].
//
// All randomness comes from one seed; threads still interleave as they like, so a
// seed repeats the intentions of a run, not its luck. Deterministic replay is
// package step's, under the build tag steps.
//
// A busted subject may crash this process or hang it ([Subject.Kills] says which may
// crash). A caller that wants to live on runs it in a process of its own, as
// `tpbench torture` does.
package torture
