package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/impls/torture"
)

// A message is a line of a torture-worker's output. The first one is empty, the next ones have
// the report so far, and the last one has the report, or the error because of which there is none.
type message struct {
	torture.Report
	End   bool
	Error string
}

// newTortureWorker is the process that tortures: tpbench torture-worker FAMILY/NAME.
func newTortureWorker() *cobra.Command {
	var o torture.Options
	cmd := startedCommand("torture-worker FAMILY/NAME", "Torture one implementation (torture starts it)", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		subjects, err := subjectsNamed(args)
		if err != nil {
			return err
		}
		if len(subjects) != 1 {
			return usagef("torture-worker: %q names %d implementations, say FAMILY/NAME", args[0], len(subjects))
		}
		return tortureHere(cmd.Context(), cmd.OutOrStdout(), subjects[0], o)
	})
	f := cmd.Flags()
	f.DurationVar(&o.For, "for", 10*time.Second, "how long to try")
	f.Uint64Var(&o.Seed, "seed", 0, "what all draws come from")
	return cmd
}

// tortureHere tortures the subject in this process and writes messages. The run and this
// process end on time even if the messages are not read.
func tortureHere(ctx context.Context, w io.Writer, s torture.Subject, o torture.Options) error {
	out := tellTo(w)
	out.progress(message{})
	o.Progress = func(r torture.Report) { out.progress(message{Report: r}) }
	r, err := s.Torture(ctx, o)
	last := message{Report: r, End: true}
	if err != nil {
		last.Error = err.Error()
	}
	return errors.Join(err, out.last(last, lastWithin))
}

// lastWithin is how long a worker waits for its last message to be read.
const lastWithin = 5 * time.Second

// A teller writes messages. Only its own goroutine waits until the pipe is read:
//
//	attack, every 10 ms       teller                pipe
//	progress                  writes it             full: it is not read
//	progress: is kept         is blocked
//	progress: dropped         is blocked
//	last: waits for a while   is blocked
type teller struct {
	next    chan message // of one: the progress to be written next
	final   chan message
	written chan error // the result of the last write: of the last message, or of one that failed
}

func tellTo(w io.Writer) *teller {
	t := &teller{make(chan message, 1), make(chan message, 1), make(chan error, 1)}
	out := json.NewEncoder(w)
	go func() {
		for {
			select {
			case m := <-t.next:
				if err := out.Encode(m); err != nil {
					t.written <- err
					return
				}
			case m := <-t.final:
				t.written <- out.Encode(m)
				return
			}
		}
	}()
	return t
}

// progress has the message written later, or drops it.
func (t *teller) progress(m message) {
	select {
	case t.next <- m:
	default:
	}
}

// last writes the last message. It waits for no longer than within.
func (t *teller) last(m message, within time.Duration) error {
	t.final <- m
	select {
	case err := <-t.written:
		return err
	case <-time.After(within):
		return fmt.Errorf("the report was not read within %v", within)
	}
}
