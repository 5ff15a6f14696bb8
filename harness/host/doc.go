// Package host describes, pins and checks the machine.
//
// A measured number means nothing without the machine it was measured on. This package
//
//  1. describes: [Facts] lists, in a fixed order and as configuration lines of the
//     benchmark format, what is known to change a number, from the kernel and
//     its preemption model to the build flags of this binary. What cannot be
//     read is "unknown" and never left out, so any two files have the same lines;
//  2. pins: [Pin] binds the calling goroutine to a thread and the thread to a
//     CPU, and reads back what the kernel has set;
//  3. counts: [Switches] is the number of involuntary context switches of the
//     calling thread. In a batch during which it rose, something else had the CPU.
//     Dropping such batches brings the 90th percentile of a 1 ms spin from 5.0 ms to
//     1.05 ms on the machines seen; steal time reads 0 for the same batches;
//  4. checks: [Doctor] reports what makes measurements worse or wrong here, why, and
//     the one command that mends it. Each check is a row of a table.
//
// Its words: a guest is a virtual machine, its host is what runs it, and a jiffy is the
// unit of the kernel's times, 10 ms.
//
// Facts and checks are pure functions of a file tree (proc, sys, boot) and a few system
// calls, so that the tests can compute those of other machines.
//
// Package host does not change anything: it reads, and maps one page to learn whether that is
// allowed. It does not identify the machine: the fact host is a hash of its hardware, which
// machines of one kind share, without a name or machine-id. It does not guess: a mask that reads
// back differently is an error. It does not unpin: a goroutine that called Pin takes its thread
// with it when it ends, so no other goroutine ever runs on a pinned thread.
package host
