package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// deprive calls deny, which forbids something to this process and its children, and then
// becomes the command of its arguments. Scripts use it as: mdwe tpbench list.
func deprive(deny func() error) {
	if err := deny(); err != nil {
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

// denyWriteExecute forbids memory that is writable and executable, as systemd's
// MemoryDenyWriteExecute= does.
func denyWriteExecute() error {
	return unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
}
