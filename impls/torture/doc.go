// Package torture tries to break every variant of every family, as rcutorture does with
// the kernel's RCU. It shows that a fast strategy is right. The busted variants show that
// the torture itself works: it must catch each of them.
//
// This package is the driver. Each family's attack is a package below it; package all
// lists them.
//
//	cmd/tpbench, benches      torture/all              torture/rcu, textpoke, …      torture
//	Subjects()                joins the lists          Subjects() of a family
//	Subject.Torture(options)  ---------------------------------------------------->  makes an Attack
//	                                                   Subject.Attack prepares    <-
//	                                                   Attack.Launch(threads)     ->  pins, starts
//	                                                   each thread: until Over    <-
//	                                                   Fail, Passed, Changed      ->  counts
//	Report                    <----------------------------------------------------
//
// The words:
//
//   - A [Subject] is one variant of one family, and the attack on it.
//   - An [Attack] is one run on a subject. It has readers, updaters and intruders. Each is a
//     thread with one CPU; with few CPUs several threads share one.
//   - A pass is one execution of what is attacked: a site, a read section or a function.
//   - A place is one of several things that a reader passes: an event, or a Point of package
//     unregister. One reader passes it.
//   - The focus is the place that the updater changes at present. Its reader passes it more
//     often than others.
//   - An intruder is a thread that takes a reader's CPU away for up to 300 µs, at whatever
//     instruction the reader is.
//   - A [History] holds the last changes of a place. A report of a failure prints it.
//   - [Poison] is what freed memory holds, [Alive] what memory in use holds.
//
// A run:
//
//  1. The attack prepares, and Launch lets the threads run when all are on their CPUs.
//  2. The threads do at random what the variant's users do. Readers enter nested sections,
//     with random delays. Updaters draw among all transitions and all ways to wait.
//  3. Readers check what they find against the family's invariants. Data holds its owner, its
//     state and its age.
//  4. Intruders hold readers at arbitrary instructions. So windows of a nanosecond stay open
//     for microseconds.
//  5. The first violation ends the run, and the report names the invariant. A run without
//     passes or without changes has tried nothing: see [Tally].
//
// All random numbers come from one seed. A seed repeats what the threads draw, but not how
// the kernel schedules them. Deterministic replay is package step's, under the build tag
// steps.
//
// A busted subject may crash this process or hang it. `tpbench torture` runs each subject in
// a process of its own.
package torture
