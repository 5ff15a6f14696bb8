package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
)

// A guestSaid is what the first process of a guest says when the guest is ready, as JSON.
type guestSaid struct {
	Release string // as uname -r says it
	CPUs    int    // that are online
}

// newGuestInit returns the hidden command that is the first process of a guest: tpbench guest-init virtual.
func newGuestInit() *cobra.Command {
	return startedCommand("guest-init TIME", "Be the first process of a guest (kernel, run and ab start it)", cobra.ExactArgs(1),
		func(_ *cobra.Command, args []string) error {
			return guest.Init(func() (string, []string, error) {
				if err := os.Setenv(clock.GuestEnv, args[0]); err != nil {
					return "", nil, err
				}
				ticks, err := clock.Open()
				if err != nil {
					return "", nil, err
				}
				calibration, err := ticks.MarshalText()
				if err != nil {
					return "", nil, err
				}
				cpus, err := host.Allowed()
				if err != nil {
					return "", nil, err
				}
				release, err := os.ReadFile("/proc/sys/kernel/osrelease")
				if err != nil {
					return "", nil, err
				}
				said, err := json.Marshal(guestSaid{strings.TrimSpace(string(release)), len(cpus)})
				return string(said), []string{clock.GuestEnv + "=" + args[0], clockEnv + "=" + string(calibration)}, err
			})
		})
}

// bootGuest boots a guest whose programs are of this repository, and whose first process is the first of them.
func bootGuest(ctx context.Context, o guest.Options) (*guest.Guest, error) {
	o.InitArgs = []string{"guest-init", string(o.Time)}
	g, err := guest.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	var said guestSaid
	err = json.Unmarshal([]byte(g.Said), &said)
	switch {
	case err != nil:
		err = fmt.Errorf("the guest of %s said %q, which this revision does not understand: %w", o.Image, g.Said, err)
	case said.CPUs != o.CPUs:
		err = fmt.Errorf("the guest of %s (%s) has %d CPUs online; expected %d: take fewer, or another kernel", o.Image, said.Release, said.CPUs, o.CPUs)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}
