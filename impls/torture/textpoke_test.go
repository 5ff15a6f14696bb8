package torture

import (
	"errors"
	"os/exec"
	"regexp"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/implstest"
)

// If this fails, a sound patcher lets a thread execute what a site never was.
func TestTextpoke(t *testing.T) {
	for _, s := range textpokeSubjects() {
		if s.Status == impls.Sound {
			t.Run(s.Name, func(t *testing.T) { try(t, s) })
		}
	}
}

// If this fails, the torture of sound patchers proves nothing: it does not notice one
// that is wrong, or that one is not wrong any more.
func TestTextpokeBusted(t *testing.T) {
	caught := regexp.MustCompile(`(?m)^P1: |SIGTRAP: trace trap|SIGILL: illegal instruction|SIGSEGV|unexpected fault address|invalid memory address`)
	for _, s := range textpokeSubjects() {
		if s.Status == impls.Busted {
			t.Run(s.Name, func(t *testing.T) {
				implstest.Need(t, s.Check(), s.Family, s.Name)
				cpus, err := allowedCPUs()
				implstest.Check(t, err)
				if s.Name == "cross-line-store" && len(cpus) == 1 {
					t.Skip("a store is torn between CPUs, and this process may use one")
				}
				out, err := runChild(t, s.Family+"/"+s.Name, "GOTRACEBACK=none")
				var exit *exec.ExitError
				if !errors.As(err, &exit) || !caught.MatchString(out) {
					t.Errorf("not caught: %v\n%s", err, out)
				}
				t.Logf("%v: %s", err, caught.FindString(out))
			})
		}
	}
}
