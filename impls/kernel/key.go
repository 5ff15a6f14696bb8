package kernel

import (
	"fmt"

	"github.com/tpbench/tpbench/impls"
)

// A StaticKey is a static key of the kernel. It has sites in the kernel's text, which are a NOP while the key is off, and a
// JMP while it is on. To switch the key, the kernel rewrites all sites in one batch, and makes all CPUs see new
// code three times. It waits for no readers. So this is what patching takes, beside what it takes to open and to close
// a descriptor.
//
// The key is that of perf events which count context switches. It is on while there is such an event.
type StaticKey struct {
	s    system
	held perfEvent // or nil
}

// OpenStaticKey returns the key. If it is held, it is switched on now, and stays on until Close. The error is an
// [impls.UnsupportedError] if this process may not open such an event, or this kernel has none.
func OpenStaticKey(held bool) (*StaticKey, error) { return running().openStaticKey(held) }

func (s system) openStaticKey(held bool) (*StaticKey, error) {
	k := &StaticKey{s: s}
	e, err := s.openSwitches()
	if err != nil {
		return nil, &impls.UnsupportedError{What: "switching a static key", Why: err.Error(), Do: "run as root, on a kernel with CONFIG_PERF_EVENTS"}
	}
	if held {
		k.held = e
		return k, nil
	}
	return k, e.close()
}

// Switch opens an event that counts context switches, and closes it. Unless the key is held, that switches it on, and off.
func (k *StaticKey) Switch() error {
	e, err := k.s.openSwitches()
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return e.close()
}

// Close lets the key go. A second call does nothing.
func (k *StaticKey) Close() error {
	if k.held == nil {
		return nil
	}
	held := k.held
	k.held = nil
	return held.close()
}
