//go:build !linux

package host

import "runtime"

var errNotLinux = &UnavailableError{What: "no " + runtime.GOOS + " port", Do: "run on Linux"}

// Allowed returns an *[UnavailableError]: it is not ported.
func Allowed() ([]int, error) { return nil, errNotLinux }

// Pin returns an *[UnavailableError]: it is not ported.
func Pin(cpu int) error { return errNotLinux }

// Switches returns an *[UnavailableError]: it is not ported.
func Switches() (int64, error) { return 0, errNotLinux }

// QueryMembarrier returns an *[UnavailableError]: it is not ported.
func QueryMembarrier() (Membarrier, error) { return Membarrier{}, errNotLinux }

func tryRWX() error      { return errNotLinux }
func tryCounters() error { return errNotLinux }
