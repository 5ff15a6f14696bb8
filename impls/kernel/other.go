//go:build !linux

package kernel

import (
	"errors"

	"github.com/tpbench/tpbench/impls"
)

var errOther = &impls.UnsupportedError{What: "measuring the running kernel", Why: "it is not Linux", Do: "take a Linux machine"}

// FireEvents are the events that Fire fires.
var FireEvents = [2]string{}

// Fire is for Linux.
func Fire(int) {}

// GracePeriod is for Linux.
func GracePeriod() error { return errOther }

// A Holder is for Linux.
type Holder struct{}

// Kill is for Linux.
func (*Holder) Kill() error { return errOther }

func startHolder([]perfEvent) (*Holder, error) { return nil, errOther }

func mountDetached(string) (int, error) { return -1, errors.ErrUnsupported }

func openProbe(uint32, string, uint64, int, int) (perfEvent, error) { return nil, errOther }

func openTracepoint(uint64) (perfEvent, error) { return nil, errOther }

func attachMulti(*Uprobes, string, []uint64) error { return errOther }

func openSwitches() (perfEvent, error) { return nil, errOther }
