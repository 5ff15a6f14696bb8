package builds

import (
	"os"
	"os/exec"
	"syscall"
)

// killTogether puts the process of cmd, and all that it starts, into a process group, which is killed
// when the context of cmd is done.
func killTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// lock reports whether it has locked the file. The lock lasts until the file is closed, or
// the process ends.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
