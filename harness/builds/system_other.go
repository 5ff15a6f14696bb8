//go:build !linux

package builds

import (
	"os"
	"os/exec"
)

// killTogether does nothing: only the process itself is killed.
func killTogether(*exec.Cmd) {}

// lock reports false, so that no directory is taken for one that a killed process left.
func lock(*os.File) bool { return false }
