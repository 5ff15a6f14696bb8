//go:build !linux || !amd64 || purego

package clock

import (
	"fmt"
	"runtime"
)

// Start returns 0: [Open] fails here, so nothing is timed.
func Start() uint64 { return 0 }

// Stop returns 0: [Open] fails here, so nothing is timed.
func Stop() uint64 { return 0 }

// Virtual returns false: a guest's processes read its counter, too.
func Virtual() bool { return false }

// Open returns [ErrUnavailable]: reading the counter needs x86-64 assembler, and calibrating it
// needs a clock of Linux.
func Open() (*Clock, error) {
	return nil, fmt.Errorf("clock: %w on %s/%s or with -tags purego: build for linux/amd64 without that tag",
		ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}
