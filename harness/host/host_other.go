//go:build !linux

package host

import "runtime"

var errNotLinux = &UnavailableError{What: "no " + runtime.GOOS + " port", Do: "run on Linux"}

// Allowed returns an *[UnavailableError]: it exists on Linux only.
func Allowed() ([]int, error) { return nil, errNotLinux }

// Pin returns an *[UnavailableError]: it exists on Linux only.
func Pin(cpu int) error { return errNotLinux }

// Switches returns an *[UnavailableError]: it exists on Linux only.
func Switches() (int64, error) { return 0, errNotLinux }

// queryMembarrier returns an *[UnavailableError]: it exists on Linux only.
func queryMembarrier() (membarrier, error) { return 0, errNotLinux }

func tryRWX() error      { return errNotLinux }
func tryCounters() error { return errNotLinux }
