package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/results"
)

// vetSVG reads the SVG as a browser would, and returns its text.
func vetSVG(t *testing.T, svg []byte) string {
	t.Helper()
	var text strings.Builder
	elements := 0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("the SVG is no XML: %v", err)
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements++
		case xml.CharData:
			text.Write(token)
		}
	}
	if elements < 10 {
		t.Errorf("the SVG has %d elements", elements)
	}
	return text.String()
}

// drawn is a chart to save.
func drawnChart(t *testing.T) *Chart {
	t.Helper()
	c, err := disableAll(parse(t, "BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=10 1 10 ns/op\n"), catalog)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// If this fails, a chart does not replace an earlier one, is no valid file, or leaves a third
// file.
func TestSaveAgain(t *testing.T) {
	c, dir := drawnChart(t), filepath.Join(t.TempDir(), "new")
	if err := Check(dir, "x"); err != nil {
		t.Errorf("a directory to be made: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Check made it: %v", err)
	}
	for range 2 {
		if err := Save(c, dir, "x"); err != nil {
			t.Fatal(err)
		}
		if err := Check(dir, "x"); err != nil {
			t.Error(err)
		}
	}
	if files := list(t, dir); !slices.Equal(files, []string{"x.png", "x.svg"}) {
		t.Errorf("files %v", files)
	}
	vetSVG(t, read(t, dir, "x.svg"))
	if _, err := png.Decode(bytes.NewReader(read(t, dir, "x.png"))); err != nil { // it checks the CRC of our chunk, too
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(dir, "x.svg"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if want, err := plain.Stat(); err != nil || info.Mode() != want.Mode() {
		t.Errorf("mode %v, expected that of any new file, %v", info.Mode(), want.Mode())
	}
}

// If this fails, Save replaces a file that is no chart of tpbench.
func TestSaveForeign(t *testing.T) {
	c, ours := drawnChart(t), t.TempDir()
	if err := Save(c, ours, "x"); err != nil {
		t.Fatal(err)
	}
	svg, image := string(read(t, ours, "x.svg")), string(read(t, ours, "x.png"))
	holds := func(text string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o666) }
	}
	links := func(to string) func(path string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	for _, tc := range []struct {
		why, file string
		put       func(path string) error
	}{
		{"an empty file", "x.svg", holds("")},
		{"an empty file", "x.png", holds("")},
		{"a note", "x.svg", holds("my notes, 1998-2026")},
		{"a note", "x.png", holds("my notes, 1998-2026")},
		{"an SVG of another program", "x.svg", holds(strings.Replace(svg, svgMark, "", 1))},
		{"an SVG that contains the word tpbench", "x.svg", holds(strings.Replace(svg, svgMark, "<!-- tpbench -->\n", 1))},
		{"an image of another program", "x.png", holds(strings.Replace(image, string(pngMark()), "", 1))},
		{"an SVG of tpbench in the place of a PNG", "x.png", holds(svg)},
		{"a PNG of tpbench in the place of an SVG", "x.svg", holds(image)},
		{"an image that was cut off", "x.png", holds(image[:pngHead+5])},
		{"a few bytes of one", "x.png", holds(image[:10])},
		{"a directory", "x.svg", func(path string) error { return os.Mkdir(path, 0o777) }},
		{"a link to a chart", "x.svg", links(filepath.Join(ours, "x.svg"))},
		{"a link to a file", "x.svg", links("/etc/passwd")},
		{"a link that is broken", "x.svg", links("none")},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, tc.file)
		if err := tc.put(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path) // nothing of a directory and of a broken link
		for what, err := range map[string]error{"Check": Check(dir, "x"), "Save": Save(c, dir, "x")} {
			var foreign *FileError
			if !errors.As(err, &foreign) || foreign.Path != path || strings.Contains(foreign.Error(), "\n") {
				t.Errorf("%s of %s, %s: %v", what, tc.why, tc.file, err)
			}
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, before) || len(list(t, dir)) != 1 {
			t.Errorf("%s, %s, was changed: %v", tc.why, tc.file, list(t, dir))
		}
	}
	file := filepath.Join(ours, "x.svg") // in the place of a directory
	var path *fs.PathError
	if err := Check(file, "x"); !errors.As(err, &path) {
		t.Errorf("a file as the directory: %v", err)
	}
}

// If this fails, a disk that becomes full in the middle of a chart destroys the chart before
// it, or leaves a part.
func TestWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.svg")
	write := func(text string, err error) func(io.Writer) error {
		was, _ := os.ReadFile(path) // nothing, the first time
		return func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, was) {
				t.Errorf("while %q is written, the file is %q", text, now)
			}
			return err
		}
	}
	full := &fs.PathError{Op: "write", Path: "beside", Err: errors.New("no space left")}
	for _, step := range []struct {
		writes string
		err    error
		left   []string
		reads  string // afterwards
	}{
		{"hal", full, nil, ""},
		{"before", nil, []string{"x.svg"}, "before"},
		{"hal", full, []string{"x.svg"}, "before"},
		{"after", nil, []string{"x.svg"}, "after"},
	} {
		err := replace(path, write(step.writes, step.err))
		if !errors.Is(err, step.err) || err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("writing %q: %v, expected %v", step.writes, err, step.err)
		}
		text, _ := os.ReadFile(path) // nothing at first
		if files := list(t, dir); !slices.Equal(files, step.left) || string(text) != step.reads {
			t.Errorf("after %q: files %v, expected %v; it reads %q", step.writes, files, step.left, text)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "taken", "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := replace(filepath.Join(dir, "taken"), write("x", nil)); err == nil || !slices.Equal(list(t, dir), []string{"taken", "x.svg"}) {
		t.Errorf("a name that cannot be had: %v, %v", err, list(t, dir))
	}
}

// If this fails, a name with characters that XML does not allow, or that mean something in it,
// makes an SVG invalid.
func TestHidden(t *testing.T) {
	const evil, seen = "x\x00\x1b[31m\u202e\ufffe\xff<&>'\"]]>", `x\x00\x1b[31m\u202e\ufffe\xff<&>'"]]>`
	cat := catalog
	cat.Impls = append(slices.Clone(catalog.Impls), results.Impl{Name: evil, Fires: "static-call"})
	for _, d := range Charts() {
		run := parse(t, oneSample)
		for i := range run.Samples {
			for j, kv := range run.Samples[i].Keys {
				if kv.Key == "impl" && kv.Value != "nothing" && run.Samples[i].Base != "Dispatch" || kv.Key == "readers" {
					run.Samples[i].Keys[j].Value = evil
				}
			}
		}
		run.Config = append(run.Config, results.KeyValue{Key: "cpu", Value: evil})
		c, err := d.Draw(run, cat)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		svg, err := c.svg()
		if err != nil {
			t.Fatal(err)
		}
		text := vetSVG(t, svg)
		if !strings.Contains(text, seen) || strings.Contains(text, "\x1b") {
			t.Errorf("%s has the text %q", d.Name, text)
		}
	}
	font := style(10, ink, 0, 0) // there is room for what is drawn
	if got, want := font.Width(evil), font.Width(seen); got != want {
		t.Errorf("%v wide, and drawn %v wide", got, want)
	}
}
