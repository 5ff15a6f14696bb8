package docs

import (
	"bytes"
	"cmp"
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
	typed = regexp.MustCompile(`(?m)^    (?:(#) )?((?:go|bash|tpbench|\./tpbench) .*)$`)

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
		total += executeAll(t, filepath.Base(d), bin, string(text), commandsOf(string(text)))
	}
	if total < 20 {
		t.Errorf("the documents have %d commands; that is too few: the expressions that find them are wrong", total)
	}
	for _, help := range helps {
		executeAll(t, "help "+help.command, bin, "", append(help.before, helpCommands(t, bin, help.command)...))
	}
}

// helps are the commands with a help text, and what has to be typed before its examples, which read
// files that they do not write.
var helps = []struct {
	command string
	before  []command
}{
	{"", twoFiles},
	{"evidence", nil},
	{"run", nil},
	{"kernel", nil},
	{"compare", append([]command{{line: "tpbench run --bench Churn --impl naive-sync,batched --gp memb --rounds 1 -o churn.txt"}, twoKernels}, twoFiles...)},
	{"ab", []command{{line: "go test -c -o old.test ./results"}, {line: "go test -c -o new.test ./results"}}},
	{"selftest", nil},
	{"torture", nil},
	{"list", nil},
	{"doctor", nil},
}

// twoKernels makes a file of kernels: to measure one takes QEMU and images.
var twoKernels = command{line: `printf "tpbench: 2\\narms: a b\\n# block 0 round 0\\nBenchmarkX/arm=a 1 5 ns/op\\n# block 1 round 0\\nBenchmarkX/arm=b 1 6 ns/op\\n" >kernels.txt`}

var twoFiles = []command{
	{line: "tpbench run --bench ReadSide --gp memb --rounds 1 -o old.txt"},
	{line: "tpbench run --bench ReadSide --gp memb --rounds 1 -o new.txt"},
}

// helpCommands returns the examples of a help text. There is one at least.
func helpCommands(t *testing.T, bin, name string) (list []command) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "tpbench"), strings.Fields(name+" --help")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, examples, found := strings.Cut(string(out), "Examples:\n")
	examples, _, _ = strings.Cut(examples, "\nFlags:")
	for _, m := range example.FindAllStringSubmatch(examples, -1) {
		list = append(list, command{line: m[1]})
	}
	if !found || len(list) == 0 {
		t.Errorf("tpbench %s --help has no example", name)
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
func executeAll(t *testing.T, document, bin, text string, list []command) int {
	dir := t.TempDir()
	if slices.ContainsFunc(list, needsRepository) {
		if out, err := exec.Command("git", "rev-parse", "HEAD").CombinedOutput(); err != nil {
			t.Run(document, func(t *testing.T) { t.Skipf("it compares revisions, and this tree has none: %v: %s", err, out) })
			return len(list)
		}
		dir = repository(t, text)
	}
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

// needsRepository reports whether a command only works in a checked-out tree of this repository.
func needsRepository(c command) bool {
	return slices.ContainsFunc([]string{"git ", "go test -c ", "tpbench ab ", "go run ./cmd/tpbench ab ", "tpbench selftest HEAD"},
		func(p string) bool { return strings.HasPrefix(c.line, p) })
}

// diff is a change that a document shows.
var diff = regexp.MustCompile("(?s)```diff\n(.*?)```")

// repository returns a clone of this repository in a directory of its own: the last commit as the
// branch main, and on top of it the branch my-branch with the change that the document shows, or with an
// empty file of Go. It needs no other commit, so this repository may be a shallow clone. In a tree without
// any, such as an unpacked archive, documents that compare revisions are skipped.
func repository(t *testing.T, document string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tpbench")
	git := func(input string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir, cmd.Stdin = filepath.Dir(dir), strings.NewReader(input)
		if _, err := os.Stat(dir); err == nil {
			cmd.Dir = dir
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	git("", "clone", "-q", "--no-tags", top, dir)
	git("", "checkout", "-q", "-B", "main")
	git("", "checkout", "-q", "-b", "my-branch")
	if m := diff.FindStringSubmatch(document); m != nil {
		git(m[1], "apply", "-")
	} else if err := os.WriteFile(filepath.Join(dir, "cmd/tpbench/change.go"), []byte("package main\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	git("", "add", ".")
	git("", "commit", "-q", "-m", "a change")
	git("", "checkout", "-q", "main")
	return dir
}

// written finds the file that a comparison or a run writes.
var written = regexp.MustCompile(`^tpbench run .*-o (\S+)|^tpbench ab --cmd-a .*-o (\S+)`)

// hasSample reports whether a file has a sample that can be compared. One of torture has no time.
func hasSample(path string) bool {
	text, _ := os.ReadFile(path)
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("Benchmark")) && !bytes.HasPrefix(line, []byte("BenchmarkTorture/")) {
			return true
		}
	}
	return false
}

// noKernel is what a command says whose kernel, an image or a package, is not on this machine.
var noKernel = regexp.MustCompile(`(?m)^tpbench: open \S*(vmlinuz\S*|linux-\S*\.deb): no such file or directory$`)

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
	case strings.HasPrefix(line, "go test -c "):
		// It builds what a later command runs.
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
	cmd.WaitDelay = 4 * time.Minute // an operation on the kernel runs to its end, such as detaching 1,000 uprobes
	if file := written.FindStringSubmatch(line); strings.HasPrefix(strings.TrimPrefix(line, "./"), "tpbench") {
		interrupt := time.AfterFunc(patience, func() {
			// The next command may need a sample in the file.
			for file != nil && !hasSample(filepath.Join(dir, cmp.Or(file[1], file[2]))) && ctx.Err() == nil {
				time.Sleep(50 * time.Millisecond)
			}
			cancel()
		})
		defer interrupt.Stop()
	}
	err := cmd.Run()
	const decided, badInput, cannotRunHere, interrupted = 1, 2, 3, 130
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(line, "-list ") && !strings.Contains(out.String(), "Test"):
		t.Errorf("it names no test")
	case err == nil && strings.Contains(out.String(), "benchstat: "): // its errors leave the exit status 0
		t.Errorf("%s: %s", line, out.String())
	case err == nil, errors.Is(err, context.Canceled): // it ended well, just when it was interrupted
	case errors.As(err, &exit) && exit.ExitCode() == decided && strings.Contains(out.String(), "\ntpbench: the verdict is "):
	case errors.As(err, &exit) && exit.ExitCode() == badInput && noKernel.MatchString(out.String()):
		t.Skip(strings.TrimSpace(out.String())) // its flags were right
	case errors.As(err, &exit) && exit.ExitCode() == cannotRunHere:
		t.Skip(strings.TrimSpace(out.String()))
	case errors.As(err, &exit) && exit.ExitCode() == interrupted && ctx.Err() != nil:
	default:
		t.Errorf("%s: %v\n%s", line, err, out.String())
	}
}
