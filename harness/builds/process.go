package builds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// An InputError says that what was named does not exist: no repository, no module, no such commit.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

// A MissingError says that a program that this package runs is not installed.
type MissingError struct {
	Tool string // git or go
	Err  error  // wraps exec.ErrNotFound
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("builds: %s cannot be started (%v); install it, or add its directory to PATH", e.Tool, e.Err)
}

func (e *MissingError) Unwrap() error { return e.Err }

// A childError says that a child process failed.
type childError struct {
	state  error  // as in "exit status 1"
	stderr string // what it printed
}

func (e *childError) Error() string { return fmt.Sprintf("%v: %s", e.state, e.first(1)) }

func (e *childError) Unwrap() error { return e.state }

// first returns the first n lines that the process printed, in one line. The names of packages, which
// Go prints above their errors, do not count.
func (e *childError) first(n int) string {
	var lines []string
	for line := range strings.Lines(e.stderr) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "# ") {
			lines = append(lines, line)
		}
	}
	if more := len(lines) - n; more > 0 {
		lines = append(lines[:n], fmt.Sprintf("and %d more lines", more))
	}
	return strings.Join(lines, "; ")
}

// run runs a program in the directory and returns what it printed, without the last newline. When
// ctx is done it kills the program with all processes that this one has started, and returns ctx's error.
// Other errors are a *MissingError or a *childError.
func run(ctx context.Context, dir string, env []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	killTogether(cmd)
	cmd.WaitDelay = 5 * time.Second // for a process that has left the group and holds the output
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", &MissingError{program, err}
	case err != nil:
		return "", &childError{err, stderr.String()}
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// environ returns the environment without what a git hook has in it: another repository's place.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}, name)
	})
}

// git runs git in the directory. Its messages are in English.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	return run(ctx, dir, []string{"LC_ALL=C"}, "git", args...)
}
