//go:build !linux

package harness

import (
	"os"
	"time"
)

// Interrogate only ends the process.
func Interrogate(p *os.Process, _ time.Duration) string {
	_ = p.Kill() // it fails if the process has ended
	return ""
}

// ShowStacks does nothing: no worker can run here.
func ShowStacks() error { return nil }
