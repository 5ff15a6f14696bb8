// Package textpoke rewrites five-byte instructions of this process's own code while other
// threads execute them.
//
// # Words
//
//   - Site: five bytes of code that hold a NOP, a CALL or a JMP and can be rewritten ([Site]).
//     They lie in assembler text or in memory from [Map].
//   - Head and tail: a site's first byte, and its other four.
//   - int3: the one-byte breakpoint instruction. A thread that executes one traps: the kernel
//     sends it SIGTRAP.
//   - Handler: what the thread then executes, before anything else. It performs the site's
//     instruction and lets the thread continue.
//   - Table: all sites ever registered, with the instruction that each has now. The handler
//     looks sites up in it.
//   - Sync, core sync: every running thread of the process executes a serialising
//     instruction, so each CPU fetches code again. membarrier's SYNC_CORE does it.
//   - Patcher: one way to rewrite sites; each is a [Variant].
//   - Batch: the sites that one call of a patcher rewrites together.
//   - Busted: wrong on purpose, by one bug.
//
// # The problem
//
// Five bytes cannot be written at once. A thread that fetches in between would decode the
// head of one instruction with the tail of another.
//
// # The protocol
//
// It is the kernel's smp_text_poke_batch_finish. Where the kernel sends interrupts that run
// sync_core, it uses membarrier:
//
//  1. Write the new instruction into the table. A thread that traps at the site from now on
//     performs the new instruction. None traps yet.
//  2. Write an int3 over the head of each site; sync. Before the sync ends, another thread
//     executes the old instruction or traps. After it, it traps. So the old instruction ends
//     here.
//  3. Write the tails; sync. Threads trap, whatever the tail is.
//  4. Write the heads; sync. Before the sync ends, another thread traps or executes the new
//     instruction. After it, it executes the new instruction.
//
// The handler performs the instruction that the table has for the site: it changes the
// thread's instruction pointer, and for a CALL pushes the return address.
//
// # Why the table is permanent
//
// In the kernel, the sync of step 4 also waits for handlers, because they run with interrupts
// off. membarrier does not wait for a signal in flight: a thread may trap in step 3 and reach
// its handler long after step 4. So no flag says that a patch is under way, and no site leaves
// the table. The handler performs every trap at any site ever registered. For a late trap it
// performs the instruction that the site has by then.
//
// # Invariants
//
//   - P1: a site executes as the old instruction or as the new one, never as
//     anything else.
//   - P2: when Patch returns, no thread begins the old instruction. A thread that trapped and
//     read the table earlier has begun it already, as has one that was preempted
//     right after a CALL: a grace period waits for both.
//   - P3: the table has a site's instruction before the site's int3 can be seen, and never
//     loses it.
//   - P4: a trap at no site reaches the handler that was installed before, with
//     unchanged registers. (If another process sends SIGTRAP to a thread that has one pending
//     from a site, the two become one, as signals do.)
//   - P5: [Counters] are exact, but for traps whose threads have not reached the handler yet.
//
// # Busted patchers
//
// flag-late and flag-guarded use a flag, which a guard in front of the handler reads
// (guard_amd64.s). torn-head-first and torn-tail-first write head and tail without int3s.
// cross-line-store trusts one store across a cache line. Sooner or later they kill the process
// that uses them, so they belong in a process of their own. The sound handler has no code for
// them.
//
// Package textpoke does not register a site whose bytes are none of its three instructions,
// does not write a target that 32 bits cannot reach, and does not work under a debugger, which
// would take the traps for its own breakpoints. From the first registration on, the pages of
// the sites stay writable and executable.
package textpoke
