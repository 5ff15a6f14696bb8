package torture

import (
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/implstest"
)

// If this fails, a uprobe variant breaks a promise under torture; or a busted one is not
// caught any more, or by an invariant that it has nothing to do with. Busted ones run in a
// process of their own: a freed rwsem may end it.
func TestUprobe(t *testing.T) {
	breaks := map[string]string{
		"epoch-eager":   "UP1 UP2 UP3 UP4 fatal panic",
		"no-epoch":      "UP1 UP2 UP3 UP4 fatal panic",
		"narrow-epoch":  "UP1 UP2 UP3 UP4 fatal panic",
		"inc-from-zero": "UP1 UP2 UP3 UP4 fatal panic",
		"no-retry":      "UP1",
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
			implstest.Need(t, s.Check(), s.Family, s.Name)
			out, err := runChild(t, "uprobe/"+s.Name)
			if id, _, _ := strings.Cut(out, ":"); err == nil || !strings.Contains(want, id) {
				t.Errorf("broke %q, %v, want one of %s", out, err, want)
			}
		})
	}
}
