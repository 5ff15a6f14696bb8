// Package kernel does to the running kernel what the other packages model: it switches events,
// closes perf events, waits for grace periods, fires events, and attaches and detaches uprobes. It also counts what
// the kernel waits for meanwhile.
//
// Its words: an event is a tracepoint of the kernel that tracefs lists; tracefs is the file system
// by which tracing is controlled; an instance is a directory of tracefs with its own ring buffer
// and its own set of events that are on; a group is the first part of the name of a uprobe in tracefs; a
// journal is a file that notes a setting before it is changed; the owner of these three is the process that
// made them; proc is /proc.
//
// A measurement is made so:
//
//  1. [Check] says whether this machine can do it at all, and [Busy] whether somebody else traces.
//  2. [Sweep] puts back what a killed run has left. Otherwise every later run measures other
//     transitions: it registers a 2nd probe and not a 1st.
//  3. [Open] makes an instance, so that other tracing is not changed, and turns the recording
//     into its ring buffer off. [Instance.Enable] writes an enable file of the instance. The
//     kernel then registers a probe with each of the tracepoints, or unregisters it, for all processes.
//  4. [OpenTracepoints] opens perf events, which [Descriptors.Close] or the death of a [Holder]
//     closes; [GracePeriod] waits for one grace period, which [Expedite] makes an expedited one;
//     [SwitchKey] patches text and does little else; [Fire] fires two events; [AttachUprobes]
//     attaches uprobes to [Slots] places of this program's own text, which [Hit] executes.
//  5. In a pass of its own, without a clock, a [Counter] counts how often the thread waited, and for what.
//  6. Close, and what Expedite returns, put back what was changed.
//
// A process that is killed between 2 and 6 leaves its instances with the events on, its uprobes
// and its setting. Sweep removes those, and no others. It recognises them by
//
//   - the name, tpbench-PID-START. START is when the process started, because the kernel
//     uses pids again;
//   - a file of the instance that its owner holds open. The kernel does not remove an
//     instance while any process has a file of it open, and closes the file when the
//     process dies. So Sweep cannot remove the instance of a living owner, even if it does
//     not see the owner, for example from another pid namespace.
//
// Perf events and BPF links need no sweeping: they end with the process.
//
// It needs root, and makes the whole machine slower while events are on. So it runs only if it is
// named. Where tracefs is not mounted, it is mounted for this process alone. Package kernel does
// not change events outside of its instances, and takes no times.
package kernel
