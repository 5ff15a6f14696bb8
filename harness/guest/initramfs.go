package guest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// A Program is a file of the initramfs.
type Program struct {
	Name string // its path in the guest is /Name
	Path string // on the host
}

// directories of the initramfs, on which Init mounts.
var directories = []string{"proc", "sys", "dev", "tmp", "run"}

// writeInitramfs writes a cpio archive with the programs, and the libraries that they need.
func writeInitramfs(to io.Writer, programs []Program) error {
	buffer := bufio.NewWriter(to)
	a := &archive{w: cpio.NewWriter(buffer), has: map[string]bool{}}
	for _, name := range directories {
		if err := a.begin(name, cpio.TypeDir, 0); err != nil {
			return err
		}
	}
	for _, p := range programs {
		if err := a.program(p); err != nil {
			return fmt.Errorf("putting %s into the initramfs: %w", p.Path, err)
		}
	}
	return errors.Join(a.w.Close(), buffer.Flush())
}

// An archive is an initramfs that is being written.
type archive struct {
	w   *cpio.Writer
	has map[string]bool // names
}

// program adds a program, and at their own paths the libraries that it needs. Programs may share libraries.
func (a *archive) program(p Program) error {
	if err := a.file(p.Name, p.Path); err != nil {
		return err
	}
	files, err := libraries(p.Path)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := a.file(strings.TrimPrefix(f, "/"), f); err != nil {
			return err
		}
	}
	return nil
}

// file adds a file.
func (a *archive) file(name, from string) error {
	if a.has[name] {
		return nil
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := a.begin(name, cpio.TypeReg, info.Size()); err != nil {
		return err
	}
	_, err = io.Copy(a.w, f)
	return err
}

// begin adds the header of an entry that is not there yet, after the directories that it is in: the kernel makes none by
// itself.
func (a *archive) begin(name string, kind cpio.FileMode, size int64) error {
	if a.has[name] {
		return nil
	}
	a.has[name] = true
	if in := path.Dir(name); in != "." {
		if err := a.begin(in, cpio.TypeDir, 0); err != nil {
			return err
		}
	}
	return a.w.WriteHeader(&cpio.Header{Name: name, Mode: kind | 0o755, Size: size})
}
