package textpoke

import "fmt"

// stopReaders holds every other thread of the process while it writes: nobody executes
// anything, so the bytes may be written in any order. It is the kernel's stop_machine, with
// which ftrace patched until v3.5.
//
//	CPU0, updater                        CPU1, any other thread
//	a signal to each thread
//	                                     in park: counted, sleeps
//	all are in park
//	tails, first bytes
//	sync, lets them go
//	                                     goes on: the new instruction
//
// Who is held is worked out in [stopAndWrite]:
//
//  1. All signals are blocked on the updater's thread, which from here on executes nothing
//     that the runtime could stop, or that needs the runtime: it may wait for a lock
//     that a held thread has.
//  2. hold = 1. The signal goes to every thread in /proc/self/task that has none yet.
//  3. Again, until a scan finds nobody but threads that had been in park before the scan
//     began. Threads in park make no threads and do not end, so that such a scan has
//     found all. (A thread that ends during a scan may cut it short, but is in it itself.)
//  4. Write, and sync: a held thread is off its CPU, or is interrupted by the sync; either
//     way it executes a serialising instruction before it goes on with what it did.
//  5. hold = 0, wake them. The next stop begins when all have left park.
//
// If step 3 takes too long, all are let go, and it begins again: a thread in a handler of
// the runtime's, where it cannot be held, may spin for what a held thread has. A thread that
// never comes, because it blocks the signal, is an error, and nothing has been written.
//
// A thread in a system call is held when it leaves that: it cannot execute a site before.
// One that is in another handler, the trap handler for one, is held at its end, having
// performed what it trapped for. (The child of a fork executes no sites until exec.)
//
// The price is paid by all threads, for as long as the writing takes, and by nobody after.
func stopReaders(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	if err := installPark(); err != nil {
		return err
	}
	work, err := prepare(changes)
	if err != nil || len(work) == 0 {
		return err
	}
	held, synced, written := stopAndWrite(&work[0], len(work))
	switch {
	case !written:
		return fmt.Errorf("textpoke: a thread of this process cannot be held: it blocks signal %d; nothing was written", parkSignal)
	case synced == 0:
		panic("textpoke: membarrier SYNC_CORE, registered before, failed while all were held")
	}
	// No trap is on its way to the table: whoever was in the handler was held behind it.
	writeTable(work)
	holds.Add(uint64(held))
	syncs.Add(synced)
	batches.Add(1)
	return nil
}
