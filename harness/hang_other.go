//go:build !linux

package harness

import (
	"os"
	"time"
)

// Interrogate only ends the process.
func Interrogate(p *os.Process, _ time.Duration) string {
	_ = p.Kill() // it may well have ended
	return ""
}

// ShowStacks has nothing to do where no worker runs.
func ShowStacks() error { return nil }
