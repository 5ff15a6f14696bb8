//go:build !linux

package rcu

import (
	"runtime"
	"time"
)

func membarrierPrivate() { panic("rcu: needs linux") }
func membarrierGlobal()  { panic("rcu: needs linux") }

// sleep is for the flavours that need no membarrier.
func sleep(d time.Duration) { time.Sleep(d) }

func checkPrivate() error {
	return unsupported("membarrier PRIVATE_EXPEDITED", "it is a system call of Linux and this is "+runtime.GOOS, "run on Linux")
}

func checkGlobal() error {
	return unsupported("membarrier GLOBAL", "it is a system call of Linux and this is "+runtime.GOOS, "run on Linux")
}

type cpuVisitor struct{}

func newCPUVisitor() *cpuVisitor     { panic("rcu: needs linux") }
func (*cpuVisitor) everyCPU() uint64 { panic("rcu: needs linux") }
func (*cpuVisitor) stop()            {}

func checkRude() error {
	return unsupported("a work item on every CPU", "it moves a thread by a system call of Linux and this is "+runtime.GOOS, "run on Linux")
}
