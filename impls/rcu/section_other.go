//go:build !amd64

package rcu

// Every flavour's Check returns an error here, so none of these runs.
func readLock(*Reader)         { panic("rcu: needs amd64") }
func readUnlock(*Reader)       { panic("rcu: needs amd64") }
func pause()                   { panic("rcu: needs amd64") }
func srcuLock(*uint64)         { panic("rcu: needs amd64") }
func srcuUnlock(*uint64)       { panic("rcu: needs amd64") }
func (r *Reader) Sections(int) { panic("rcu: needs amd64") }
