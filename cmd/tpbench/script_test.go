package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// usualPath is the PATH before testscript puts the scripts' own programs first, such as the fake QEMU.
var usualPath = os.Getenv("PATH")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tpbench":            func() { host.Hold("rcu-expedited", "0"); main() },
		"qemu-system-x86_64": fakeQEMU,
		"mdwe":               func() { deprive(denyWriteExecute) },
		"nomembarrier":       func() { deprive(denyMembarrier) },
	})
}

// If this fails, the command behaves differently from one of the scripts. Scripts whose name
// begins with measure really measure, so they need a machine that can.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":   await,
			"code":    code,
			"cut":     cut,
			"image":   fakeImage,
			"replace": replace,
			"shoot":   shoot,
			"try":     try,
		},
		Setup: func(env *testscript.Env) error {
			// Scripts build small programs. Compiled packages of Go are taken from the usual cache.
			for _, name := range []string{"GOCACHE", "GOFLAGS"} {
				value, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				env.Setenv(name, strings.TrimSpace(string(value)))
			}
			tiny, err := filepath.Abs("testdata/tiny")
			if err != nil {
				return err
			}
			env.Setenv("TINY", tiny)
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			env.Setenv("TPBENCH_IMAGE", os.Getenv("TPBENCH_IMAGE"))
			env.Setenv("USUAL_PATH", usualPath)
			for _, by := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+by+"_NAME", "a test")
				env.Setenv("GIT_"+by+"_EMAIL", "test@example.com")
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "measures":
				return measures() == nil, nil
			case "image": // TPBENCH_IMAGE names a kernel to boot, and QEMU is here
				_, err := guest.Emulator()
				return os.Getenv("TPBENCH_IMAGE") != "" && err == nil, nil
			case "twocpus":
				return runtime.NumCPU() >= 2, nil
			}
			return false, errors.New("unknown condition " + cond)
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// must ends the test if a step of it failed that is not what it tests.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// measures returns an error if this machine lacks something that most benchmarks need.
func measures() error {
	if err := dispatch.Open(); err != nil {
		return err
	}
	for _, v := range rcu.Variants() {
		if err := v.Supported(); err != nil {
			return err
		}
	}
	return nil
}

// If this fails, scripts that measure skip on a machine that TPBENCH_REQUIRE says can run them.
func TestMachineMeasures(t *testing.T) {
	if err := measures(); err != nil {
		if strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "tpbench") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// code N COMMAND ARGS...: the command exits with that code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = strings.TrimPrefix(exit.String(), "exit status ")
	} else {
		ts.Check(err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, expected %s", got, args[0])
	}
}

// try COMMAND ARGS...: runs the command, with any exit code.
func try(ts *testscript.TestScript, _ bool, args []string) {
	if err := ts.Exec(args[0], args[1:]...); err != nil {
		ts.Logf("%v", err)
	}
}

// await FILE REGEXP: waits until the file has a match, for at most a minute.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1])
	for range 600 {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(text) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s never matched %s", args[0], args[1])
}

// shoot CASE: waits for the script's worker that measures a case and kills it.
func shoot(ts *testscript.TestScript, _ bool, args []string) {
	for range 6000 {
		processes, _ := filepath.Glob("/proc/[0-9]*")
		for _, process := range processes {
			text, _ := os.ReadFile(filepath.Join(process, "cmdline"))
			dir, _ := os.Readlink(filepath.Join(process, "cwd")) // not another run's
			if words := strings.Split(string(text), "\x00"); len(words) > 2 && words[1] == "worker" && slices.Contains(words, args[0]) && dir == ts.MkAbs(".") {
				pid, _ := strconv.Atoi(filepath.Base(process))
				worker, err := os.FindProcess(pid)
				ts.Check(err)
				ts.Check(worker.Kill())
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("no worker measures %s", args[0])
}

// replace OLD NEW FILE: replaces a text that the file has once.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[2])
	text, err := os.ReadFile(path)
	ts.Check(err)
	if n := strings.Count(string(text), args[0]); n != 1 {
		ts.Fatalf("%q is %d times in %s", args[0], n, args[2])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(text), args[0], args[1], 1)), 0o666))
}

// cut FILE TEXT: cuts the file off before the last occurrence of text, as a killed run leaves it.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	at := strings.LastIndex(string(text), args[1])
	if at < 0 {
		ts.Fatalf("no %q in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(path, text[:at], 0o666))
}

// If this fails, the README's benchstat command makes a table for each run, because it does
// not ignore the configuration lines that differ from run to run.
func TestBenchstatIgnores(t *testing.T) {
	differ := []string{"commit", "binary", "load", "steal", "date", "seed", "tsc", "command"}
	text, err := os.ReadFile("../../docs/compare.md")
	must(t, err)
	if want := "benchstat -ignore " + strings.Join(differ, ",") + " old.txt new.txt"; !strings.Contains(string(text), want) {
		t.Errorf("docs/compare.md does not say %q", want)
	}
	for _, key := range differ[:5] { // the last two are no facts of the host
		if !slices.ContainsFunc(host.Facts(), func(f host.Fact) bool { return f.Key == key }) {
			t.Errorf("no fact is called %s", key)
		}
	}
}

// If this fails, the benchstat command cannot read a recorded result file.
func TestBenchstatReads(t *testing.T) {
	files, err := filepath.Glob("../../results/data/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded results: %v", err)
	}
	for _, f := range files {
		out, err := exec.Command("go", "tool", "benchstat", f).CombinedOutput()
		if err != nil {
			t.Fatalf("benchstat %s: %v\n%s", f, err, out)
		}
		for _, complaint := range []string{"syntax", "parsing", "error", "missing"} {
			if strings.Contains(string(out), complaint) {
				t.Errorf("benchstat %s prints %q:\n%s", f, complaint, out)
			}
		}
		if !strings.Contains(string(out), "sec/op") {
			t.Errorf("benchstat %s shows no times:\n%s", f, out)
		}
	}
}
