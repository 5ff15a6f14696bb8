//go:build race

package dispatch

// sectionsPerFire is how many sections stand around a probe: Fire adds one for the race
// detector.
const sectionsPerFire = 2
