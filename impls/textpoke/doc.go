// Package textpoke rewrites five-byte instructions of this process's own code
// while other threads execute it.
//
// A site is five bytes that hold a NOP, a CALL or a JMP, in assembler text or in
// memory from [Map]. Five bytes cannot be written at once: a thread that fetches
// in the middle would decode the head of one instruction with the tail of another.
//
// # The protocol
//
// It is the kernel's smp_text_poke_batch_finish, with membarrier's SYNC_CORE in
// place of IPIs that run sync_core:
//
//  1. Write the new instruction into the site table. From here on a thread that
//     traps at the site performs the new instruction; none traps yet.
//  2. Write an int3 over the first byte of each site; sync. A thread executes the
//     old instruction, or traps; after the sync, only traps. This is the moment at
//     which the old instruction ends.
//  3. Write the four tail bytes; sync. Threads trap, whatever the tail.
//  4. Write the first byte; sync. A thread traps or executes the new instruction;
//     after the sync, only the latter.
//
// The trap handler performs the site's instruction as the table states it: it moves
// the instruction pointer, and for a CALL pushes the return address.
//
// # Why the table is permanent
//
// In the kernel the sync of step 4 also waits for handlers, because they run with
// interrupts off. membarrier does not wait for a signal in flight: a thread may
// have trapped in step 3 and reach its handler long after step 4. So there is no
// flag that says "patching", and no end to the table: the handler claims every
// trap at any site ever registered, and a late one performs what the site is now.
//
// # Invariants
//
//   - P1: a site executes as the old instruction or as the new one, never as
//     anything else.
//   - P2: when Patch returns, no thread begins the old instruction. One that trapped
//     and read the table before is past its beginning, like one that was
//     preempted right after a CALL: a grace period waits for both.
//   - P3: the table knows a site's instruction before its int3 can be seen, and
//     for ever.
//   - P4: a trap that is not ours reaches the handler that was there before, with
//     registers as they came. (A SIGTRAP that somebody sends while one of ours is
//     pending on the same thread is one with it, as signals are.)
//   - P5: [Counters] are exact, but for traps whose threads have not arrived yet.
//
// # Busted patchers
//
// Two look at a flag, which needs a guard in front of the trap handler (guard_amd64.s);
// two write head and tail without int3s; one trusts a store across a cache line. They
// kill the process that uses them, sooner or later: they belong in one of its own. The
// sound handler knows nothing of them.
//
// Package textpoke refuses sites whose bytes are not one of its three
// instructions, targets out of the reach of 32 bits, and to work under a debugger,
// which would take the traps for its own breakpoints. From the first registration
// on, the pages of the sites stay writable and executable.
package textpoke
