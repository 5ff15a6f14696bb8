//go:build !linux

package host

import "runtime"

var errNotLinux = &UnavailableError{What: "no " + runtime.GOOS + " port", Do: "run on Linux"}

// What follows exists on Linux only, and returns an *[UnavailableError] here.

func Allowed() ([]int, error)              { return nil, errNotLinux }
func Pin(int) error                        { return errNotLinux }
func Switches() (int64, error)             { return 0, errNotLinux }
func queryMembarrier() (membarrier, error) { return 0, errNotLinux }
func tryRWX() error                        { return errNotLinux }
func tryCounters() error                   { return errNotLinux }
