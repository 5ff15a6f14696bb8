package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/all"
)

// If this fails, the end of a torture-worker is reported wrongly: a busted variant that crashes
// counts as not caught; or one that another process killed, that hung, or that could not be
// tortured, counts as caught. The workers here are scripts that end as real ones do.
func TestWatch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the workers are shell scripts, and their signals Linux's")
	}
	const tally = `echo '{"Executions":7}'; `
	const failed = `echo '{"Executions":7,"Failure":"T1: x","After":5}'; `
	const late, never = `trap 'echo "{\"Executions\":7,\"End\":true}"; exit' INT; `, `trap '' INT; `
	for _, tc := range []struct {
		why, worker, failure string
		hung                 bool
		err                  string
	}{
		{"held", tally + `echo '{"Executions":7,"End":true}'`, "", false, ""},
		{"broke", tally + `echo '{"Executions":7,"Failure":"T1: x","End":true}'; exit 1`, "T1: x", false, ""},
		{"could not be tortured", tally + `echo '{"Executions":7,"End":true,"Error":"no room"}'; exit 2`, "", false, "no room"},
		{"raised a signal", tally + `kill -TRAP $$`, "died: trace/breakpoint trap", false, ""},
		{"raised one after a failure", failed + `kill -TRAP $$`, "T1: x", false, ""},
		{"died in the middle of a line", tally + `printf '{"Executions":'; kill -SEGV $$`, "died: segmentation fault", false, ""},
		{"printed why it died", tally + `echo 'SIGTRAP: trace trap
PC=0x1' >&2; exit 2`, "died: SIGTRAP: trace trap", false, ""},
		{"printed so with a prefix", tally + `echo '
[signal SIGSEGV: segmentation violation code=0x80]
goroutine 1' >&2; exit 2`, "died: signal SIGSEGV: segmentation violation code=0x80", false, ""},
		{"was killed", tally + `kill -KILL $$`, "", false, "without a report, signal: killed"},
		{"exited with an error", tally + `echo 'tpbench: unknown flag' >&2; exit 2`, "", false, "exit status 2 tpbench: unknown flag"},
		{"exited without a report", tally + `exit 0`, "", false, "without a report, exit status 0"},
		{"does not end", never + tally + `exec sleep 600`, "", true, ""},
		{"does not end, and its output ends", never + tally + `exec sleep 600 >&-`, "", true, ""},
		{"does not end after a failure", never + failed + `exec sleep 600`, "T1: x", true, ""},
		{"reports only when it is interrupted", late + tally + `while :; do sleep 0.01; done`, "", false, ""},
	} {
		t.Run(tc.why, func(t *testing.T) {
			t.Parallel()
			limit, grace := time.Minute, time.Minute
			if strings.HasPrefix(tc.worker, "trap ") {
				limit = 2 * time.Second // it does not exit by itself
			}
			if strings.HasPrefix(tc.worker, never) {
				grace = 10 * time.Millisecond // nor when it is interrupted
			}
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			var progress torture.Report
			out, err := watch(ctx, exec.Command("sh", "-c", tc.worker), grace, func(r torture.Report) { progress = r })
			if out.Executions != 7 || progress.Executions != 7 {
				t.Errorf("%d executions, %d in the last progress, want 7", out.Executions, progress.Executions)
			}
			if out.Failure != tc.failure {
				t.Errorf("failure %q, want %q", out.Failure, tc.failure)
			}
			if strings.Contains(tc.worker, failed) && out.After != 5 || strings.HasPrefix(tc.failure, "died") && out.After <= 0 {
				t.Errorf("after %v, want when the failure was noticed", out.After)
			}
			if out.hung != tc.hung || strings.Contains(strings.Join(out.doing, "\n"), " sleep S on CPU ") != tc.hung {
				t.Errorf("hung: %v, doing %q, want %v", out.hung, out.doing, tc.hung)
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

// If this fails, what is printed of a worker that hung lacks the goroutine that it hung in, or
// is longer than 40 lines.
func TestExcerpt(t *testing.T) {
	const threads = "71 tpbench S on CPU 0, 0.00 s user, 0.00 s system\n72 tpbench R on CPU 1, 9.00 s user, 0.00 s system\n"
	const stderr = `SIGQUIT: quit
PC=0x47e063 m=0 sigcode=0

goroutine 0 gp=0x5471a0 m=0 mp=0x547f60 [idle]:
runtime.futex(0x5480b8, 0x80, 0x0, 0x0, 0x0, 0x0)
	/usr/local/go/src/runtime/sys_linux_amd64.s:570 +0x23 fp=0x7fff2460eee8 sp=0x7fff2460eee0 pc=0x47e063
rax    0x0

goroutine 1 gp=0x55d351ac1e0 m=nil [sync.WaitGroup.Wait]:
runtime.gopark(0x1d097bd5571?, 0x47aab2?, 0x10?, 0xef?, 0x450d7f?)
	/usr/local/go/src/runtime/proc.go:462 +0xce fp=0x55d3521eec8 sp=0x55d3521eea8 pc=0x476bae
sync.(*WaitGroup).Wait(0xc0)
	/usr/local/go/src/sync/waitgroup.go:118 +0x48
github.com/tpbench/tpbench/impls/torture.(*Attack).Launch(0xc000, {0xc0001, 0x4, 0x4})
	/work/impls/torture/torture.go:201 +0x165
created by main.main in goroutine 1
	/work/main.go:14 +0x1e

goroutine 18 gp=0x55d352101e0 m=nil [runnable]:
github.com/tpbench/tpbench/impls/torture.spin(...)
	/work/impls/torture/rcu.go:9

goroutine 20 gp=0x55d352101f0 m=nil [select, locked to thread]:
github.com/tpbench/tpbench/impls/rcu.(*deferred).barrier(0xc000)
	/work/impls/rcu/deferred.go:9 +0x20

goroutine 19 gp=0x55d352103c0 m=5 mp=0x2 [running, locked to thread]:
	goroutine running on other thread; stack unavailable
created by sync.(*WaitGroup).Go in goroutine 1
	/usr/local/go/src/sync/waitgroup.go:238 +0x72

-----

goroutine 19 gp=0x55d352103c0 m=5 mp=0x2 [running, locked to thread]:
github.com/tpbench/tpbench/impls/rcu.waitAwake(0xc000)
	/work/impls/rcu/domain.go:77 +0x20 fp=0x55d351e27e0 sp=0x55d351e27d0 pc=0x484de0
runtime.goexit({})
	/usr/local/go/src/runtime/asm_amd64.s:1771 +0x1 fp=0x55d351e27e8 sp=0x55d351e27e0 pc=0x47c521
`
	const want = `72 tpbench R on CPU 1, 9.00 s user, 0.00 s system
71 tpbench S on CPU 0, 0.00 s user, 0.00 s system
goroutine 19, running, locked to thread
  rcu.waitAwake domain.go:77
goroutine 20, select, locked to thread
  rcu.(*deferred).barrier deferred.go:9
goroutine 18, runnable
  torture.spin rcu.go:9
goroutine 1, sync.WaitGroup.Wait
  sync.(*WaitGroup).Wait waitgroup.go:118
  torture.(*Attack).Launch torture.go:201`
	if got := strings.Join(excerpt(threads, stderr), "\n"); got != want {
		t.Errorf("%s\n\nwant\n%s", got, want)
	}
	for n := range 100 {
		lines := excerpt(strings.Repeat("71 x R\n", n), strings.Repeat(stderr, n))
		if len(lines) > 40 || n > 1 && !slices.Contains(lines, "goroutine 19, running, locked to thread") {
			t.Fatalf("%d threads and %d goroutines make\n%s", n, 4*n, strings.Join(lines, "\n"))
		}
		if n > 12 && lines[12] != fmt.Sprintf("and %s", plural(n-12, "more thread")) {
			t.Fatalf("of %d threads it prints %q", n, lines[12])
		}
	}
	if lines := excerpt("", ""); len(lines) > 0 {
		t.Errorf("nothing is known, and it prints %q", lines)
	}
}

// If this fails, a worker whose output is not read does not end.
func TestOutputNotRead(t *testing.T) {
	if runtime.GOOS != "linux" || measures() != nil {
		t.Skip("no worker runs here")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	// Fill the pipe, so that not even the first message can be written.
	if err := w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write(make([]byte, 1<<22)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes fit into a pipe, %v", n, err)
	}
	subjects := all.Subjects()
	runs := slices.IndexFunc(subjects, func(s torture.Subject) bool { return s.Status == impls.Sound && s.Check() == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// TestMain has put this binary into PATH by that name.
	worker := exec.CommandContext(ctx, "tpbench", "torture-worker", "--for", "300ms", "--within", "3s", fullName(subjects[runs]))
	var stderr strings.Builder
	worker.Stdout, worker.Stderr = w, &stderr
	harness.Isolate(worker)
	err = worker.Run()
	if want := "tpbench: the report was not read within 3s\n"; worker.ProcessState.ExitCode() != 1 || stderr.String() != want {
		t.Errorf("%v, and it printed %q, want exit code 1 and %q", err, stderr.String(), want)
	}
}

// neverRuns cannot run here.
var (
	cannot    = &impls.UnsupportedError{What: "it", Why: "reasons", Do: "do"}
	neverRuns = torture.Subject{Family: "rcu", Name: "it", Check: func() error { return cannot }}
)

// If this fails, a machine on which nothing can be tortured passes, which a script cannot show,
// since one flavour runs on any amd64; or the exit code is 0 although the table could not be
// written, to a full disk for example.
func TestNothingCanBeTortured(t *testing.T) {
	print := func(w io.Writer) error {
		cmd := newTorture()
		cmd.SetOut(w)
		cmd.SetErr(io.Discard)
		cmd.SetContext(t.Context())
		return tortureAll(cmd, slices.Repeat([]torture.Subject{neverRuns}, 3), time.Second, 1, false)
	}
	var whole strings.Builder
	if err := print(&whole); exitCode(err) != 3 {
		t.Fatalf("%v, exit code %d, want 3", err, exitCode(err))
	}
	for room := 0; room < whole.Len(); room = min(room+7, max(room+1, whole.Len()-1)) {
		disk := &smallDisk{room: room}
		err := print(disk)
		if !errors.Is(err, syscall.ENOSPC) || exitCode(err) != 1 {
			t.Fatalf("%d of %d bytes written: %v, exit code %d, want 1 and %v", room, whole.Len(), err, exitCode(err), syscall.ENOSPC)
		}
		if disk.again {
			t.Fatalf("%d of %d bytes written, and it wrote again", room, whole.Len())
		}
	}
}

// If this fails, a worker reports a subject that could not be tortured as one that held, or a
// report that it could not write is lost without an error.
func TestWorkerErrors(t *testing.T) {
	var out strings.Builder
	if err := tortureHere(t.Context(), &out, neverRuns, torture.Options{For: time.Second}); !errors.Is(err, cannot) {
		t.Errorf("the worker: %v", err)
	}
	if !strings.HasSuffix(out.String(), `"End":true,"Error":"`+cannot.Error()+"\"}\n") {
		t.Errorf("the worker reports %s", &out)
	}
	for room := range out.Len() {
		disk := &smallDisk{room: room}
		if err := tortureHere(t.Context(), disk, neverRuns, torture.Options{For: time.Second}); !errors.Is(err, syscall.ENOSPC) || disk.again {
			t.Errorf("%d bytes written: %v, and it wrote again: %v", room, err, disk.again)
		}
	}
}

// A smallDisk has room for so many bytes. It notes a write after an error.
type smallDisk struct {
	room        int
	full, again bool
}

func (d *smallDisk) Write(p []byte) (int, error) {
	d.again = d.full
	if len(p) <= d.room {
		d.room -= len(p)
		return len(p), nil
	}
	d.full = true
	return d.room, &fs.PathError{Op: "write", Path: "disk", Err: syscall.ENOSPC}
}

// If this fails, a variant gets a wrong verdict, or a wrong verdict does not change the exit code.
func TestVerdicts(t *testing.T) {
	s := summary{each: 2}
	for _, tc := range []struct {
		status              impls.Status
		executions, changes uint64
		failure             string
		hung                bool
		want                string
		short               time.Duration
	}{
		{impls.Sound, 1000, 10, "", false, held, 0},
		{impls.Sound, 1000, 1, "", false, held, 0},
		{impls.Sound, 0, 1, "", false, untried, 0},
		{impls.Sound, 1000, 0, "", false, untried, 0},
		{impls.Sound, 0, 0, "T1", false, broke, 0},
		{impls.Sound, 1000, 10, "", true, endless, 0},
		{impls.Sound, 0, 0, "", true, endless, 0},
		{impls.Sound, 1000, 10, "T1", true, broke, 0},
		{impls.Busted, 1000, 10, "T1", false, caught, 0},
		{impls.Busted, 0, 0, "T1", false, caught, 0},
		{impls.Busted, 1000, 10, "T1", true, caught, 0},
		{impls.Busted, 1000, 10, "", false, missed, 0},
		{impls.Busted, 0, 10, "", false, untried, 0},
		{impls.Busted, 1000, 0, "", false, untried, 0},
		{impls.Busted, 1000, 10, "", true, endless, 0},
		{impls.Sound, 1000, 10, "", false, untried, 1},
		{impls.Sound, 1000, 10, "T1", false, broke, 1},
		{impls.Busted, 1000, 10, "", false, untried, 1},
		{impls.Busted, 1000, 10, "T1", false, caught, 1},
	} {
		of := torture.Subject{Family: "rcu", Name: tc.want, Status: tc.status}
		report := torture.Report{Tally: torture.Tally{Executions: tc.executions, Transitions: tc.changes}, Failure: tc.failure, After: s.each - tc.short}
		before := slices.Clone(s.wrong)
		if got := s.add(of, outcome{Report: report, hung: tc.hung}); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
		want := before
		if tc.want != held && tc.want != caught {
			want = append(want, "rcu/"+tc.want+": "+tc.want)
		}
		if !slices.Equal(s.wrong, want) {
			t.Errorf("%+v: the exit code comes from %q, want %q", tc, s.wrong, want)
		}
	}
	s.wrong = []string{"rcu/a: BROKE", "rcu/b: DID NOT END"}
	var text strings.Builder
	s.print(&text)
	const want = "2 sound implementations held over 2,000 executions; 4 busted ones were caught; rcu/a: BROKE; rcu/b: DID NOT END."
	if got := strings.TrimSpace(text.String()); got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// If this fails, the row of a worker that hung does not show that, or not what its threads did.
func TestHungRow(t *testing.T) {
	s := torture.Subject{Family: "rcu", Name: "it", Status: impls.Busted}
	for failure, want := range map[string]string{
		"":               "  did not end\n            71 it R\n            goroutine 1, running\n",
		"T1: x; changes": "  T1: x; then it did not end\n            71 it R\n            goroutine 1, running\n",
	} {
		var text strings.Builder
		newTortureTable(&text, nil).row(s, outcome{
			Report: torture.Report{Failure: failure}, hung: true, doing: []string{"71 it R", "goroutine 1, running"},
		}, endless)
		if !strings.HasSuffix(text.String(), want) {
			t.Errorf("%q, want it to end with %q", text.String(), want)
		}
	}
}

// If this fails, the help lacks a family or a verdict, or one of its examples does not run.
func TestTortureHelp(t *testing.T) {
	words := []string{held, caught, broke, missed, untried, endless}
	for _, s := range all.Subjects() {
		words = append(words, s.Family)
	}
	for _, w := range words {
		if !regexp.MustCompile(`(?m)^  \d\. ` + w + `  `).MatchString(newTorture().Long) {
			t.Errorf("no numbered line for %q", w)
		}
	}
	examples := regexp.MustCompile(`(?m)^  tpbench torture (.*)$`).FindAllStringSubmatch(newTorture().Example, -1)
	if len(examples) != 2 {
		t.Errorf("%d examples, want 2", len(examples))
	}
	for _, e := range examples {
		cmd := newTorture()
		err := cmd.ParseFlags(strings.Fields(e[1]))
		names, _ := cmd.Flags().GetStringSlice("impl")
		if subjects, unknown := subjectsNamed(names); errors.Join(err, unknown) != nil || len(subjects) != len(names) {
			t.Errorf("%s: %v, %d subjects of %d names", e[0], errors.Join(err, unknown), len(subjects), len(names))
		}
	}
}
