package rcu

import (
	"testing"

	"github.com/tpbench/tpbench/impls/torture"
)

// If this fails, a reader faults its memory in during the attack. In its first second it is in
// the kernel, and the updaters run alone, or wait for it.
func TestReaderMemoryIsThere(t *testing.T) {
	r := (&flavourAttack{Attack: &torture.Attack{}}).newReader(0)
	const page = 4096 / 8
	for i := 0; i < len(r.memory); i += page {
		if r.memory[i] == 0 {
			t.Fatalf("page %d was never written", i/page)
		}
	}
}
