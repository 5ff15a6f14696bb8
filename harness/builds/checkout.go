package builds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tempPrefix begins the names of this package's temporary directories.
const tempPrefix = "tpbench-build-"

// A checkout is a temporary directory with a revision's files in tree.
type checkout struct {
	revision *Revision
	dir      string
	lock     *os.File
}

// checkout writes the revision's files into a temporary directory. The caller calls remove.
func (r *Revision) checkout(ctx context.Context) (*checkout, error) {
	dir, err := os.MkdirTemp("", tempPrefix+"*")
	if err != nil {
		return nil, err
	}
	c := &checkout{revision: r, dir: dir}
	if err := c.fill(ctx); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *checkout) tree() string { return filepath.Join(c.dir, "tree") }

func (c *checkout) fill(ctx context.Context) error {
	// The file gets its name when it is locked: sweep finds no free lock of a checkout that is used.
	held, err := os.Create(lockIn(c.dir) + ".new")
	if err != nil {
		return err
	}
	c.lock = held
	lock(held)
	if err := os.Rename(held.Name(), lockIn(c.dir)); err != nil {
		return err
	}
	for _, d := range []string{c.tree(), c.goTemp()} {
		if err := os.Mkdir(d, 0o777); err != nil {
			return err
		}
	}
	if c.revision.Name == WorkingTree {
		return c.copyWorkingTree(ctx)
	}
	// git writes the files from an index of its own. A git worktree would be an entry in the
	// repository that a kill leaves there, and would run hooks.
	index := []string{"LC_ALL=C", "GIT_INDEX_FILE=" + filepath.Join(c.dir, "index")}
	for _, args := range [][]string{
		{"-c", "core.sparseCheckout=false", "read-tree", c.revision.Commit},
		{"checkout-index", "--all", "--quiet", "--prefix=" + filepath.ToSlash(c.tree()) + "/"},
	} {
		if _, err := run(ctx, c.revision.top, index, "git", args...); err != nil {
			return fmt.Errorf("builds: checking out %v: %w", c.revision, err)
		}
	}
	return nil
}

// goTemp is where go build has its temporary files: it leaves them when it is killed.
func (c *checkout) goTemp() string { return filepath.Join(c.dir, "go") }

func (c *checkout) copyWorkingTree(ctx context.Context) error {
	r := c.revision
	files, err := workingFiles(ctx, r.top)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := copyFile(filepath.Join(c.tree(), name), filepath.Join(r.top, name)); err != nil {
			return err
		}
	}
	tree, err := hashFiles(c.tree(), files)
	if err != nil {
		return err
	}
	if tree != r.Tree {
		return &InputError{fmt.Sprintf("the files of the working tree %s have changed since this run began; leave them as they are until it ends, or commit them and name the commit", r.top)}
	}
	return nil
}

// copyFile copies a file or a symbolic link.
func copyFile(to, from string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600|info.Mode()&0o100)
}

func (c *checkout) remove() error {
	err := os.RemoveAll(c.dir)
	if c.lock != nil {
		err = errors.Join(err, c.lock.Close())
	}
	return err
}

func lockIn(dir string) string { return filepath.Join(dir, "lock") }

// sweep removes the temporary directories of processes that were killed: those whose lock is free. What it
// cannot remove stays: it is another user's, or of no harm.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*")) // the pattern is well formed
	for _, dir := range dirs {
		f, err := os.OpenFile(lockIn(dir), os.O_RDWR, 0)
		if err != nil {
			continue // another user's, or just being made
		}
		if lock(f) {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}
