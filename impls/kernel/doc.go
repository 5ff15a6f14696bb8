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
// It needs root and a mounted tracefs, makes the whole machine slower while events
// are on, and therefore runs only where it is named. Package kernel refuses to mount
// tracefs, and to touch events outside its instance.
package kernel
