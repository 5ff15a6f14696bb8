package kernel

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tpbench/tpbench/impls"
)

// Name is the implementation's name on the command line.
const Name = "running-kernel"

const tracefs = "/sys/kernel/tracing"

// Check reports why the running kernel's events cannot be switched, or nil.
func Check() error {
	if _, err := os.Stat(filepath.Join(tracefs, "available_events")); err != nil {
		return unsupported("tracefs is not mounted at "+tracefs, "as root: mount -t tracefs nodev "+tracefs)
	}
	f, err := os.OpenFile(filepath.Join(tracefs, "events", "enable"), os.O_WRONLY, 0)
	if err != nil {
		return unsupported(err.Error(), "run as root")
	}
	return f.Close()
}

func unsupported(why, do string) error {
	return &impls.UnsupportedError{What: "switching the running kernel's events", Why: why, Do: do}
}

// Events counts the kernel's events, or returns 0 where it does not tell.
func Events() int {
	list, err := os.ReadFile(filepath.Join(tracefs, "available_events"))
	if err != nil {
		return 0
	}
	return bytes.Count(list, []byte("\n"))
}

// An Instance is a tracing instance of this process.
type Instance struct{ dir string }

// Open makes an instance with all its events off.
func Open() (*Instance, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	i := &Instance{filepath.Join(tracefs, "instances", fmt.Sprintf("tpbench-%d", os.Getpid()))}
	if err := os.Mkdir(i.dir, 0o700); err != nil {
		return nil, unsupported("making an instance: "+err.Error(), "run as root on a kernel with CONFIG_TRACING")
	}
	if err := i.write("tracing_on", "0"); err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return i, nil
}

// Switch turns all events on or off. It returns when the kernel has done so.
func (i *Instance) Switch(on bool) error {
	value := "0"
	if on {
		value = "1"
	}
	return i.write("events/enable", value)
}

// Close switches the events off and removes the instance.
func (i *Instance) Close() error {
	if err := i.Switch(false); err != nil {
		return err
	}
	if err := os.Remove(i.dir); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}

func (i *Instance) write(file, value string) error {
	if err := os.WriteFile(filepath.Join(i.dir, file), []byte(value), 0); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}
