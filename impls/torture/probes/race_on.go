//go:build race

package probes

// mappedEvents is how many of the sites are in mapped memory. The race detector has no hook
// there that tells it that a store publishes.
const mappedEvents = 0
