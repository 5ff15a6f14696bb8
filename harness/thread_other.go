//go:build !linux

package harness

import "time"

// Package host's Pin refuses before either could be called.
func threadID() int                { panic("harness: needs linux") }
func threadTime(int) time.Duration { panic("harness: needs linux") }
