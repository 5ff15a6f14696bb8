// Package livepatch replaces functions while tasks call them. Each task changes from the old
// functions to the new ones at a point of its own.
//
// It models kernel/livepatch.
//
// # Words
//
//   - Task: a thread of execution that calls functions ([Task]).
//   - Old function: one that can be replaced ([Function]). At its beginning it has an ftrace
//     entry, a site of package textpoke: five bytes that are a NOP, or a CALL of the handler.
//   - Patch: some old functions and what replaces each ([Patch]).
//   - Func: a patch's replacement of one old function (the kernel's klp_func).
//   - Ops: the stack of funcs of one old function, the newest on top (klp_ops).
//   - Handler: what the ftrace entry calls. It chooses from the stack where the call continues.
//     The chosen function runs outside the handler's section.
//   - Transition: the time in which tasks change sides, one after the other. At most one is
//     under way.
//   - Side: unpatched (the task calls what was there before the patch in transition) or patched
//     (it calls the patch's functions). Outside transitions a task is on neither side: it is
//     idle. (An idle CPU is another thing: see [Task.EnterIdle].)
//   - Switch sides: a task goes to the target side of the transition.
//   - Pending: the task has been told to switch sides, and has not (TIF_PATCH_PENDING).
//   - Safe point: a place where a task is in no function ([Task.Update]), or sleeps in none that
//     the transition changes. Tasks switch sides only there: this keeps a function in memory
//     while a task is in it.
//   - Section: as in package rcu. Handler and Update are sections, with preemption disabled.
//
// # A transition
//
//  1. All tasks get the initial side. Then the patch's funcs are marked as in transition. Then,
//     when patching, they go on top of their stacks. From here on a task's side decides between
//     the top func and what is below it.
//  2. Tasks become pending. A running task switches sides in [Task.Update]. [Core.TryComplete]
//     switches a blocked one, if the task is in no function that the target side does not
//     have.
//  3. When all tasks have switched sides, and when unpatching: the funcs leave their stacks;
//     wait (a).
//  4. The funcs are not in transition any more.
//  5. When patching: wait (b). Then all tasks become idle. When unpatching, the funcs are freed,
//     and the functions may be freed too.
//
// A transition that has not completed can be reversed: no task is pending any more; wait (c);
// the other side becomes the target; step 2 follows again.
//
// # The three waits
//
// They wait for the sections of handlers and of Update. The variants differ only in what they
// wait by. Without a wait:
//
//   - (a), after removal: a handler holds a func that has left its stack, and finds it not in
//     transition, and chooses it; or it finds the func freed.
//   - (b), before tasks become idle: a handler has found its func in transition, and then finds
//     its task idle.
//   - (c), before a reversal: an Update has found its task pending, and stores the old target
//     after the reversal, when no code expects that any more.
//
// ftrace has a wait of its own, before the last func leaves a stack. In the kernel this has
// always been a rude one: a work item runs on every CPU, which also waits for CPUs that RCU
// does not watch. So it is here, with every variant.
//
// # Invariants
//
//   - K1: between two of its safe points a task calls functions of one side: in a
//     transition the old ones before it switches sides and the new ones after that, else the
//     newest patch's.
//   - K2: no handler finds its task idle while its func is in transition; and all tasks
//     are idle, and none is pending, when no transition is under way.
//   - K3: no handler finds a freed func or ops, or an empty stack.
//   - K4: when a patch has been unpatched, no task is in its functions, nor calls them.
//   - K5: a call that returns an error, for a wrong request or for want of memory, changes
//     nothing that a task could see, and nothing leaks: funcs and ops exist for patches
//     that are enabled or in transition, and for no others. A function that no patch covers
//     has a NOP.
//
// # Schedule points
//
// In the handler: "livepatch: handler entered", before its section; "livepatch: ops held",
// "livepatch: func held" and "livepatch: in transition", each between two loads.
//
// In Update: "livepatch: update begun"; "livepatch: target loaded", before the target becomes
// the task's side.
//
// In the Core: "livepatch: transition initialised", before tasks become pending; "livepatch:
// funcs removed", before wait (a); "livepatch: transition over", before wait (b), or before
// funcs are freed; "livepatch: pending cleared for all", before wait (c); "livepatch: stack
// checked", while it looks at a blocked task; "livepatch: waits for tasks", while it waits until
// tasks have switched sides.
//
// In a task that waits for the Core: "livepatch: wakes while its stack is checked".
//
// Package livepatch returns an error where the kernel does: [ErrInvalid] for a patch that is
// enabled twice, or disabled and not there; [ErrBusy] for another patch during a transition, and
// for disabling any but the newest patch (the kernel had this order until d67a53720966, v5.1).
// It also returns one where the kernel trusts its patches: for a patch that has the same
// function twice. It has no atomic replace, no forced transitions and no shadow variables.
package livepatch
