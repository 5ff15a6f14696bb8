// Package torture tries to break every variant of every family, as rcutorture does
// with the kernel's RCU. It is how tpbench knows that a fast strategy is right, and
// the busted variants are how it knows that this is worth something: each of them
// must break.
//
//  1. A [Subject] is one variant. [Subjects] lists them all: whatever a family's
//     Variants() holds is tortured.
//  2. Threads, each on a CPU of its own as far as there are CPUs, do at random what
//     the variant's users do: readers in nested sections with random delays, and
//     updaters that draw among all transitions and all ways to wait.
//  3. What readers find is checked against the family's invariants while they run:
//     data carries its owner, its state and its age; what is freed is poisoned.
//  4. Readers are interrupted at arbitrary instructions, and held there, so that
//     windows of a nanosecond open for microseconds.
//  5. The first violation ends the run, with the invariant's name and what
//     led to it.
//
// All randomness comes from one seed; threads still interleave as they like, so a
// seed repeats the intentions of a run, not its luck. Deterministic replay is
// package step's, under the build tag steps.
//
// Package torture refuses to survive what its subjects do to the process: what may
// crash says so ([Subject.Kills]), and is run in a process of its own by whoever
// wants to live on.
package torture
