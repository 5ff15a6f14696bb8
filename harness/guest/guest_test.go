package guest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
)

// staticELF returns an ELF file that needs no library.
func staticELF() []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}) // a buffer takes all
	return b.Bytes()
}

// newFile makes a file in a new directory and returns its path.
func newFile(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// If this fails, a program lacks its loader or a library in the guest, or the kernel drops a file whose directory comes
// after it or is missing: it then says only that no init was found.
func TestInitramfs(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	static := newFile(t, "static", staticELF())
	var b bytes.Buffer
	if err := writeInitramfs(&b, []Program{{"first", static}, {"second", self}, {"third", self}}); err != nil {
		t.Fatal(err)
	}
	need, err := libraries(self)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dev", "first", "proc", "run", "second", "sys", "third", "tmp"}
	for _, f := range need {
		for f = strings.TrimPrefix(f, "/"); f != "."; f = filepath.Dir(f) {
			want = append(want, f)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var have []string
	for r := cpio.NewReader(&b); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if dir := filepath.Dir(h.Name); dir != "." && !slices.Contains(have, dir) {
			t.Errorf("%s comes before its directory", h.Name)
		}
		have = append(have, h.Name)
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch isDir := len(text) == 0; {
		case h.Mode.IsDir() != isDir:
			t.Errorf("%s has %d bytes and mode %v", h.Name, len(text), h.Mode)
		case h.Mode.Perm() != 0o755:
			t.Errorf("%s has mode %v", h.Name, h.Mode)
		case h.Name == "first" && !bytes.Equal(text, staticELF()):
			t.Errorf("%s has other contents", h.Name)
		}
	}
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("got %q\nwant %q", have, want)
	}
}

// If this fails, a program that is linked dynamically has none of its libraries in the guest.
func TestLibraries(t *testing.T) {
	const shell = "/bin/sh"
	f, err := elf.Open(shell)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close() // only read
	want, err := f.ImportedLibraries()
	if err != nil || len(want) == 0 {
		t.Skipf("%s needs no library (%v)", shell, err)
	}
	have, err := libraries(shell)
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range want {
		if !slices.ContainsFunc(have[1:], func(path string) bool { return filepath.Base(path) == lib }) {
			t.Errorf("%s needs %s, and has %q", shell, lib, have)
		}
	}
	if !strings.Contains(filepath.Base(have[0]), "ld-") {
		t.Errorf("%q does not begin with a loader", have)
	}
}

// If this fails, a program that no guest can run is noticed only when the guest panics.
func TestInitramfsOfNoProgram(t *testing.T) {
	text := newFile(t, "text", []byte("#!/bin/sh\n"))
	err := writeInitramfs(io.Discard, []Program{{"x", text}})
	if err == nil || !strings.Contains(err.Error(), text+" cannot run in a guest") {
		t.Errorf("got %v", err)
	}
}

// bzImage returns the beginning of a kernel that says that version.
func bzImage(version string) []byte {
	b := make([]byte, 0x2000)
	copy(b[magicAt:], magic)
	const at = 0x1000
	binary.LittleEndian.PutUint16(b[versionAt:], at-versionOf)
	copy(b[at:], version)
	return b
}

// If this fails, something that is no kernel is booted, and the user waits for minutes; or a kernel has another's name.
func TestReadImage(t *testing.T) {
	good := bzImage("6.12.48+deb13-cloud-amd64 (debian@lists) #1 SMP\x00")
	path := newFile(t, "vmlinuz", good)
	i, err := ReadImage(path)
	if err != nil {
		t.Fatal(err)
	}
	if i.Path != path || i.Release != "6.12.48+deb13-cloud-amd64" || len(i.SHA256) != 64 {
		t.Errorf("got %+v", i)
	}
	tail := append(slices.Clone(good), 'x') // beyond the version
	if other, err := ReadImage(newFile(t, "vmlinuz", tail)); err != nil || other.SHA256 == i.SHA256 {
		t.Errorf("another file has the checksum %v (%v)", other, err)
	}
	noVersion, noRelease := bzImage(""), bzImage(" (debian@lists)")
	outside := bzImage("6.1 ")
	binary.LittleEndian.PutUint16(outside[versionAt:], 0xffff)
	for what, text := range map[string][]byte{
		"expected a kernel (a bzImage, such as /boot/vmlinuz): there is no boot header": make([]byte, 0x2000),
		"there is no boot header":                                  []byte("short"),
		"this is a Debian package; expected a kernel, or --deb":    []byte("!<arch>\ndebian-binary"),
		"this is an ELF file (vmlinux); expected the compressed":   append([]byte("\x7fELF"), make([]byte, 0x2000)...),
		"it has the header of a kernel, which does not say its r":  noVersion,
		"it has the header of a kernel, which does not say it":     noRelease,
		"it has the header of a kernel, which does not say its re": outside,
		"it has the header of a kernel, which does not say its":    bzImage("6.1\x01 x"),
	} {
		path := newFile(t, "file", text)
		_, err := ReadImage(path)
		if _, ok := errors.AsType[*ImageError](err); !ok || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), what) {
			t.Errorf("%.20q: got %v, want %s", text, err, what)
		}
	}
	if _, err := ReadImage(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// debian makes a package with those files.
func debian(t *testing.T, files map[string]string) []byte {
	t.Helper()
	pack := func(files map[string]string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for name, text := range files {
			h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}
			if text == "" {
				h.Typeflag, h.Linkname = tar.TypeSymlink, "elsewhere"
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	b := []byte("!<arch>\n")
	member := func(name string, text []byte) {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o100644, len(text))
		if b = append(b, text...); len(text)%2 == 1 {
			b = append(b, '\n')
		}
	}
	member("debian-binary", []byte("2.0\n"))
	member("control.tar.gz", pack(map[string]string{"./control": "Package: linux-image\nVersion: 1\nArchitecture: amd64\nMaintainer: x\nDescription: x\n"}))
	member("data.tar.gz", pack(files))
	return b
}

// If this fails, the kernel of a package is not found, is another file, or a package without one is taken for one.
func TestExtract(t *testing.T) {
	for _, name := range []string{"./boot/vmlinuz-6.1.0-1-amd64", "./usr/lib/modules/6.1.0-1-amd64/vmlinuz", "boot/vmlinuz-6.1.0-1-amd64"} {
		dir := t.TempDir()
		pkg := newFile(t, "linux.deb", debian(t, map[string]string{name: "the kernel", "./boot/config-6.1": "x", "./boot/vmlinuz-link": "", "./lib/boot/vmlinuz-2": "no"}))
		path, err := Extract(pkg, dir)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if path != filepath.Join(dir, "vmlinuz-6.1.0-1-amd64") || string(text) != "the kernel" || err != nil {
			t.Errorf("%s: got %s with %q (%v)", name, path, text, err)
		}
	}
	whole := debian(t, map[string]string{"./boot/vmlinuz-1": strings.Repeat("kernel", 1000)})
	for what, text := range map[string][]byte{
		"this package has no vmlinuz": debian(t, map[string]string{"./usr/share/doc/x/vmlinuz": "x", "./boot/vmlinuz-1": ""}),
		"expected a Debian package":   []byte("something else"),
		"expected a Debian package: ": whole[:100],
		"this package is broken":      whole[:len(whole)-30],
	} {
		dir := t.TempDir()
		pkg := newFile(t, "linux.deb", text)
		_, err := Extract(pkg, dir)
		if _, ok := errors.AsType[*ImageError](err); !ok || !strings.HasPrefix(err.Error(), pkg+": "+what) {
			t.Errorf("got %v, want %s", err, what)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %v is left", what, left)
		}
	}
}

// If this fails, a guest is booted with another clock than its figures are labelled with, or with a machine that is known to
// die.
func TestArguments(t *testing.T) {
	o := Options{Image: "/boot/vmlinuz", Time: Virtual, CPUs: 3, Append: "a=b c", Programs: []Program{{Name: "x"}}, InitArgs: []string{"one", "two"}}
	args := o.arguments(100 << 20)
	line := strings.Join(args, " ")
	for _, want := range []string{"-accel tcg,thread=single -cpu Haswell-noTSX,", " -smp 3 -m 1224M -kernel /boot/vmlinuz ", " -no-reboot ", " -icount shift=0,sleep=off -rtc clock=vm"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s\nlacks %s", line, want)
		}
	}
	if want := "console=ttyS0 panic=-1 quiet maxcpus=1 noreplace-smp rdinit=/x a=b c -- one two"; args[slices.Index(args, "-append")+1] != want {
		t.Errorf("%q\nlacks %q", args, want)
	}
	o.Time = Wall
	if line := strings.Join(o.arguments(0), " "); strings.Contains(line, "icount") || strings.Contains(line, "clock=vm") {
		t.Errorf("wall time has %s", line)
	}
}
