package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// tracefs is where the events usually are.
const tracefs = "/sys/kernel/tracing"

// mounted returns a path of tracefs: where it is usually mounted or, if it is not, a mount of this
// process alone. That one has no name in the tree of files, and the kernel drops it when this
// process ends, however it ends. A kernel has one tracefs, so both show the same events.
//
// If there is none, it returns the usual path and why.
var mounted = sync.OnceValues(func() (path string, err error) {
	if _, err := os.Stat(filepath.Join(tracefs, "available_events")); !errors.Is(err, fs.ErrNotExist) {
		return tracefs, nil // Check says what is wrong with it, if something is
	}
	dir, err := mountDetached("tracefs")
	if err != nil {
		return tracefs, err
	}
	return fmt.Sprintf("/proc/self/fd/%d", dir), nil // dir stays open, and with it the mount
})
