// Package kernel switches the events of the running kernel, as a reference for the models of
// the other packages.
//
// Its words: an event is a tracepoint of the kernel that tracefs lists; tracefs is the file system
// by which tracing is controlled; an instance is a directory of tracefs with its own ring buffer
// and its own set of events that are on; its owner is the process that made it; proc is /proc.
//
// The package switches all events at once, as `echo 0 > events/enable` does:
//
//  1. [Open] makes an instance, so that other tracing is not changed, and turns the recording
//     into its ring buffer off.
//  2. [Instance.Switch] writes the events/enable of the instance. The kernel then registers a
//     probe with each of its tracepoints, or unregisters it, for all processes.
//  3. [Instance.Close] switches the events off and removes the instance.
//
// A process that is killed between 1 and 3 leaves its instance with the events on. Then every
// later run measures other transitions: it registers a 2nd probe and not a 1st.
// [Sweep] removes such instances, and no others. It recognises them by
//
//   - the name, tpbench-PID-START. START is when the process started, because the kernel
//     uses pids again;
//   - a file of the instance that its owner holds open. The kernel does not remove an
//     instance while any process has a file of it open, and closes the file when the
//     process dies. So Sweep cannot remove the instance of a living owner, even if it does
//     not see the owner, for example from another pid namespace.
//
// It needs root and a mounted tracefs, and makes the whole machine slower while events
// are on. So it runs only if it is named. Package kernel does not mount
// tracefs, and does not change events outside of its instances.
package kernel
