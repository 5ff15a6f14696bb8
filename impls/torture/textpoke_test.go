package torture

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// If this fails, a sound patcher lets a thread execute what a site never was.
func TestTextpoke(t *testing.T) {
	for _, s := range textpokeSubjects() {
		if s.Status == impls.Sound {
			t.Run(s.Name, func(t *testing.T) { try(t, s) })
		}
	}
}
