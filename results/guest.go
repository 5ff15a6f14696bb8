package results

// The configuration keys of a run in a guest.
const (
	GuestFact = "guest" // the release of its kernel
	TimeFact  = "time"  // what its clock counts: VirtualTime, or "wall"
)

// VirtualTime is the time of a guest whose clock counts instructions, each as a nanosecond. It says how much work there
// is and how many waits, not how long they take on a machine, so it is never compared with wall time.
const VirtualTime = "virtual"
