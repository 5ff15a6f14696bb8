//go:build !race

package dispatch

// sectionsPerFire is how many sections stand around a probe.
const sectionsPerFire = 1
