package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// If this fails, a kernel that lacks a tracepoint measures fewer than the others, a refusal leaves
// descriptors open, or Close leaves one.
func TestDescriptors(t *testing.T) {
	s := fake(t)
	for i, name := range rare {
		write(t, fmt.Sprintln(100+i), s.tracefs, "events", name, "id")
	}
	var open []*probe
	var fails error
	s.openTracepoint = func(id uint64) (perfEvent, error) {
		if id == 119 && fails != nil {
			return nil, fails
		}
		open = append(open, &probe{name: fmt.Sprint(id)})
		return open[len(open)-1], nil
	}
	closed := func() (n int) {
		for _, p := range open {
			if p.closed {
				n++
			}
		}
		return n
	}
	d, err := s.openTracepoints()
	must(t, err)
	if len(open) != Tracepoints || open[0].name != "100" || open[Tracepoints-1].name != "119" || closed() != 0 {
		t.Errorf("%d descriptors, of which %d are closed", len(open), closed())
	}
	for range 2 {
		if err := d.Close(); err != nil || closed() != Tracepoints {
			t.Errorf("Close: %v, %d are closed", err, closed())
		}
	}
	open, fails = nil, syscall.EACCES
	if d, err := s.openTracepoints(); d != nil || !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), rare[Tracepoints-1]+": permission denied") || len(open) != 19 || closed() != 19 {
		t.Errorf("refused: %v, %d opened and %d closed", err, len(open), closed())
	}
	must(t, os.Remove(filepath.Join(s.tracefs, "events", rare[3], "id")))
	open = nil
	if d, err := s.openTracepoints(); d != nil || !errors.Is(err, impls.ErrUnsupported) || !strings.Contains(err.Error(), rare[3]) || len(open) != 3 || closed() != 3 {
		t.Errorf("a tracepoint is missing: %v, %d opened and %d closed", err, len(open), closed())
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(rare[:]))); len(sorted) != 20 {
		t.Errorf("%d tracepoints, expected 20 that differ", len(sorted))
	}
}
