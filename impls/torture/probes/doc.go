// Package probes attacks the families whose readers pass sites: dispatch, tracepoint and
// unregister. In all three a reader fires a place, an event or a Point, while an updater
// registers and removes its probes. firing.go has what they share: the readers, the probe
// functions, their data and how it is freed. tracepoint.go attacks a strategy, and a dispatch
// under a strategy's steps; unregister.go attacks a way to remove probes when memory fails.
//
//   - A probe is a function and its data. Four functions, f0 to f3, differ in the data that they
//     own: one that is called with another's data reports it.
//   - A [datum] is a probe's data. Its number counts registrations: "f2#17" is the 17th, of f2.
//     It is freed, and poisoned, when the updater has waited for readers that may use it.
//   - A registration is a probe that is registered, and its datum.
//   - A witness is a probe that stays registered while others come and go. Every firing must
//     call it once.
//
// The other words are those of package torture.
package probes
