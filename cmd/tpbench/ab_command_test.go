package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/harness"
)

// onePackage is what go test -bench -count 3 prints.
const onePackage = `goos: linux
pkg: example.com/m/lib
BenchmarkEncode/size=1-8   	     100	      30.5 ns/op	  16 B/op	       1 allocs/op
BenchmarkEncode/size=1-8   	     200	      10 ns/op	  16 B/op	       1 allocs/op
BenchmarkEncode/size=1-8   	     300	      20 ns/op	  17 B/op	       1 allocs/op
BenchmarkDecode-8   	       1	 123456789012 ns/op	  0.001 MB/s
BenchmarkDecode-8   	       2	 123456789013 ns/op	  0.003 MB/s
PASS
ok  	example.com/m/lib	3.2s
`

const twoPackages = onePackage + `pkg: example.com/m
BenchmarkEncode/size=1-8   	       5	      7 ns/op
BenchmarkPlain	       5	      7 ns/op
`

// If this fails, a sample of a foreign command has another value, unit or name than the command
// printed, or samples of two packages have one name.
func TestReadCommand(t *testing.T) {
	at := time.Date(2026, 11, 21, 15, 4, 5, 678e6, time.UTC)
	const first = `# sample at 2026-11-21T15:04:05.678Z tried 3 kept 3 shared 0
BenchmarkEncode/size=1-8 600 20 ns/op 16 B/op 1 allocs/op
# sample at 2026-11-21T15:04:05.678Z tried 2 kept 2 shared 0
BenchmarkDecode-8 3 123456789012.5 ns/op 0.002 MB/s
`
	withPackage := strings.NewReplacer("size=1-8", "size=1/pkg=example.com:m:lib-8", "Decode-8", "Decode/pkg=example.com:m:lib-8").Replace(first)
	const second = `# sample at 2026-11-21T15:04:05.678Z tried 1 kept 1 shared 0
BenchmarkEncode/size=1/pkg=example.com:m-8 5 7 ns/op
# sample at 2026-11-21T15:04:05.678Z tried 1 kept 1 shared 0
BenchmarkPlain/pkg=example.com:m 5 7 ns/op
`
	for _, c := range []struct {
		what, text string
		packages   int
		want       string
	}{
		{"one package", onePackage, 1, first},
		{"two packages", twoPackages, 2, withPackage + second},
		{"no package", "BenchmarkX 1 2 ns/op\n", 1, "# sample at 2026-11-21T15:04:05.678Z tried 1 kept 1 shared 0\nBenchmarkX 1 2 ns/op\n"},
		{"no benchmark", "PASS\n", 0, ""},
	} {
		out := readCommand(strings.NewReader(c.text))
		var got strings.Builder
		if err := out.write(&got, at, out.packages > 1, out.names(out.packages > 1)); err != nil {
			t.Error(err)
		}
		if out.packages != c.packages || got.String() != c.want || out.problems != nil {
			t.Errorf("%s: %d packages, problems %q, and\n%s\nwant %d and\n%s", c.what, out.packages, out.problems, &got, c.packages, c.want)
		}
	}
	out := readCommand(strings.NewReader("BenchmarkX some text 100 2 ns/op\nBenchmarkY 1 2 ns/op\nBenchmarkZ\n"))
	if len(out.benchmarks) != 1 || len(out.problems) != 1 || !strings.Contains(out.problems[0], "standard output:1: parsing iteration count") {
		t.Errorf("a broken line: %d benchmarks, %q", len(out.benchmarks), out.problems)
	}
}

// print returns a command that prints a text.
func print(t *testing.T, text string) string {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return "cat '" + file + "'"
}

// If this fails, ab compares benchmarks that only one command has, or mixes those of two packages.
func TestLearnCommands(t *testing.T) {
	other := print(t, "pkg: example.com/m/lib\nBenchmarkDecode-8 1 2 ns/op\nBenchmarkNew-8 1 2 ns/op\nBenchmarkBad text 1 2 ns/op\n")
	check := func(l *learned, err error, packages bool, both, onlyA, onlyB string, problems int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got := []string{strings.Join(l.both, " "), strings.Join(l.onlyA, " "), strings.Join(l.onlyB, " ")}
		if want := []string{both, onlyA, onlyB}; !slices.Equal(got, want) || l.packages != packages || len(l.problems) != problems {
			t.Errorf("learned %q, packages %v, %q; want %q, %v, %d problems", got, l.packages, l.problems, want, packages, problems)
		}
	}
	l, err := learnCommands(t.Context(), print(t, onePackage), other)
	check(l, err, false, "Decode-8", "Encode/size=1-8", "New-8", 1)
	l, err = learnCommands(t.Context(), other, print(t, twoPackages))
	check(l, err, true, "Decode/pkg=example.com:m:lib-8", "New/pkg=example.com:m:lib-8",
		"Encode/size=1/pkg=example.com:m:lib-8 Encode/size=1/pkg=example.com:m-8 Plain/pkg=example.com:m", 1)
	l, err = learnCommands(t.Context(), other, other)
	check(l, err, false, "Decode-8 New-8", "", "", 1)
	again := filepath.Join(t.TempDir(), "runs")
	if _, err := learnCommands(t.Context(), "echo x >>"+again+"; "+other, "echo x >>"+again+"; "+other+" "); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(again); err != nil || string(text) != "x\nx\n" {
		t.Errorf("two commands left %q, %v; each has to run once", text, err)
	}
}

// If this fails, the user is not told how a command failed, or a failed command's figures count.
func TestRunCommandFails(t *testing.T) {
	good := print(t, onePackage)
	for command, want := range map[string]string{
		good + "; echo one >&2; echo two words >&2; exit 3": "failed, exit status 3: two words",
		good + "; exit 1":  "failed, exit status 1: ok  \texample.com/m/lib\t3.2s",
		"exit 4":           "failed, exit status 4: it printed nothing",
		"kill -TERM $$":    "failed, signal: terminated: it printed nothing",
		"nonesuch-command": "failed, exit status 127: ",
		"echo hello":       `command "echo hello" printed no benchmark line (expected the format of go test -bench)`,
	} {
		if _, err := runCommand(t.Context(), command); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != 1 {
			t.Errorf("%q: %v; want %q and exit code 1", command, err, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := runCommand(t.Context(), "true"); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Errorf("without sh: %v", err)
	}
}

// If this fails, Ctrl-C, or a command that hangs, leaves processes that disturb what is measured next.
func TestCommandWorkerEnds(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	const says = `trap "echo >$F.end; exit" INT; echo $$ >"$F.new"; mv "$F.new" "$F"; while :; do sleep 0.01; done`
	for _, c := range []struct {
		what, command string
		signal        os.Signal
		slow          bool
	}{
		{"an interruption", "sh -c '" + says + "'; true", os.Interrupt, false},
		{"SIGQUIT", "sh -c '" + says + "'; true", syscall.SIGQUIT, false},
		// A shell's background process ignores SIGINT.
		{"an interruption that a process ignores", "sh -c '" + says + "' & wait", os.Interrupt, true},
	} {
		if c.slow && testing.Short() {
			continue // it takes commandGrace
		}
		pidFile := filepath.Join(t.TempDir(), "pid")
		cmd := exec.Command("tpbench", "command-worker", "--", c.command)
		cmd.Env = append(os.Environ(), "F="+pidFile)
		harness.Isolate(cmd)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := awaitFile(t, pidFile)
		if err := cmd.Process.Signal(c.signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // its error is the exit code's:
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("%s: exit code %d (%v), want 130", c.what, code, cmd.ProcessState)
		}
		if _, err := os.Stat(pidFile + ".end"); (err != nil) != c.slow {
			t.Errorf("%s: a process of the command has ended by itself: %v, want %v", c.what, err == nil, !c.slow)
		}
		if stillRuns(t, pid) {
			t.Errorf("%s: a process of the command still runs", c.what)
		}
	}
}

// awaitFile returns the text of a file that another process makes.
func awaitFile(t *testing.T, name string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(name)
		if err == nil {
			return strings.TrimSpace(string(text))
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// stillRuns reports whether a process that was killed, which takes a moment, runs on.
func stillRuns(t *testing.T, pid string) bool {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return false
		}
	}
	return true
}

// If this fails, an interrupted learning run is taken for one that failed.
func TestLearnInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := learnCommands(ctx, "sleep 1000", "true"); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted command: %v", err)
	}
}
