//go:build race

package rcu

// raceAcquireRelease tells the race detector that the sections and grace periods of a Domain
// are ordered. It cannot see this, because the read section is assembler. The add of 0 is a
// read-modify-write, so it is both an acquire and a release.
func raceAcquireRelease(d *Domain) { d.seq.Add(0) }
