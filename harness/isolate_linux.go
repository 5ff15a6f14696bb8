package harness

import (
	"os/exec"
	"syscall"
)

// Isolate puts the process of cmd into its own process group, so that Ctrl-C in a terminal
// reaches only the coordinator, and has the kernel kill it when the coordinator dies.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
