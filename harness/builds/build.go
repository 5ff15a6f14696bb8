package builds

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// A BuildError says that go build fails for a revision.
type BuildError struct {
	Revision string // Revision.String
	State    error  // how go build ended, as in "exit status 1"
	Output   string // the first lines of what it printed, in one line
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("%s does not build, %v: %s", e.Revision, e.State, e.Output)
}

func (e *BuildError) Unwrap() error { return e.State }

// Build links the revision's main package once with each seed, and returns the programs' paths, in the
// order of the seeds. The package is a path below the module, as in ./cmd/tpbench. Programs are written
// to the directory into, which is made if it does not exist; those that an earlier run has left there are
// kept, if their bytes are what that run wrote. A seed is 0 to 2^63-1; 0 leaves the functions in their order. Build calls progress, if it
// is not nil, before each program, with the number of those begun.
//
// Errors are a *BuildError if go build fails, ctx's error if it is done, an *InputError if the
// working tree has changed since Resolve, a *MissingError, or an error of writing. What is built
// by then stays.
func (r *Revision) Build(ctx context.Context, pkg, into string, seeds []uint64, progress func(begun, total int, what string)) (programs []string, err error) {
	for _, seed := range seeds {
		if seed > math.MaxInt64 {
			return nil, fmt.Errorf("builds: seed %d: expected 0 to %d", seed, int64(math.MaxInt64))
		}
	}
	if into, err = filepath.Abs(into); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(into, 0o777); err != nil {
		return nil, err
	}
	c, err := r.checkout(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.remove()) }()
	programs = make([]string, len(seeds))
	links, linking := errgroup.WithContext(ctx)
	links.SetLimit(atOnce)
	for i, seed := range seeds {
		if linking.Err() != nil {
			break
		}
		if progress != nil {
			progress(i, len(seeds), fmt.Sprintf("build %d of %d of %v", i+1, len(seeds), r))
		}
		link := func() (err error) {
			programs[i], err = c.link(linking, pkg, into, fmt.Sprintf("-s -w -randlayout=%d", seed)) // no debugger reads it
			return err
		}
		if i > 0 {
			links.Go(link)
		} else if err := link(); err != nil { // it compiles what all are linked from
			return nil, err
		}
	}
	if err := cmp.Or(links.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	return programs, nil
}

// atOnce is how many programs are linked at once. A linker needs some 200 MB of memory.
const atOnce = 2

// link builds one program with these flags of the linker, unless into has it, and returns its path.
func (c *checkout) link(ctx context.Context, pkg, into, ldflags string) (string, error) {
	key, err := c.key(ctx, pkg, ldflags)
	if err != nil {
		return "", err
	}
	program := filepath.Join(into, path.Base(filepath.ToSlash(pkg))+"-"+key)
	kept, err := verify(program)
	if kept || err != nil {
		return program, err
	}
	// The name appears last: a program that has its name is whole.
	fresh := filepath.Join(c.dir, "program-"+key)
	err = c.build(ctx, pkg, ldflags, fresh)
	if err != nil {
		return "", err
	}
	sum, err := hashFile(fresh)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(program+sumSuffix, []byte(sum+"\n"), 0o666); err != nil {
		return "", err
	}
	return program, move(program, fresh)
}

// build runs go build.
func (c *checkout) build(ctx context.Context, pkg, ldflags, out string) error {
	env := []string{"GOTMPDIR=" + c.goTemp()}
	_, err := run(ctx, c.module(), env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+ldflags, "-o", out, pkg)
	if child, ok := errors.AsType[*childError](err); ok {
		const enough = 3 // lines
		// go names files by their place in the temporary directory.
		text := strings.ReplaceAll(child.first(enough), c.tree()+string(filepath.Separator), "")
		return &BuildError{c.revision.String(), child.state, text}
	}
	return err
}

// module is the directory of the revision's module.
func (c *checkout) module() string { return filepath.Join(c.tree(), c.revision.module) }

// key hashes what the code of a program follows from.
func (c *checkout) key(ctx context.Context, pkg, ldflags string) (string, error) {
	if _, err := os.Stat(c.module()); err != nil {
		return "", &BuildError{c.revision.String(), fs.ErrNotExist, fmt.Sprintf("it has no directory %s", c.revision.module)}
	}
	// With a line "toolchain" in its go.mod, a revision can have a Go release of its own.
	settings, err := run(ctx, c.module(), nil, "go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64",
		"GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "CGO_ENABLED", "CC", "CXX", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS")
	if child, ok := errors.AsType[*childError](err); ok {
		return "", &BuildError{c.revision.String(), child.state, child.first(1)}
	}
	if err != nil {
		return "", err
	}
	const digits = 16
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q", c.revision.Tree, c.revision.module, pkg, ldflags, settings)
	return hex.EncodeToString(h.Sum(nil))[:digits], nil
}

// sumSuffix ends the name of the file that has the hash of a program's bytes.
const sumSuffix = ".sha256"

// verify reports whether there is a program of that name whose bytes have the hash that was recorded.
func verify(program string) (bool, error) {
	want, err := os.ReadFile(program + sumSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sum, err := hashFile(program)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return sum+"\n" == string(want), err
}

// move renames a file, also to another file system.
func move(to, from string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	whole := to + ".new"
	if err := os.WriteFile(whole, text, 0o777); err != nil {
		return err
	}
	return os.Rename(whole, to)
}
