package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// deprive takes something from this process that its children cannot get back, and
// becomes the command of its arguments. Scripts use it as: mdwe tpbench list.
func deprive(of func() error) {
	if err := of(); err != nil {
		fmt.Fprintln(os.Stderr, "deprive:", err)
		os.Exit(99)
	}
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		err = syscall.Exec(path, os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "deprive:", err)
	os.Exit(99)
}

// denyWriteExecute is systemd's MemoryDenyWriteExecute=.
func denyWriteExecute() error {
	return unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
}
