package harness

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks the file until this process closes it, or returns errLocked. Workers
// do not inherit the lock.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
