package harness

import (
	"os/exec"
	"syscall"
)

// Isolate keeps Ctrl-C, which a terminal sends to a whole process group, to the
// coordinator, and takes the worker along when the coordinator is killed.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
