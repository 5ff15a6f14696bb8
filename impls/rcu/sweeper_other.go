//go:build !linux

package rcu

import "runtime"

type sweeper struct{}

func newSweeper() *sweeper        { panic("rcu: needs linux") }
func (*sweeper) everyCPU() uint64 { panic("rcu: needs linux") }
func (*sweeper) stop()            {}

func checkRude() error {
	return unsupportedRude("it moves a thread by a system call of Linux and this is "+runtime.GOOS, "run on Linux")
}
