// Package kernel is the running kernel as one more subject: the yardstick beside the
// models.
//
// It switches the kernel's own events, all of them, as `echo 0 > events/enable` does:
//
//  1. [Open] makes a tracing instance of its own, so that nobody's tracing is
//     touched, and keeps the instance's ring buffer from recording.
//  2. [Instance.Switch] writes its events/enable. That registers or unregisters a
//     probe with every tracepoint of the kernel, for everybody's hot paths.
//  3. [Instance.Close] switches everything off and removes the instance.
//
// A process that is killed between 1 and 3 leaves its instance, with the events on,
// and every later run measures other transitions: the 2nd probe's in place of the 1st.
// [Sweep] removes such instances, and no others. Two things tell it whose they are:
//
//   - The name, tpbench-PID-START. START is when the process started, because pids are
//     used again.
//   - A file of the instance that its owner holds open. The kernel refuses to remove an
//     instance while any process has a file of it open, and closes the file when the
//     process dies. So an instance whose owner lives is safe even from a Sweep that
//     cannot see the owner, from another pid namespace for example.
//
// It needs root and a mounted tracefs, makes the whole machine slower while events
// are on, and therefore runs only where it is named. Package kernel refuses to mount
// tracefs, and to touch events outside its instances.
package kernel
