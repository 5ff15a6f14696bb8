package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/torture"
)

// A message is a line of a torture-worker's output: nothing in the first one, then what
// is known so far and, in the last one, the report, or why there is none.
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
// process end on time even if nobody reads them.
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

// A teller writes messages. Only its own goroutine waits for the reader of the pipe:
//
//	attack, every 10 ms       teller                pipe
//	progress                  writes it             full: nobody reads
//	progress: waits its turn  is blocked
//	progress: dropped         is blocked
//	last: waits, but not      is blocked
//	  for ever
type teller struct {
	next    chan message // of one: the progress to be written next
	final   chan message
	written chan error // how the last message was written, or why there is none
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

// progress writes the message some time, or drops it.
func (t *teller) progress(m message) {
	select {
	case t.next <- m:
	default:
	}
}

// last writes the last message. It waits no longer than that for it.
func (t *teller) last(m message, within time.Duration) error {
	t.final <- m
	select {
	case err := <-t.written:
		return err
	case <-time.After(within):
		return fmt.Errorf("nobody has read the report for %v", within)
	}
}

const (
	// killAfter is how much longer than --for a worker may take, to start, to prepare and
	// to end.
	killAfter = 30 * time.Second

	// grace is how long a worker gets to report when it is interrupted, and to print
	// stacks when it hangs.
	grace = 5 * time.Second
)

// An outcome is what became of a subject.
type outcome struct {
	torture.Report

	// hung says that the worker did not end and was killed; doing is what it was doing,
	// line by line.
	hung  bool
	doing []string
}

// tortureApart tortures the subject in a process of its own. If ctx is done the report
// is of what was done until then.
func tortureApart(ctx context.Context, s torture.Subject, o torture.Options) (outcome, error) {
	if err := checkSelf(); err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.For+killAfter)
	defer cancel()
	worker := itself(exec.Command(self, "torture-worker", "--for", o.For.String(), "--seed", strconv.FormatUint(o.Seed, 10), fullName(s)))
	out, err := watch(ctx, worker, grace, o.Progress)
	if err != nil {
		err = fmt.Errorf("torturing %s: %w", fullName(s), err)
	}
	return out, err
}

// watch runs a torture-worker until it ends. When ctx is done it interrupts the worker,
// which should report how far it came; one that has not ended after grace is asked what it
// does, and killed. How the worker died is a failure of its subject, unless it reported one
// before. The error is of the attempt.
func watch(ctx context.Context, worker *exec.Cmd, grace time.Duration, progress func(torture.Report)) (outcome, error) {
	harness.Isolate(worker)
	worker.WaitDelay = time.Second // what the worker started may hold its pipes open
	var dying bytes.Buffer
	worker.Stderr = &dying
	stdout, err := worker.StdoutPipe()
	if err != nil {
		return outcome{}, err
	}
	began := time.Now()
	if err := worker.Start(); err != nil {
		return outcome{}, err
	}
	var (
		last    message
		threads string
		ending  sync.WaitGroup
		ended   = make(chan struct{})
	)
	ending.Go(func() { threads = end(ctx, worker.Process, grace, ended) })
	for up, lines := false, json.NewDecoder(stdout); lines.Decode(&last) == nil; {
		if !up {
			up, began = true, time.Now()
		}
		progress(last.Report)
	}
	_ = worker.Wait() // ProcessState has it all
	close(ended)
	ending.Wait()

	out := outcome{Report: last.Report}
	switch {
	case last.Error != "":
		return out, errors.New(last.Error)
	case last.End:
		return out, nil
	}
	if out.Failure == "" {
		out.After = time.Since(began)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		out.hung, out.doing = true, excerpt(threads, dying.String())
		return out, nil
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	words := lastWords(dying.String())
	if cause := fault(worker.ProcessState); words != "" || cause != "" {
		out.Failure = cmp.Or(out.Failure, "died: "+cmp.Or(words, cause))
		return out, nil
	}
	return out, fmt.Errorf("the worker ended without a report, %v %s", worker.ProcessState, strings.TrimSpace(dying.String()))
}

// end ends the worker if ctx is done before it has ended. If it had to be killed, end
// returns its threads.
func end(ctx context.Context, p *os.Process, grace time.Duration, ended <-chan struct{}) (threads string) {
	select {
	case <-ended:
		return ""
	case <-ctx.Done():
	}
	_ = p.Signal(os.Interrupt) // it may have ended by now
	select {
	case <-ended:
		return ""
	case <-time.After(grace):
		return harness.Interrogate(p, grace)
	}
}

// excerpt is what there is room for of what a worker did that hung: its threads, those that
// sleep last, and the stacks that the runtime printed.
func excerpt(threads, stderr string) []string {
	const most, mostThreads, mostFrames = 40, 12, 4
	var lines, asleep []string
	for line := range strings.Lines(threads) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, " S on CPU ") {
			asleep = append(asleep, line)
		} else {
			lines = append(lines, line)
		}
	}
	lines = append(lines, asleep...)
	if more := len(lines) - mostThreads; more > 0 {
		lines = append(lines[:mostThreads], fmt.Sprintf("and %s", plural(more, "more thread")))
	}
	for _, g := range goroutines(stderr) {
		if len(lines)+2 > most {
			break
		}
		lines = append(lines, fmt.Sprintf("goroutine %s, %s", g.id, g.state))
		for _, f := range g.frames[:min(len(g.frames), mostFrames, most-len(lines))] {
			lines = append(lines, "  "+f)
		}
	}
	return lines
}

// A goroutine is one of a dying process.
type goroutine struct {
	id, state string
	frames    []string // innermost first; those of package runtime say little
}

// goroutineHead begins what the runtime prints of a goroutine. With its most verbose
// setting it prints some of them twice, once without frames.
var goroutineHead = regexp.MustCompile(`^goroutine (\d+) (?:\w+=\S+ )*\[(.*)\]:$`)

// goroutines lists those that have frames: first those that run, then those of an attack's
// threads, then those that could run.
func goroutines(stderr string) []*goroutine {
	var list []*goroutine
	var in *goroutine // whose frames these are
	function := ""    // of the frame whose second line comes next
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\n")
		head := goroutineHead.FindStringSubmatch(line)
		switch at, inside := strings.CutPrefix(line, "\t"); {
		case head != nil:
			in, function = &goroutine{id: head[1], state: head[2]}, ""
			list = append(list, in)
		case in == nil:
		case inside:
			if at, _, _ = strings.Cut(at, " "); function != "" && !strings.HasPrefix(function, "runtime.") {
				in.frames = append(in.frames, function+" "+filepath.Base(at))
			}
		case line == "" || strings.HasPrefix(line, "created by "):
			in = nil
		default:
			function = line[strings.LastIndexByte(line, '/')+1:]
			if args := strings.LastIndexByte(function, '('); args > 0 {
				function = function[:args]
			}
		}
	}
	list = slices.DeleteFunc(list, func(g *goroutine) bool { return len(g.frames) == 0 })
	rank := func(g *goroutine) int {
		return slices.IndexFunc([]string{"running", "locked to thread", "runnable", ""}, func(s string) bool { return strings.Contains(g.state, s) })
	}
	slices.SortStableFunc(list, func(a, b *goroutine) int { return rank(a) - rank(b) })
	return list
}

// lastWords is the line of the runtime's report on a fatal error that names the cause,
// or "".
func lastWords(stderr string) string {
	for line := range strings.Lines(stderr) {
		for _, cause := range []string{"SIG", "fatal error: ", "panic: ", "unexpected fault "} {
			if strings.HasPrefix(strings.TrimPrefix(line, "[signal "), cause) {
				return strings.Trim(line, "[]\n")
			}
		}
	}
	return ""
}

// fault is the signal that a process raised by what it did and died of, or "". What
// others send says nothing about it: a machine short of memory kills, too.
func fault(state *os.ProcessState) string {
	raised := []syscall.Signal{syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV}
	if s, ok := state.Sys().(syscall.WaitStatus); ok && slices.Contains(raised, s.Signal()) {
		return s.Signal().String()
	}
	return ""
}
