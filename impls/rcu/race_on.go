//go:build race

package rcu

// raceAcquireRelease tells the race detector what it cannot see, because the read
// section is assembler: sections and grace periods of one Domain are ordered. The
// add is of nothing; as a read-modify-write it is an edge both ways.
func raceAcquireRelease(d *Domain) { d.seq.Add(0) }
