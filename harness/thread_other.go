//go:build !linux

package harness

import "time"

// host.Pin fails before either can be called.
func threadID() int                { panic("harness: needs linux") }
func threadTime(int) time.Duration { panic("harness: needs linux") }
