package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/kernel"
)

// If this fails, a command that needs no /proc or /sys fails without it, or one that needs it
// ends with another exit code than 3.
func TestWithoutProc(t *testing.T) {
	dir := t.TempDir()
	hide := func(mount string, args ...string) *exec.Cmd {
		script := `mount --bind "$1" "$2" && shift 2 && exec "$@"`
		cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh", t.TempDir(), mount}, args...)...)
		cmd.Dir = dir
		return cmd
	}
	if out, err := hide("/proc", "true").CombinedOutput(); err != nil {
		t.Skipf("/proc cannot be hidden: %v: %s", err, out)
	}
	result := "tpbench: 2\n# block 0 round 0\nBenchmarkA 1 1 ns/op\n# end complete\n"
	must(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte(result), 0o666))
	for _, tc := range []struct {
		mount, args string
		code        int
		said        string // part of
	}{
		{"/proc", "list", 0, ""},
		{"/proc", "doctor", 0, ""},
		{"/proc", "compare a.txt a.txt", 0, ""},
		{"/proc", "compare /proc/none a.txt", 2, "open /proc/none"},
		{"/proc", "run --bench ReadSide --gp memb --rounds 1 -o x.txt", 3, "mount -t proc proc /proc"},
		{"/proc", "run --bench Dispatch --rounds 1 -o y.txt", 3, "mount -t proc proc /proc"},
		{"/proc", "evidence --events 10 --out e", 3, "mount -t proc proc /proc"},
		{"/proc", "torture --impl memb --for 1s", 3, "mount -t proc proc /proc"},
		{"/sys", "list", 0, ""},
		{"/sys", "compare a.txt a.txt", 0, ""},
	} {
		cmd := hide(tc.mount, append([]string{"tpbench"}, strings.Fields(tc.args)...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if err != nil && !is[*exec.ExitError](err) {
			t.Fatal(err)
		}
		said := strings.TrimSpace(stderr.String())
		last := said[strings.LastIndex(said, "\n")+1:]
		// The error may be another one on a machine that cannot patch text or measure.
		if code := cmd.ProcessState.ExitCode(); code != tc.code || !strings.Contains(last, tc.said) && measures() == nil {
			t.Errorf("without %s, %s: exit code %d, %q, expected %d, ...%s...", tc.mount, tc.args, code, last, tc.code, tc.said)
		}
	}
}

// If this fails, a command leaves the tracing instance of a killed run in the running kernel.
func TestSweepReal(t *testing.T) {
	if err := kernel.Check(); err != nil {
		if strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "kernel") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	gone := exec.Command("true")
	must(t, gone.Run())
	// Another process may have its pid now, but only the first process started at 1.
	left := filepath.Join("/sys/kernel/tracing/instances", "tpbench-"+strconv.Itoa(gone.Process.Pid)+"-1")
	must(t, os.Mkdir(left, 0o700))
	defer os.Remove(left) // if the test fails
	out, err := exec.Command("tpbench", "list").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there after list: %v", left, err)
	}
}
