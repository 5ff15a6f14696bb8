package builds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WorkingTree is the name of the working tree as it is, which Resolve takes in place of a commit's.
const WorkingTree = "."

// A Revision is one state of a repository's files.
type Revision struct {
	Name   string // as it was given to Resolve
	Commit string // full hash; of a working tree: of the commit that is checked out in it
	Tree   string // a hash of all files; "" is none

	top    string // the repository's directory
	module string // the module's directory, relative to top
}

// String names the revision in a sentence: "HEAD~1 (6ff7415)", or "the working tree (6ff7415 and
// what is not committed)".
func (r *Revision) String() string {
	const short = 7
	commit := r.Commit[:min(short, len(r.Commit))]
	if r.Name == WorkingTree {
		return fmt.Sprintf("the working tree (%s and what is not committed)", commit)
	}
	if strings.HasPrefix(r.Commit, r.Name) {
		return commit
	}
	return fmt.Sprintf("%s (%s)", r.Name, commit)
}

// Resolve finds a revision of the repository and the module that dir is in: a commit's hash, a tag, a
// branch, HEAD~1; or WorkingTree. It removes what killed processes of this package left in the
// directory of temporary files. Errors are an *InputError if there is no such thing, a
// *MissingError without git or go, ctx's error, or an error of reading the working tree.
func Resolve(ctx context.Context, dir, name string) (*Revision, error) {
	sweep()
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if child, ok := errors.AsType[*childError](err); ok {
		return nil, &InputError{fmt.Sprintf("%s is in no working tree of a git repository (git: %s)", where(dir), child.first(1))}
	}
	if err != nil {
		return nil, err
	}
	r := &Revision{Name: name, top: filepath.FromSlash(top)}
	if r.module, err = moduleIn(ctx, r.top, dir); err != nil {
		return nil, err
	}
	commit := name
	if name == WorkingTree {
		commit = "HEAD"
	}
	r.Commit, err = git(ctx, dir, "rev-parse", "--verify", "--end-of-options", commit+"^{commit}")
	if child, ok := errors.AsType[*childError](err); ok {
		return nil, &InputError{fmt.Sprintf("%q is no commit of the repository %s (git: %s); expected a commit, tag or branch, or %q for the working tree",
			name, r.top, child.first(1), WorkingTree)}
	}
	if err != nil {
		return nil, err
	}
	if name != WorkingTree {
		r.Tree, err = git(ctx, dir, "rev-parse", r.Commit+"^{tree}")
		return r, err
	}
	files, err := workingFiles(ctx, r.top)
	if err != nil {
		return nil, err
	}
	r.Tree, err = hashFiles(r.top, files)
	return r, err
}

// where names a directory in a sentence.
func where(dir string) string {
	if path, err := filepath.Abs(dir); err == nil {
		return path
	}
	return dir
}

// moduleIn returns the directory, relative to top, of the module that dir is in.
func moduleIn(ctx context.Context, top, dir string) (string, error) {
	mod, err := run(ctx, dir, nil, "go", "env", "GOMOD")
	if child, ok := errors.AsType[*childError](err); ok {
		return "", &InputError{fmt.Sprintf("go env GOMOD fails in %s: %v", where(dir), child)}
	}
	if err != nil {
		return "", err
	}
	if mod == "" || mod == os.DevNull {
		return "", &InputError{fmt.Sprintf("%s is in no Go module: neither it nor a directory above it has a go.mod", where(dir))}
	}
	// git resolves symbolic links, and go does not.
	root, err := filepath.EvalSymlinks(filepath.Dir(mod))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(top, root)
	if err != nil || !filepath.IsLocal(rel) {
		return "", &InputError{fmt.Sprintf("the module of %s is in %s, which is outside of the repository %s", where(dir), root, top)}
	}
	return rel, nil
}

// workingFiles lists the files of the working tree that are tracked, or untracked and not ignored,
// relative to top and sorted. It leaves out those that are deleted, and submodules.
func workingFiles(ctx context.Context, top string) ([]string, error) {
	list, err := git(ctx, top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, fmt.Errorf("builds: listing the files of %s: %w", top, err)
	}
	var files []string
	for name := range strings.SplitSeq(list, "\x00") {
		if name == "" {
			continue
		}
		info, err := os.Lstat(filepath.Join(top, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil // a file with a merge conflict is listed three times
}

// hashFiles returns a hash of the files' names, modes and contents.
func hashFiles(dir string, files []string) (string, error) {
	tree := sha256.New()
	for _, name := range files {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if err != nil {
			return "", err
		}
		var sum string
		if info.Mode()&fs.ModeSymlink != 0 {
			sum, err = os.Readlink(path)
		} else {
			sum, err = hashFile(path)
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(tree, "%q %v %v %q\n", name, info.Mode()&fs.ModeSymlink, info.Mode()&0o100, sum)
	}
	return hex.EncodeToString(tree.Sum(nil)), nil
}

// hashFile returns the SHA-256 of a file's bytes.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
