package torture

import (
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, a uprobe variant breaks a promise under torture; or a busted one is not
// caught any more, or by an invariant that it has nothing to do with. Busted ones run in a
// process of their own: a freed rwsem may end it.
func TestUprobe(t *testing.T) {
	breaks := map[string]string{
		"epoch-eager":   "B1 B2 B3 B4 fatal panic",
		"no-epoch":      "B1 B2 B3 B4 fatal panic",
		"narrow-epoch":  "B1 B2 B3 B4 fatal panic",
		"inc-from-zero": "B1 B2 B3 B4 fatal panic",
		"no-retry":      "B1",
	}
	for _, s := range uprobeSubjects() {
		t.Run(s.Name, func(t *testing.T) {
			want, busted := breaks[s.Name]
			if !busted {
				try(t, s)
				return
			}
			if testing.Short() {
				t.Skip("busted: may take until it is caught")
			}
			judge.Need(t, s.Check(), s.Family, s.Name)
			out, err := runChild(t, "uprobe/"+s.Name)
			if id, _, _ := strings.Cut(out, ":"); err == nil || !strings.Contains(want, id) {
				t.Errorf("broke %q, %v, want one of %s", out, err, want)
			}
		})
	}
}
