package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

const tracefs = "sys/kernel/tracing"

// What the row tracefs finds where the running kernel's events cannot be switched.
const (
	noTracefs   = "no /" + tracefs
	notMounted  = "not mounted at /" + tracefs
	notReadable = "not readable by this user"
)

// tracing says how many events the running kernel has, or why this process cannot know.
func (m machine) tracing() string {
	list, err := fs.ReadFile(m.fs, tracefs+"/available_events")
	_, missing := fs.Stat(m.fs, tracefs)
	switch {
	case err == nil:
		return fmt.Sprintf("%d events", bytes.Count(list, []byte("\n")))
	case errors.Is(err, fs.ErrPermission):
		return notReadable
	case missing != nil:
		return noTracefs
	}
	return notMounted
}

func traceable(_ machine, found string) Status {
	return ifElse(slices.Contains([]string{noTracefs, notMounted, notReadable}, found), Warn, OK)
}

// mountTracefs is the command that gives access.
func (m machine) mountTracefs() string {
	switch m.tracing() {
	case notReadable:
		return "sudo tpbench doctor  # and the same for a run of the running kernel's events"
	case notMounted:
		return "sudo mount -t tracefs nodev /" + tracefs
	}
	return "nothing to do: it takes a kernel with CONFIG_TRACING, and sysfs at /sys"
}
