//go:build race

package probes

// mappedEvents is how many of the sites are in mapped memory. The race detector has no hook in
// their code, so it does not see that a store publishes.
const mappedEvents = 0
