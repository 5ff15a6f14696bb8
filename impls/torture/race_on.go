//go:build race

package torture

// mappedEvents is how many of the events have their site in mapped memory. There the race
// detector has no hook by which it could learn what publishing means.
const mappedEvents = 0
