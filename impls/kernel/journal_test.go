package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
)

// expedites returns a fake whose setting has a value.
func expedites(t *testing.T, value string) system {
	t.Helper()
	s := fake(t)
	write(t, value+"\n", s.sys, rcuExpedited)
	return s
}

// is checks the setting, and that there are so many journals.
func (s system) is(t *testing.T, when, value string, journals int) {
	t.Helper()
	now, err := s.setting(rcuExpedited)
	must(t, err)
	if list := s.listJournals(); now != value || len(list) != journals {
		t.Errorf("%s: the setting is %q, and there are journals %v; expected %q and %d", when, now, list, value, journals)
	}
}

// If this fails, grace periods of the whole machine stay expedited after a run, or a value that
// somebody has set during the run is undone.
func TestExpedite(t *testing.T) {
	for _, tc := range []struct{ before, during, after string }{
		{"0", "1", "0"},
		{"1", "1", "1"},
		{"0", "2", "2"}, // set by somebody else
		{"0", "0", "0"},
	} {
		s := expedites(t, tc.before)
		write(t, "{}", s.journals, "tpbench-10-70")    // no journal
		write(t, "", s.journals, "tpbench-10-70.json") // of a dead owner, torn, to be swept later
		restore, err := s.expedite()
		must(t, err)
		s.is(t, "expedited", "1", 2)
		write(t, tc.during, s.sys, rcuExpedited)
		must(t, restore())
		s.is(t, "restored", tc.after, 1)
		write(t, "1", s.sys, rcuExpedited) // by somebody else
		must(t, restore())
		s.is(t, "restored again", "1", 1)
	}
}

// If this fails, two runs at the same time take each other's value for the one to restore, or a
// setting is changed without a journal, or a refusal leaves a journal.
func TestExpediteRefused(t *testing.T) {
	for _, tc := range []struct {
		why   string
		spoil func(t *testing.T, s *system)
		want  string // part of
	}{
		{"another process", func(t *testing.T, s *system) {
			s.lives(t, "7", "7", "S", "70")
			write(t, "{}", s.journals, "tpbench-7-70.json")
		}, "another tpbench has changed it, see "},
		{"a process of which nothing is known", func(t *testing.T, s *system) {
			write(t, "nonsense", s.proc, "7", "stat")
			write(t, "{}", s.journals, "tpbench-7-70.json")
		}, "proc(5)"},
		{"rcu_normal", func(t *testing.T, s *system) { write(t, "1\n", s.sys, "kernel", "rcu_normal") }, "rcu_normal is set"},
		{"no place for journals", func(_ *testing.T, s *system) { s.journals = filepath.Join(s.journals, "none") }, "no such file"},
		{"a journal of this process", func(t *testing.T, s *system) { write(t, "{}", s.journals, "tpbench-100-5000.json") }, "exists"},
		{"no proc", func(t *testing.T, s *system) { must(t, os.RemoveAll(s.proc)) }, "mount -t proc"},
	} {
		s := expedites(t, "0")
		tc.spoil(t, &s)
		before := len(s.listJournals())
		restore, err := s.expedite()
		if restore != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, expected ...%s...", tc.why, err, tc.want)
		}
		s.is(t, tc.why, "0", before)
	}
	// The others stay unsupported: a case that cannot run is skipped with the reason.
	s := fake(t)
	if _, err := s.expedite(); !errors.Is(err, impls.ErrUnsupported) {
		t.Errorf("no setting: %v", err)
	}
	s = expedites(t, "0")
	must(t, os.Remove(filepath.Join(s.sys, rcuExpedited)))
	must(t, os.Symlink("/proc/version", filepath.Join(s.sys, rcuExpedited))) // it can only be read
	if _, err := s.expedite(); err == nil || len(s.listJournals()) > 0 {
		t.Errorf("a setting that cannot be written: %v, and the journals %v", err, s.listJournals())
	}
}

// If this fails, a killed run leaves the machine's grace periods expedited; or a journal makes
// tpbench write another file, or undo what somebody else has set, or what a living run has.
func TestSweepJournals(t *testing.T) {
	for _, tc := range []struct {
		why, journal, text, now, after string
		swept                          bool
		left                           string // part of the error
	}{
		{"killed", "tpbench-10-70.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "0", true, ""},
		{"killed before the write", "tpbench-10-70.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "0", "0", true, ""},
		{"changed since by another", "tpbench-10-70.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "2", "2", true, ""},
		{"torn", "tpbench-10-70.json", `{"Path":"kernel/rcu_exp`, "1", "1", true, ""},
		{"empty", "tpbench-10-70.json", "", "1", "1", true, ""},
		{"another file", "tpbench-10-70.json", `{"Path":"kernel/rcu_normal","Old":"0","New":"1"}`, "1", "1", false, `it names "kernel/rcu_normal"`},
		{"another directory", "tpbench-10-70.json", `{"Path":"../sys/kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "1", false, "rm "},
		{"living", "tpbench-7-70.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "1", false, ""},
		{"living, unknown", "tpbench-8-80.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "1", false, "it is unknown whether"},
		{"not ours", "other-10-70.json", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "1", false, ""},
		{"no journal", "tpbench-10-70", `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, "1", "1", false, ""},
	} {
		s := expedites(t, tc.now)
		s.lives(t, "7", "7", "S", "70")
		write(t, "nonsense", s.proc, "8", "stat")
		write(t, "1\n", s.sys, "kernel/rcu_normal")
		write(t, tc.text, s.journals, tc.journal)
		removed, err := s.sweep()
		var want []string
		if tc.swept {
			want = []string{"the journal " + filepath.Join(s.journals, tc.journal)}
		}
		if !slices.Equal(removed, want) || (err != nil) != (tc.left != "") || err != nil && !strings.Contains(err.Error(), tc.left) {
			t.Errorf("%s: removed %q, %v, expected %q and ...%s...", tc.why, removed, err, want, tc.left)
		}
		if _, err := os.Stat(filepath.Join(s.journals, tc.journal)); os.IsNotExist(err) != tc.swept {
			t.Errorf("%s: the journal: %v", tc.why, err)
		}
		expedited, err1 := s.setting(rcuExpedited)
		normal, err2 := s.setting("kernel/rcu_normal")
		if expedited != tc.after || normal != "1" || err1 != nil || err2 != nil {
			t.Errorf("%s: rcu_expedited is %q (expected %q), rcu_normal %q (expected 1), %v, %v", tc.why, expedited, tc.after, normal, err1, err2)
		}
	}
	s := fake(t) // without the setting
	write(t, `{"Path":"kernel/rcu_expedited","Old":"0","New":"1"}`, s.journals, "tpbench-10-70.json")
	if removed, err := s.sweep(); removed != nil || err == nil || len(s.listJournals()) != 1 {
		t.Errorf("what cannot be restored: removed %q, %v, and left %v", removed, err, s.listJournals())
	}
}

// If this fails, on the real kernel, grace periods are not expedited, or stay so.
func TestExpediteReal(t *testing.T) {
	requireKernel(t)
	s := running()
	before, err := s.setting(rcuExpedited)
	must(t, err)
	restore, err := Expedite()
	if errors.Is(err, impls.ErrUnsupported) {
		t.Skip(err)
	}
	must(t, err)
	during, err1 := s.setting(rcuExpedited)
	err2 := GracePeriod()
	must(t, errors.Join(err1, err2, restore()))
	if after, err := s.setting(rcuExpedited); during != "1" || after != before || err != nil {
		t.Errorf("it was %q, %q and %q, %v", before, during, after, err)
	}
}
