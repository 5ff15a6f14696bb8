//go:build !linux

package harness

import "os/exec"

// isolate has nothing to do where no worker can measure.
func isolate(*exec.Cmd) {}
