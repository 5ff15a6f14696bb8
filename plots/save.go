package plots

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A FileError says in one sentence why a chart does not replace a file.
type FileError struct{ Path, Msg string }

func (e *FileError) Error() string { return e.Path + ": " + e.Msg }

// A format is a kind of file that a chart is written as. Its files carry a mark, so that
// Save knows a chart from another file of the same name.
type format struct {
	ending string
	encode func(*Chart) ([]byte, error)
	marked func(start []byte) bool // of the first bytes, 128 at least
}

var formats = []format{
	{".svg", (*Chart).svg, func(start []byte) bool { return bytes.HasPrefix(start, []byte(xmlLine+svgMark)) }},
	{".png", (*Chart).png, func(start []byte) bool { return bytes.HasPrefix(start[min(len(start), pngHead):], pngMark()) }},
}

const (
	xmlLine = "<?xml version=\"1.0\"?>\n"
	svgMark = "<!-- Software: tpbench -->\n"

	pngHead = 8 + 4 + len("IHDR") + 13 + 4 // the magic and the first chunk
)

// pngMark is a chunk of text: length, type, data, and the CRC of type and data.
func pngMark() []byte {
	const text = "tEXt" + "Software\x00tpbench"
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)-len("tEXt")))
	chunk = append(chunk, text...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE([]byte(text)))
}

// Check reports why Save could not write the charts of that name into dir: a file has
// that name and is no chart of tpbench (a *FileError), or it or dir cannot be written. Call it
// before anything is measured.
func Check(dir, name string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // Save makes it
	}
	for _, f := range formats {
		if err := f.check(filepath.Join(dir, name+f.ending)); err != nil {
			return err
		}
	}
	beside, err := newBeside(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return errors.Join(beside.Close(), os.Remove(beside.Name()))
}

// check reports why a chart may not replace what is at path.
func (f format) check(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	const do = "; move it away, or write the charts to another directory"
	if !info.Mode().IsRegular() {
		return &FileError{path, "the chart of that name goes to a file, and this is none" + do}
	}
	old, err := os.OpenFile(path, os.O_RDWR, 0) // what is not to be written is not replaced
	if err != nil {
		return err
	}
	defer old.Close() // only read
	start, err := io.ReadAll(io.LimitReader(old, 128))
	if err != nil {
		return err
	}
	if !f.marked(start) {
		return &FileError{path, "this file is no chart that tpbench has drawn, so it is not overwritten" + do}
	}
	return nil
}

// Save writes the chart as name.svg and name.png into dir, which it creates. Each file is
// written whole or not at all: what was there stays until the new one is on the disk. It
// fails where Check fails.
func Save(c *Chart, dir, name string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := Check(dir, name); err != nil {
		return err
	}
	for _, f := range formats {
		data, err := f.encode(c)
		if err != nil {
			return fmt.Errorf("plots: %s%s: %w", name, f.ending, err)
		}
		err = replace(filepath.Join(dir, name+f.ending), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replace replaces the file at path by one that write writes. The new one
// is beside it until it is whole and on the disk; renaming is one step.
func replace(path string, write func(io.Writer) error) error {
	beside, err := newBeside(path)
	if err != nil {
		return err
	}
	err = write(beside)
	if err == nil {
		err = beside.Sync()
	}
	if closed := beside.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(beside.Name(), path)
	}
	if err != nil {
		_ = os.Remove(beside.Name()) // the first error is the one to report
		return fmt.Errorf("plots: %s stays as it was: %w", path, err)
	}
	return nil
}

// newBeside makes a file of no lasting name in the directory of path. (os.CreateTemp
// makes one that others may not read.)
func newBeside(path string) (*os.File, error) {
	name := fmt.Sprintf(".%s.%016x.tmp", filepath.Base(path), rand.Uint64())
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (c *Chart) svg() ([]byte, error) {
	canvas := vgsvg.New(width, c.height())
	c.Draw(draw.New(canvas))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return nil, err
	}
	marked := bytes.Replace(text.Bytes(), []byte(xmlLine), []byte(xmlLine+svgMark), 1)
	// Where Liberation is not installed, the others have its widths.
	named, fallback := []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")
	return bytes.ReplaceAll(marked, named, fallback), nil
}

func (c *Chart) png() ([]byte, error) {
	img := vgimg.NewWith(vgimg.UseWH(width, c.height()), vgimg.UseDPI(dpi))
	c.Draw(draw.New(img))
	var pixels bytes.Buffer
	if err := png.Encode(&pixels, img.Image()); err != nil {
		return nil, err
	}
	return slices.Insert(pixels.Bytes(), pngHead, pngMark()...), nil
}
