package guest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// An Image is a kernel that QEMU can boot.
type Image struct {
	Path    string
	Release string // as uname -r says it: "6.12.48+deb13-cloud-amd64"
	SHA256  string // of the file, in hex
}

// An ImageError is a file that holds no kernel which QEMU can boot.
type ImageError struct {
	Path string
	What string // a clause
}

func (e *ImageError) Error() string { return e.Path + ": " + e.What }

// The header of the x86 boot protocol (Documentation/arch/x86/boot.rst), which stands in the first sectors of
// a bzImage.
const (
	magicAt   = 0x202
	magic     = "HdrS"
	versionAt = 0x20e // where the version's text is, less versionBase
	versionOf = 0x200
	headerEnd = 0x268
)

// ReadImage reads what the file at path says about itself. Its errors are those of os.Open, and an *ImageError.
func ReadImage(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	head := make([]byte, headerEnd)
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, noImage(path, head, err)
	}
	if string(head[magicAt:magicAt+len(magic)]) != magic {
		return nil, noImage(path, head, nil)
	}
	text := make([]byte, 256)
	at := int64(binary.LittleEndian.Uint16(head[versionAt:])) + versionOf
	n, err := f.ReadAt(text, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	release, _, ok := strings.Cut(string(text[:n]), " ")
	if !ok || release == "" || strings.ContainsFunc(release, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &ImageError{path, "it has the header of a kernel, which does not say its release"}
	}
	h := sha256.New()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return &Image{path, release, hex.EncodeToString(h.Sum(nil))}, nil
}

// noImage says what the file is in place of a kernel, as far as its beginning tells.
func noImage(path string, head []byte, err error) error {
	what := "expected a kernel (a bzImage, such as /boot/vmlinuz): there is no boot header"
	switch {
	case strings.HasPrefix(string(head), "!<arch>\n"):
		what = "this is a Debian package; expected a kernel, or --deb for the package"
	case strings.HasPrefix(string(head), "\x7fELF"):
		what = "this is an ELF file (vmlinux); expected the compressed kernel, arch/x86/boot/bzImage of the same build"
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return &ImageError{path, what}
}
