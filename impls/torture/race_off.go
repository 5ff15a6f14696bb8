//go:build !race

package torture

// mappedEvents is how many of the events have their site in mapped memory.
const mappedEvents = 1
