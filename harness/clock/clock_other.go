//go:build !linux || !amd64 || purego

package clock

import (
	"fmt"
	"runtime"
)

// Start returns 0 here; [Open] has said so before anyone times anything.
func Start() uint64 { return 0 }

// Stop returns 0 here; [Open] has said so before anyone times anything.
func Stop() uint64 { return 0 }

// Open returns [ErrUnavailable]: the counter is read by x86-64 assembly and
// calibrated against a clock that Linux has.
func Open() (*Clock, error) {
	return nil, fmt.Errorf("clock: %w on %s/%s or with -tags purego: build for linux/amd64 without that tag",
		ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}
