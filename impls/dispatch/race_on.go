//go:build race

package dispatch

// raceEnabled says that this build has the race detector.
const raceEnabled = true
