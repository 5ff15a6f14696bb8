package textpoke

import "fmt"

// stopReaders holds every other thread of the process while it writes. No other thread
// executes anything, so the bytes may be written in any order. It is the kernel's
// stop_machine, with which ftrace patched until v3.5.
//
// park is a signal handler in which a thread sleeps until it is released.
//
//	CPU0, updater                        CPU1, any other thread
//	a signal to each thread
//	                                     enters park: counted, sleeps
//	all are in park
//	write tails and heads
//	sync; release
//	                                     continues: the new instruction
//
// [stopAndWrite] holds the threads:
//
//  1. Block all signals on the updater's thread. From here on it executes nothing that the
//     runtime could stop or that needs the runtime, since it could wait for a lock that a held
//     thread has.
//  2. Set hold to 1. Send the signal to every thread in /proc/self/task that has had none.
//  3. Repeat the scan of /proc/self/task, until a scan finds only threads that were in park
//     before it began. Threads in park make no threads and do not end, so that scan has found
//     all. (A thread that ends during a scan may cut the scan short, but then the scan has
//     found that thread, which was not in park.)
//  4. Write; sync. A held thread is off its CPU, or the sync interrupts it: it executes a
//     serialising instruction before it continues.
//  5. Set hold to 0 and wake the threads. The next stop begins when all have left park.
//
// If step 3 takes too long, all threads are released, and step 2 begins again: a thread in one
// of the runtime's signal handlers cannot be held there, and may spin for a lock that a held
// thread has. If a thread never comes, because it blocks the signal, the patch returns an
// error, and nothing has been written.
//
// A thread in a system call enters park when it leaves that call: it cannot execute a site
// before. A thread in another signal handler enters park at the end of that handler; if it is
// the trap handler, it has then performed the instruction that it trapped for. (The child of a
// fork executes no site before exec.)
//
// Every thread stands still while the bytes are written. Afterwards nothing is slower.
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
		panic("textpoke: membarrier SYNC_CORE, registered before, failed while all threads were held")
	}
	// The table may follow the text here: no trap of an earlier patch is on its way to it,
	// since a thread in the trap handler was held at the handler's end.
	writeTable(work)
	holds.Add(uint64(held))
	syncs.Add(synced)
	batches.Add(1)
	return nil
}
