// Package host describes, pins and vets the machine.
//
// A number without its machine is not evidence. This package
//
//  1. describes: [Facts] lists, in a fixed order and as benchmark-format
//     configuration lines, what is known to move a number, from the kernel and
//     its preemption model to the build flags of this binary; what can not be
//     read is "unknown", never left out, so any two files line up;
//  2. pins: [Pin] binds the calling goroutine to a thread and the thread to a
//     CPU, and reads back what the kernel gave;
//  3. watches: [Switches] counts the involuntary context switches of the
//     calling thread. A batch across which it rose was disturbed (on the
//     machines seen, that filter brings the 90th percentile of a 1 ms spin from
//     5.0 ms to 1.05; steal time reads 0 through the same stalls);
//  4. vets: [Doctor] says what spoils measurements here, why it matters, and
//     the one command that mends it.
//
// Facts and checks are pure functions of a file tree (proc, sys, boot, etc) and
// a handful of system calls, so that the tests run them on other machines.
//
// What it refuses to do: change anything (it reads, and maps one page of its own
// to learn whether that is allowed), identify the machine (host is a hash of what its
// hardware is, which machines of one kind share; no name or machine-id is in it), guess (a mask that read back differently is an
// error), and unpin: a goroutine that called Pin takes its thread with it when
// it ends, so a pinned thread never serves another goroutine.
package host
