package guest

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"pault.ag/go/debian/deb"
)

// Extract writes the kernel of a Debian package into a directory, as vmlinuz-RELEASE, and returns its path. Packages
// have it in boot/, and since 7.2 in usr/lib/modules/RELEASE/. A file that is no package, or one without a kernel, is an
// *ImageError.
func Extract(pkg, dir string) (string, error) {
	f, err := os.Open(pkg)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	d, err := deb.Load(f, pkg)
	if err != nil {
		return "", &ImageError{pkg, "expected a Debian package: " + err.Error()}
	}
	for {
		h, err := d.Data.Next()
		if errors.Is(err, io.EOF) {
			return "", &ImageError{pkg, "this package has no vmlinuz (since 6.19 linux-image-* is empty, and linux-binary-* has it)"}
		}
		if err != nil {
			return "", &ImageError{pkg, "this package is broken: " + err.Error()}
		}
		if release, ok := releaseOf(path.Clean(h.Name)); ok && h.Typeflag == tar.TypeReg {
			to := filepath.Join(dir, "vmlinuz-"+release)
			err := write(to, d.Data)
			if _, own := errors.AsType[*fs.PathError](err); err != nil && !own {
				return "", &ImageError{pkg, "this package is broken: " + err.Error()}
			}
			return to, err
		}
	}
}

// releaseOf returns the release of the kernel in a package's file of that name.
func releaseOf(name string) (release string, ok bool) {
	if release, ok = strings.CutPrefix(name, "boot/vmlinuz-"); ok {
		return release, true
	}
	in, file := path.Split(name)
	in, release = path.Split(path.Clean(in))
	return release, file == "vmlinuz" && path.Clean(in) == "usr/lib/modules"
}

// write writes a new file, which has its name only when it is whole.
func write(to string, from io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(to), ".vmlinuz-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error says more
	}
	return err
}
