package docs

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A command is one line that a document tells its reader to type.
type command struct {
	line string
	root bool // it needs root: its prompt is #
}

var (
	// A line of a code block that begins with a program, or with # and a program: it needs root.
	typed = regexp.MustCompile(`(?m)^    (?:(#) )?((?:go|bash|tpbench) .*)$`)

	// A line that begins with the prompt $, whatever the program.
	prompt = regexp.MustCompile(`(?m)^ *\$ (.*)$`)

	// A code span that begins with a program and has at least one word more.
	span = regexp.MustCompile("`((?:go (?:run|test|tool) |bash \\.ci/run|tpbench )[^`]*)`")

	// An example of a help text; what it does stands two spaces behind it.
	example = regexp.MustCompile(`(?m)^  (tpbench(?: \S+)*)(?:  .*)?$`)
)

// commandsOf returns the commands of a document, each once, in order.
func commandsOf(text string) []command {
	var list []command
	add := func(c command) {
		c.line, _, _ = strings.Cut(c.line, "  #")
		c.line = strings.TrimSpace(c.line)
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	for _, m := range typed.FindAllStringSubmatch(text, -1) {
		add(command{m[2], m[1] == "#"})
	}
	for _, m := range prompt.FindAllStringSubmatch(text, -1) {
		add(command{m[1], false})
	}
	for _, m := range span.FindAllStringSubmatch(text, -1) {
		add(command{strings.Join(strings.Fields(m[1]), " "), false}) // a paragraph may break it
	}
	return list
}

// If this fails, a reader who types what a document or a help text says gets an error. Every
// command is executed as it stands, in order, in one directory for each document; one that
// measures for longer than a moment is interrupted, as a reader may do with Ctrl-C.
// Those of CONTRIBUTING.md need the strategy that it adds: see TestThrowaway.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("it executes every command of the documents, for about a minute")
	}
	bin := programs(t)
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, d := range append(documents, "../README.md", "../ARCHITECTURE.md", "../results/data/README.md") {
		text, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		total += executeAll(t, filepath.Base(d), bin, commandsOf(string(text)))
	}
	if total < 20 {
		t.Errorf("the documents have %d commands; that is too few: the expressions that find them are wrong", total)
	}
	executeAll(t, "help", bin, helpCommands(t, bin))
}

// helpCommands returns the examples of the help texts. Each command has one at least.
func helpCommands(t *testing.T, bin string) (list []command) {
	t.Helper()
	// compare is first: its examples write the files that the root's example compares.
	for _, name := range []string{"compare", "", "evidence", "run", "torture", "list", "doctor"} {
		out, err := exec.Command(filepath.Join(bin, "tpbench"), strings.Fields(name+" --help")...).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, examples, found := strings.Cut(string(out), "Examples:\n")
		examples, _, _ = strings.Cut(examples, "\nFlags:")
		before := len(list)
		for _, m := range example.FindAllStringSubmatch(examples, -1) {
			list = append(list, command{line: m[1]})
		}
		if !found || len(list) == before {
			t.Errorf("tpbench %s --help has no example", name)
		}
	}
	return list
}

// programs builds tpbench with some flags of go build, finds benchstat, and returns the
// directory that has both.
func programs(t *testing.T, flags ...string) string {
	t.Helper()
	bin := t.TempDir()
	args := append([]string{"build", "-o", filepath.Join(bin, "tpbench")}, flags...)
	build := exec.Command("go", append(args, "../cmd/tpbench")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path, err := exec.Command("go", "tool", "-n", "benchstat").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(strings.TrimSpace(string(path)), filepath.Join(bin, "benchstat")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// executeAll executes the commands of one document and returns how many there were.
func executeAll(t *testing.T, document, bin string, list []command) int {
	dir := t.TempDir()
	for _, c := range list {
		t.Run(document+"/"+c.line, func(t *testing.T) {
			if c.root && os.Getuid() != 0 {
				t.Skip("it needs root")
			}
			execute(t, dir, bin, c.line)
		})
	}
	return len(list)
}

// written finds the file that a run writes.
var written = regexp.MustCompile(`^tpbench run .*-o (\S+)`)

func hasSample(path string) bool {
	text, _ := os.ReadFile(path)
	return bytes.Contains(text, []byte("\nBenchmark"))
}

// execute executes one command and fails the test if a reader would see an error.
func execute(t *testing.T, dir, bin, line string) {
	line = strings.ReplaceAll(line, "go run ./cmd/tpbench", "tpbench")
	line = strings.ReplaceAll(line, "go tool benchstat", "benchstat")
	switch {
	case strings.HasPrefix(line, "bash .ci/run"):
		// It calls this test.
		if tier := strings.TrimPrefix(line, "bash .ci/run"); tier != "" && tier != " quick" {
			t.Errorf("%s: .ci/run has no tier%s", line, tier)
		}
		line, dir = "bash -n .ci/run", ".."
	case strings.HasPrefix(line, "go test"):
		// Here only the names: the tests themselves run where this one does.
		if strings.Contains(line, "-tags ") && !strings.Contains(line, "-tags steps ") {
			t.Errorf("%s: steps is the only tag", line)
		}
		line, dir = strings.Replace(line, "-run ", "-list ", 1), ".."
		if !strings.Contains(line, "-list ") {
			line = strings.Replace(line, "go test", "go test -list '^Test'", 1)
		}
	}
	const patience = time.Second
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	if file := written.FindStringSubmatch(line); strings.HasPrefix(line, "tpbench") {
		interrupt := time.AfterFunc(patience, func() {
			// The next command may need a sample in the file.
			for file != nil && !hasSample(filepath.Join(dir, file[1])) && ctx.Err() == nil {
				time.Sleep(50 * time.Millisecond)
			}
			cancel()
		})
		defer interrupt.Stop()
	}
	err := cmd.Run()
	const cannotRunHere, interrupted = 3, 130
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(line, "-list ") && !strings.Contains(out.String(), "Test"):
		t.Errorf("it names no test")
	case err == nil && strings.Contains(out.String(), "benchstat: "): // its errors leave the exit status 0
		t.Errorf("%s: %s", line, out.String())
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() == cannotRunHere:
		t.Skip(strings.TrimSpace(out.String()))
	case errors.As(err, &exit) && exit.ExitCode() == interrupted && ctx.Err() != nil:
	default:
		t.Errorf("%s: %v\n%s", line, err, out.String())
	}
}
