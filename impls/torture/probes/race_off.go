//go:build !race

package probes

// mappedEvents is how many of the sites are in mapped memory.
const mappedEvents = 1
