//go:build !amd64

package rcu

// Every flavour's Check refuses before one of these could run.
func readLock(*Reader)         { panic("rcu: needs amd64") }
func readUnlock(*Reader)       { panic("rcu: needs amd64") }
func pause()                   { panic("rcu: needs amd64") }
func srcuLock(*uint64)         { panic("rcu: needs amd64") }
func srcuUnlock(*uint64)       { panic("rcu: needs amd64") }
func (r *Reader) Sections(int) { panic("rcu: needs amd64") }
