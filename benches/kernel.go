package benches

import (
	"fmt"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/kernel"
)

// DisableAll and EnableAll measure the running kernel's events, too, where it is named.

// checkBulk is checkStrategy that also knows the running kernel.
func checkBulk(k keys) error {
	if k["impl"] != kernel.Name {
		return checkStrategy(k)
	}
	if err := kernel.Check(); err != nil {
		return err
	}
	if have := kernel.Events(); have != k.num("events") {
		return &impls.UnsupportedError{
			What: fmt.Sprintf("switching %d events of the running kernel", k.num("events")),
			Why:  fmt.Sprintf("it has %d, and one write switches all", have),
			Do:   fmt.Sprintf("say --events %d", have),
		}
	}
	return nil
}

// openKernel is openBulk on the running kernel's events. A reader beside it only
// keeps its CPU busy: every process that enters the kernel fires events.
func openKernel(k keys, e *harness.Env) (*harness.Op, error) {
	instance, err := kernel.Open()
	if err != nil {
		return nil, err
	}
	if err := k.beside(e, spin); err != nil {
		return nil, err
	}
	if err := instance.Switch(true); err != nil {
		return nil, err
	}
	return &harness.Op{
		Divide: perEvent(k),
		Run: switches(
			func() error { return instance.Switch(false) },
			func() error { return instance.Switch(true) }),
		Close: func() {
			e.Stop()
			must(instance.Close())
		},
	}, nil
}

// spin keeps a CPU busy.
func spin() (pass, end func(), err error) {
	return func() {
		for end := time.Now().Add(100 * time.Microsecond); time.Now().Before(end); {
		}
	}, func() {}, nil
}
