package builds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// If this fails, ab measures another program than the revision's, or one program in place of several
// layouts, or changes the user's repository.
func TestBuild(t *testing.T) {
	dir := repository(t, module)
	module.with(t, "lib/lib.go", "good morning", "good evening").write(t, dir)
	commit(t, dir)
	do(t, dir, "tag", "evening")
	module.with(t, "lib/lib.go", "good morning", "good night").write(t, dir)
	files{"lib/more.go": "package lib\n\nfunc init() { Start++ }\n", "lib/ignored.go": "package lib\n\nfunc broken( {\n"}.write(t, dir)
	before := do(t, dir, "status", "--porcelain") + do(t, dir, "worktree", "list") + do(t, dir, "for-each-ref")

	into := filepath.Join(t.TempDir(), "new", "directory")
	seeds := []uint64{0, 1<<63 - 1}
	var all []string
	for name, want := range map[string]string{
		"HEAD~1": "good morning 6 3 2 48 79 5", "evening": "good evening 6 3 2 48 79 5",
		".": "good night 6 3 2 49 79 5",
	} {
		var steps []string
		r := resolve(t, filepath.Join(dir, "lib"), name)
		programs, err := r.Build(t.Context(), "./cmd/prog", into, seeds, func(done, total int, what string) {
			steps = append(steps, fmt.Sprint(done, " of ", total, ": ", what))
		})
		if err != nil {
			t.Fatal(err)
		}
		if w := []string{fmt.Sprintf("0 of 2: build 1 of 2 of %v", r), fmt.Sprintf("1 of 2: build 2 of 2 of %v", r)}; !slices.Equal(steps, w) {
			t.Errorf("progress was %q, want %q", steps, w)
		}
		if len(programs) != len(seeds) {
			t.Fatalf("%s has %d programs, want %d", name, len(programs), len(seeds))
		}
		for _, p := range programs {
			if out, err := exec.Command(p).CombinedOutput(); err != nil || strings.Join(slices.Delete(strings.Fields(string(out)), 5, 7), " ") != want {
				t.Errorf("the program of %s printed %q, %v; want %q", name, out, err, want)
			}
			all = append(all, p)
		}
		if same, why, err := compare(programs[0], programs[1]); same || err != nil {
			t.Errorf("two seeds gave one layout: %q, %v", why, err)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 6 {
		t.Errorf("programs of several revisions or seeds have one name: %q", all)
	}
	if after := do(t, dir, "status", "--porcelain") + do(t, dir, "worktree", "list") + do(t, dir, "for-each-ref"); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
	if left := leftover(t); left != nil {
		t.Errorf("Build left %v", left)
	}
}

// If this fails, a resumed run builds again what it has, or measures a program that another
// tree, another environment or a broken copy gave.
func TestBuildKeeps(t *testing.T) {
	dir, into := repository(t, module), t.TempDir()
	build := func(name string) (string, os.FileInfo) {
		t.Helper()
		programs, err := resolve(t, dir, name).Build(t.Context(), "./cmd/prog", into, []uint64{5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(programs[0])
		if err != nil {
			t.Fatal(err)
		}
		return programs[0], info
	}
	first, info := build("HEAD")
	if again, same := build("trunk"); again != first || !os.SameFile(info, same) {
		t.Error("a program that is there was built again")
	}
	sum, err := hashFile(first)
	if err != nil {
		t.Fatal(err)
	}
	broken := func(what string, breakIt func() error) {
		t.Helper()
		if err := breakIt(); err != nil {
			t.Fatal(err)
		}
		again, _ := build("HEAD")
		if now, err := hashFile(again); again != first || now != sum {
			t.Errorf("after %s the program has hash %s, want %s; %v", what, now, sum, err)
		}
	}
	broken("a change", func() error { return os.WriteFile(first, []byte("broken"), 0o777) })
	broken("a removal", func() error { return os.Remove(first) })
	broken("a loss of the hash", func() error { return os.Remove(first + sumSuffix) })
	broken("a change of the hash", func() error { return os.WriteFile(first+sumSuffix, []byte("0\n"), 0o666) })

	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -tags=another")
	if other, _ := build("HEAD"); other == first {
		t.Error("the environment has changed, and the program of the old one was taken")
	}
	module.with(t, "lib/lib.go", "= 41", "= 40").write(t, dir)
	if other, _ := build("."); other == first {
		t.Error("the working tree has changed, and the program of the commit was taken")
	}
}

// If this fails, what cannot be built is not said in one sentence, or is not of the type from which
// the exit code follows.
func TestBuildErrors(t *testing.T) {
	dir := repository(t, module)
	module.with(t, "lib/lib.go", "t := &T", "var unused int\n\tt = &T").write(t, dir)
	commit(t, dir)
	plain := t.TempDir()
	noModule := repository(t, files{"README": "nothing\n"})
	attempt := func(dir, name, pkg string) error {
		r, err := Resolve(t.Context(), dir, name)
		if err != nil {
			return err
		}
		_, err = r.Build(t.Context(), pkg, t.TempDir(), []uint64{1}, nil)
		return err
	}
	input := func(err error) bool { _, ok := errors.AsType[*InputError](err); return ok }
	compiler := func(err error) bool { _, ok := errors.AsType[*BuildError](err); return ok }
	for _, c := range []struct {
		dir, name, pkg string
		is             func(error) bool
		want           []string
	}{
		{dir, "nonesuch", "./cmd/prog", input, []string{`"nonesuch" is no commit of the repository ` + dir, "git: fatal: Needed a single revision", `"." for the working tree`}},
		{dir, "HEAD~1..HEAD", "./cmd/prog", input, []string{`"HEAD~1..HEAD" is no commit`}},
		{dir, "--all", "./cmd/prog", input, []string{`"--all" is no commit`}},
		{dir, "", "./cmd/prog", input, []string{`"" is no commit`}},
		{dir, "HEAD:lib", "./cmd/prog", input, []string{`"HEAD:lib" is no commit`}},
		{plain, "HEAD", "./cmd/prog", input, []string{plain + " is in no working tree of a git repository", "git: fatal: not a git repository"}},
		{noModule, "HEAD", "./cmd/prog", input, []string{noModule, "module"}},
		{dir, "HEAD", "./cmd/prog", compiler, []string{"does not build, exit status 1: lib/lib.go:", "declared and not used: unused", "undefined: t"}},
		{dir, ".", "./cmd/prog", compiler, []string{"the working tree (", "does not build, exit status 1: lib/lib.go:"}},
		{dir, "HEAD", "./cmd/nonesuch", compiler, []string{"does not build, exit status 1: ", "cmd/nonesuch"}},
	} {
		err := attempt(c.dir, c.name, c.pkg)
		if !c.is(err) {
			t.Errorf("%q: an error of type %T: %v", c.name, err, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %q has no %q", c.name, err, w)
			}
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), tempPrefix) {
			t.Errorf("%q: %q has several lines, or names a temporary file", c.name, err)
		}
	}
	for _, seed := range []uint64{1 << 63, 1<<64 - 1} {
		if _, err := resolve(t, dir, "HEAD~1").Build(t.Context(), "./cmd/prog", t.TempDir(), []uint64{seed}, nil); err == nil {
			t.Errorf("seed %d was accepted", seed)
		}
	}
	if left := leftover(t); left != nil {
		t.Errorf("failed builds left %v", left)
	}
}

// If this fails, a machine without git or go gets another sentence than that, or another exit code.
func TestMissingTools(t *testing.T) {
	dir := repository(t, module)
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip(err)
	}
	tools := t.TempDir()
	t.Setenv("PATH", tools)
	missing := func(tool string) {
		t.Helper()
		_, err := Resolve(t.Context(), dir, "HEAD")
		e, ok := errors.AsType[*MissingError](err)
		if !ok || e.Tool != tool || !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("without %s: %v", tool, err)
		}
	}
	missing("git")
	if err := os.Symlink(path, filepath.Join(tools, "git")); err != nil {
		t.Fatal(err)
	}
	missing("go")
}

// If this fails, a build goes on with other files than those that Resolve saw, so that
// a resumed run mixes programs of two trees.
func TestWorkingTreeChanges(t *testing.T) {
	dir := repository(t, module)
	r := resolve(t, dir, ".")
	module.with(t, "lib/lib.go", "= 41", "= 40").write(t, dir)
	_, err := r.Build(t.Context(), "./cmd/prog", t.TempDir(), []uint64{1}, nil)
	if _, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), "have changed since this run began") {
		t.Errorf("Build of a tree that has changed: %v", err)
	}
}

// If this fails, Ctrl-C leaves processes of the build, its files, or a program that is not whole.
func TestBuildInterrupted(t *testing.T) {
	dir, into := repository(t, module), t.TempDir()
	// This go starts another process, says so, and waits for it.
	tools := t.TempDir()
	started := filepath.Join(tools, "started")
	real, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = build ] || exec %s \"$@\"\nsleep 1000 &\necho $! >%s.new\nmv %s.new %s\nwait\n", real, started, started, started)
	if err := os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(started); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, err = resolve(t, dir, "HEAD").Build(ctx, "./cmd/prog", into, []uint64{1}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted build: %v", err)
	}
	pid, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	// A killed process may stay for a moment, until it is reaped.
	stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(text), ") Z ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a process of the build still runs: %s", text)
		}
	}
	if files, _ := os.ReadDir(into); len(files) > 0 || leftover(t) != nil {
		t.Errorf("an interrupted build left %v and %v", files, leftover(t))
	}
}

// If this fails, the files of a killed run stay for ever, or those of a run that goes on are removed.
func TestSweep(t *testing.T) {
	dir := repository(t, module)
	used, err := resolve(t, dir, "HEAD").checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	killed, err := resolve(t, dir, "HEAD").checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(os.TempDir(), tempPrefix+"foreign") // it has no lock
	if err := os.Mkdir(foreign, 0o777); err != nil {
		t.Fatal(err)
	}
	_ = killed.lock.Close() // as the end of the process does
	resolve(t, dir, "HEAD")
	if left := leftover(t); !slices.Equal(left, slices.Sorted(slices.Values([]string{used.dir, foreign}))) {
		t.Errorf("there is %v; want %s, which is used, and %s", left, used.dir, foreign)
	}
	if err := used.remove(); err != nil {
		t.Error(err)
	}
}

// If this fails, a program that could not be linked after the first is measured, or its error is lost, or the links
// that run beside it are waited for in vain.
func TestBuildFailsLater(t *testing.T) {
	dir, tools := repository(t, module), t.TempDir()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *randlayout=3*) echo no space >&2; exit 1;; *randlayout=4*) sleep 1000 & wait;; esac\nexec %s \"$@\"\n", real)
	if err := os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	programs, err := resolve(t, dir, "HEAD").Build(t.Context(), "./cmd/prog", t.TempDir(), []uint64{1, 2, 4, 3, 5}, nil)
	if _, ok := errors.AsType[*BuildError](err); !ok || programs != nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("got %q, %v; want no program and the linker's error", programs, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	_, err = resolve(t, dir, "HEAD").Build(ctx, "./cmd/prog", t.TempDir(), []uint64{1, 2, 5}, func(begun, _ int, _ string) {
		if begun == 1 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted after the first program: %v", err)
	}
}
