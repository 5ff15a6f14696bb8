// Package guest boots kernel images under QEMU, and runs programs in them.
//
// Its words:
//
//	image     a file with a kernel that QEMU can boot: a bzImage, such as a distribution's vmlinuz
//	guest     a virtual machine that booted an image
//	init      the first process of a guest; here it is the program that called Init
//	console   the first serial port: what the kernel prints, also when it dies
//	line      the second serial port, by which the guest gets commands and answers
//	virtual   a guest's clock that counts instructions: one is a nanosecond (QEMU's icount)
//	wall      a guest's clock that is the host's
//
// The life of a guest:
//
//  1. Start writes an initramfs that holds programs and empty directories, and starts QEMU. The first
//     program is init.
//  2. Init mounts proc, sysfs, devtmpfs, tracefs and tmpfs, brings up the CPUs but the first, and waits until the guest is idle: threads
//     of a kernel that has just booted run for a while, and would be in the first samples.
//  3. It opens the line and says that it is ready, and what its owner wants to say about the guest. Start
//     returns.
//  4. Guest.Run sends a command: a program of the initramfs and its arguments. Init runs it, and sends
//     what it prints, line by line, and how it ended.
//  5. Guest.Close asks init to switch the guest off, and waits. A guest that panics, hangs, or ends by
//     itself is a *DeadError, with the last lines of its console.
//
// A virtual clock does not advance while the host does something else, and a guest that sleeps is woken at once. So
// what work and waits cost repeats on a loaded host. Such a clock knows no caches, no branch
// predictor, and no cost of an interrupt between CPUs: it says how much is done, not how long it takes on
// a machine.
//
// One thread of the host emulates all CPUs of a guest. With a thread for each, guests that rewrite their
// own code die: QEMU does not keep the order of such stores between threads.
//
// Package guest gives a guest no network and no disk, uses no KVM, and measures nothing.
package guest
