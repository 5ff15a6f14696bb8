package textpoketest

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// tableFirst polls the text as data. What the watcher finds counts if the same patch
// was under way before it looked and after.
func tableFirst(t *testing.T, s *subject) {
	site := s.sites[17]
	var announced atomic.Int64 // the number of the patch under way; never the same again
	to := func(patch int64) textpoke.Insn { return site.Insns[patch%int64(len(site.Insns))] }
	var stop atomic.Bool
	var watcher sync.WaitGroup
	seen := 0
	watcher.Go(func() {
		text := textpoke.Text(site.PC(), 1)
		for !stop.Load() {
			before := announced.Load()
			if text[0] != opInt3 {
				continue
			}
			insn := site.Insn()
			if announced.Load() != before {
				continue
			}
			seen++
			if insn != to(before) {
				t.Errorf("behind the int3 the table says %v, not %v", insn, to(before))
			}
		}
	})
	for patch := range int64(2000) {
		announced.Store(patch)
		judge.Check(t, s.patch([]textpoke.Change{{Site: site.Site, To: to(patch)}}))
	}
	stop.Store(true)
	watcher.Wait()
	t.Logf("the watcher saw an int3 %d times", seen)
}
