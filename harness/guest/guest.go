package guest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options say what to boot.
type Options struct {
	Image    string        // path of the kernel; see ReadImage
	Time     Time          // of the guest's clock
	CPUs     int           // of the guest: 2 or more, since with one a grace period is nothing
	Append   string        // added to the kernel's command line
	Programs []Program     // the first is init
	InitArgs []string      // the arguments of init, without spaces
	Limit    time.Duration // the longest that the guest may be silent, by the host's clock
}

// A Guest is a virtual machine that has booted and waits for commands. One goroutine may use it.
type Guest struct {
	Said string // by init, when it was ready

	image   string
	ready   bool
	limit   time.Duration
	console *os.File // without a name
	qemu    *exec.Cmd
	to      io.WriteCloser // the line, to the guest
	from    chan []byte    // lines of the guest; closed when QEMU has ended
	ended   error          // how QEMU ended, or why its lines could not be read; valid once from is closed
	said    bytes.Buffer   // by QEMU; likewise
}

// A DeadError is a guest that panicked, hung or ended by itself.
type DeadError struct {
	Image  string   // path
	Booted bool     // it had been ready
	What   string   // a clause: "it panicked"
	Last   []string // lines of its console
}

func (e *DeadError) Error() string {
	last := "its console is empty"
	if len(e.Last) > 0 {
		last = "the last lines of its console: " + strings.Join(e.Last, " | ")
	}
	return fmt.Sprintf("the guest of %s died: %s; %s", filepath.Base(e.Image), e.What, last)
}

// Start boots a guest. The caller closes it. When ctx is done, the guest is killed, now and later; it is killed,
// too, when this process dies. Errors are Emulator's, ctx's, a *DeadError, and those of files.
func Start(ctx context.Context, o Options) (_ *Guest, err error) {
	if _, err := Emulator(); err != nil {
		return nil, err
	}
	initramfs, size, err := o.initramfs()
	if err != nil {
		return nil, err
	}
	defer initramfs.Close() // QEMU has its own descriptor
	g := &Guest{image: o.Image, limit: o.Limit, from: make(chan []byte)}
	if g.console, err = nameless("console"); err != nil {
		return nil, err
	}
	g.qemu = exec.CommandContext(ctx, emulator, o.arguments(size)...)
	isolate(g.qemu)
	g.qemu.WaitDelay = endDelay
	g.qemu.ExtraFiles = []*os.File{initramfs, g.console}
	g.qemu.Stderr = &g.said
	var from io.ReadCloser
	if g.to, err = g.qemu.StdinPipe(); err == nil {
		from, err = g.qemu.StdoutPipe()
	}
	if err == nil {
		err = g.qemu.Start()
	}
	if err != nil {
		g.console.Close() // only read
		return nil, cmp.Or(ctx.Err(), err)
	}
	go g.read(from)
	m, err := g.next(ctx)
	if err != nil {
		return nil, err
	}
	if m.Ready == nil {
		return nil, g.dead("its first message does not say that it is ready")
	}
	g.Said, g.ready = *m.Ready, true
	return g, nil
}

// endDelay is how long the pipes of a QEMU that has ended may stay open: something else may hold them.
const endDelay = 5 * time.Second

// initramfs writes the guest's initramfs, and returns its size.
func (o *Options) initramfs() (*os.File, int64, error) {
	f, err := nameless("initramfs")
	if err != nil {
		return nil, 0, err
	}
	err = writeInitramfs(f, o.Programs)
	size, seek := f.Seek(0, io.SeekCurrent)
	if err = cmp.Or(err, seek); err != nil {
		f.Close() // the error says more
		return nil, 0, err
	}
	return f, size, nil
}

// nameless makes a temporary file without a name, so that nothing is left when this process is killed.
func nameless(what string) (*os.File, error) {
	f, err := os.CreateTemp("", "tpbench-"+what+"-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// mostLine is the longest line that a guest may send.
const mostLine = 1 << 20

// read passes on the lines of the guest, until QEMU has ended. Half a line of a guest that died says nothing.
func (g *Guest) read(from io.Reader) {
	lines := bufio.NewReaderSize(from, mostLine)
	line, err := lines.ReadSlice('\n')
	for ; err == nil; line, err = lines.ReadSlice('\n') {
		g.from <- bytes.Clone(line)
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		_ = g.qemu.Cancel() // it fails if QEMU has ended
		_ = g.qemu.Wait()   // it was killed
		g.ended = fmt.Errorf("killed, since it sent a line of more than %d bytes", mostLine)
	} else {
		g.ended = g.qemu.Wait()
	}
	close(g.from)
}

// next waits for the next message. Its errors are ctx's and a *DeadError; after one the guest is killed.
func (g *Guest) next(ctx context.Context) (m message, err error) {
	limit := time.NewTimer(g.limit)
	defer limit.Stop()
	var line []byte
	ok := true
	select {
	case line, ok = <-g.from:
	case <-ctx.Done():
	case <-limit.C:
		return m, g.dead(fmt.Sprintf("it was silent for %v", g.limit))
	}
	switch {
	case ctx.Err() != nil:
		g.kill()
		return m, ctx.Err()
	case !ok:
		return m, g.dead(g.how())
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, g.dead(fmt.Sprintf("it sent %q, which is no message", bytes.TrimSpace(line[:min(len(line), 80)])))
	}
	return m, nil
}

// panicked are texts of a console that say how a kernel died, in the order in which they matter.
var panicked = []string{"Kernel panic - not syncing", "Oops: ", "BUG: "}

// how says how a guest that has ended did.
func (g *Guest) how() string {
	text := g.printed()
	for _, p := range panicked {
		if _, after, ok := strings.Cut(text, p); ok {
			line, _, _ := strings.Cut(after, "\n")
			return "it panicked (" + strings.TrimSpace(p+line) + ")"
		}
	}
	if words := lastLines(g.said.String()); len(words) > 0 {
		return "QEMU ended: " + strings.Join(words, " | ")
	}
	if g.ended != nil {
		return "QEMU ended: " + g.ended.Error()
	}
	return "it switched itself off"
}

// printed returns what the guest has printed to its console; "" if that cannot be read.
func (g *Guest) printed() string {
	text, _ := io.ReadAll(io.NewSectionReader(g.console, 0, mostConsole)) // what has been read is enough
	return string(text)
}

// mostConsole is how much of a console is read.
const mostConsole = 16 << 20

// dead kills the guest, and makes the error of its death.
func (g *Guest) dead(what string) error {
	last := lastLines(g.printed())
	g.kill()
	return &DeadError{g.image, g.ready, what, last}
}

// shownLines is how many lines of a console, or of QEMU, an error has.
const shownLines = 6

// lastLines returns the last lines that have text.
func lastLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-shownLines):]
}

// mostOutput is how much a command may print.
const mostOutput = 16 << 20

// Run runs a command in the guest, and returns how it ended. After an error the guest is killed. Errors are
// ctx's and a *DeadError.
func (g *Guest) Run(ctx context.Context, c Command) (Exit, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return Exit{}, err
	}
	_, _ = g.to.Write(append(line, '\n')) // if QEMU has ended, next says so
	var e Exit
	for {
		m, err := g.next(ctx)
		switch {
		case err != nil:
			return Exit{}, err
		case m.Stdout != nil:
			e.Stdout = append(append(e.Stdout, *m.Stdout...), '\n')
		case m.Stderr != nil:
			e.Stderr = append(append(e.Stderr, *m.Stderr...), '\n')
		case m.Exit != nil:
			e.Code = *m.Exit
			return e, nil
		}
		if len(e.Stdout)+len(e.Stderr) > mostOutput {
			return Exit{}, g.dead(fmt.Sprintf("its command printed more than %d bytes", mostOutput))
		}
	}
}

// closeLimit is how long a guest may take to switch itself off, by the host's clock.
const closeLimit = 20 * time.Second

// Close switches the guest off. One that does not end is killed. A guest that was killed may be closed.
func (g *Guest) Close() {
	_, _ = io.WriteString(g.to, "\n") // one that cannot be asked is killed
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	for {
		select {
		case _, ok := <-g.from:
			if ok {
				continue
			}
		case <-limit.C:
		}
		g.kill()
		return
	}
}

// kill ends QEMU, and waits for that.
func (g *Guest) kill() {
	_ = g.qemu.Cancel() // it fails if QEMU has ended
	for range g.from {
	}
	g.console.Close() // only read
}
