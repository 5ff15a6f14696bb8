// Package step replays an interleaving: it stops threads at named places between the steps of
// a protocol.
//
// Words:
//
//   - A place is a named call of this package in the code.
//   - A script is the drawing of a race: one column for each thread, read from top to bottom.
//     A cell is one entry of it: an action, or "go on".
//   - An actor is the goroutine that performs a column. Only one has the turn at a time.
//
// How it works:
//
//  1. [At] is a place that a thread passes; [Wait] is one in a loop that polls for another
//     thread; [Lock] takes a mutex that another thread may hold.
//  2. Without the build tag steps all three are empty and inlined, and leave nothing in the
//     binary, which TestAbsent checks. A place whose name is computed stands in an
//     "if [Enabled]".
//  3. With the tag, Play performs a script. One column runs at a time, so the interleaving is
//     the drawn one, every time.
//  4. The same script runs with every variant. If a column must wait for another one, it gives
//     up its turn and continues when the other has moved. So a variant that waits changes
//     the drawn order, and only where it waits.
package step
