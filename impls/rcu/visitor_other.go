//go:build !linux

package rcu

import "runtime"

type cpuVisitor struct{}

func newCPUVisitor() *cpuVisitor     { panic("rcu: needs linux") }
func (*cpuVisitor) everyCPU() uint64 { panic("rcu: needs linux") }
func (*cpuVisitor) stop()            {}

func checkRude() error {
	return unsupported("a work item on every CPU", "it moves a thread by a system call of Linux and this is "+runtime.GOOS, "run on Linux")
}
