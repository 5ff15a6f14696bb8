// Package livepatch replaces functions while tasks call them, each task at a point of its
// own.
//
// It is kernel/livepatch. An old function has an ftrace entry, five bytes that package
// textpoke rewrites: a NOP, or a call of the handler. The handler chooses, from a stack
// with a func for each patch that replaces the function, where the call goes on. The
// chosen function runs outside the handler's section: what keeps it in memory is that
// tasks flip only where they are in no function that their flip would change.
//
// # A transition
//
//  1. All tasks' states become the initial side; then the patch's funcs are in
//     transition; then, when patching, they go on top of their stacks. From here on a
//     task's state decides between the top and what is below.
//  2. Tasks are told to flip (TIF_PATCH_PENDING). A running one does it in
//     [Task.Update], where it is in no function; one that is blocked is flipped by
//     [Core.TryComplete], if its stack has no function that is to be left.
//  3. When all have flipped, and when unpatching: the funcs leave their stacks; wait (a).
//  4. The funcs are in no transition any more.
//  5. When patching: wait (b). Then all states are idle. When unpatching, the funcs are
//     freed, and so may be the functions.
//
// A transition that has not completed can be reversed: TIF_PATCH_PENDING is cleared for
// all; wait (c); the target becomes the other side, and step 2 comes again.
//
// # The three waits
//
// They wait for sections: of the handler, and of Update. The variants differ in what they
// wait by, and in nothing else.
//
//   - (a) or a handler that holds a func that has left its stack finds it in no
//     transition, and chooses it, or finds it freed.
//   - (b) or a handler that has found its func in transition finds its task idle.
//   - (c) or an Update that has found its task pending stores the old target after the
//     reversal, when nobody expects it any more.
//
// ftrace has a wait of its own, before the last func leaves a stack, which in the kernel
// has always been rude. So it is here, whatever the variant.
//
// # Invariants
//
//   - K1: between two of its safe points a task calls functions of one side: in a
//     transition the old ones before its flip and the new ones after it, else the
//     newest patch's.
//   - K2: no handler finds its task idle while its func is in transition; and all tasks
//     are idle, and none is pending, when no transition is under way.
//   - K3: no handler finds a freed func or ops, or an empty stack.
//   - K4: when a patch has been unpatched, no task is in its functions, nor calls them.
//   - K5: what is refused, or fails for want of memory, changes nothing that a task could
//     see, and nothing leaks: funcs and ops are there for patches that are enabled, or
//     in transition, and for no others. A function that no patch covers has a NOP.
//
// # Schedule points
//
// In the handler: "livepatch: handler entered", before its section; "livepatch: ops held", "livepatch: func held", "livepatch: in
// transition", each between two loads. In Update: "livepatch: update
// begun"; "livepatch: target loaded", before it becomes the task's state. In the Core: "livepatch: transition initialised", before tasks are told
// to flip; "livepatch: funcs removed", before wait (a); "livepatch: transition over",
// before wait (b), or before funcs are freed; "livepatch: pending cleared for all", before
// wait (c); "livepatch: stack checked", while a blocked task is looked at; "livepatch:
// tasks flip", where the Core waits for them; and "livepatch: wakes while its stack is
// checked", where a task waits for the Core.
//
// Package livepatch refuses what the kernel refuses, as errors: a patch twice, or one that
// is not there ([ErrInvalid]); another one during a transition, and any but the newest
// when disabling ([ErrBusy]: so until d67a53720966 in v5.1, which took the order away);
// and what the kernel trusts its patches with: the same function twice in one. It has no
// atomic replace, no forced transitions and no shadow variables.
package livepatch
