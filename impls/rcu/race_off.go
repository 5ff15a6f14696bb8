//go:build !race

package rcu

func raceAcquireRelease(*Domain) {}
