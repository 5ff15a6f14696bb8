package kernel

import (
	"sync"

	"github.com/tpbench/tpbench/impls"
)

// A static key of the kernel has sites in the kernel's text, which are a NOP while the key is off, and a JMP while it is
// on. To switch the key, the kernel rewrites all sites in one batch, and makes all CPUs see new code three times. It waits
// for no readers. So this is what patching takes, beside what it takes to open and to close a descriptor.
//
// The key here is that of perf events which count context switches. It is on while there is such an event.

// SwitchKey opens a perf event that counts context switches, and closes it. Unless the key is held, that switches it on,
// and off. The error is an [impls.UnsupportedError] if this process may not open such an event, or this kernel has none.
func SwitchKey() error { return switchKey(openSwitches) }

func switchKey(open func() (perfEvent, error)) error {
	e, err := open()
	if err != nil {
		return noKey(err)
	}
	return e.close()
}

// HoldKey switches the key on, if it was off, and keeps it on until release. A second release does nothing. Errors are
// those of SwitchKey.
func HoldKey() (release func() error, err error) { return holdKey(openSwitches) }

func holdKey(open func() (perfEvent, error)) (release func() error, err error) {
	e, err := open()
	if err != nil {
		return nil, noKey(err)
	}
	return sync.OnceValue(e.close), nil
}

func noKey(why error) error {
	return &impls.UnsupportedError{What: "switching a static key", Why: why.Error(), Do: "run as root, on a kernel with CONFIG_PERF_EVENTS"}
}
