// Package step marks the places between two steps of a protocol, and replays an
// interleaving by stopping there.
//
//  1. [At] names a place that a thread passes; [Wait] one inside a loop that polls
//     for another thread; [Lock] takes a mutex that another thread may hold.
//  2. Without the build tag steps all three are empty, inline away, and leave
//     nothing in the binary: TestAbsent looks. Places whose names are computed stand
//     behind [Enabled].
//  3. With the tag, Play performs a script: the drawing of a race, one column for
//     each CPU, read from top to bottom. One column runs at a time, so the
//     interleaving is the drawn one, every time.
//  4. The same script runs against every variant. Where one has to wait for
//     another column, it gives its turn up, and goes on when that has moved: a
//     script is kept to as far as a variant's waits allow.
//
// Package step refuses to know what it stops: it is a leaf.
package step
