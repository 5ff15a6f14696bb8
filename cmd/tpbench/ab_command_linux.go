package main

import (
	"os"
	"syscall"
)

// signalGroup sends a signal to all processes of the group that a process leads.
func signalGroup(p *os.Process, s syscall.Signal) error { return syscall.Kill(-p.Pid, s) }
