package guest

import (
	"os/exec"
	"syscall"
)

// isolate puts the process of cmd into its own process group, which Ctrl-C in a terminal does not reach, and which is
// killed when the context of cmd is done. The kernel kills the process when this one dies.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
