package compare

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// If this fails, instructions are compared with times: a file in virtual time with one in wall time, or one that holds
// both, or the error names the wrong file. Or two files of one kind are refused.
func TestTimesAreNotMixed(t *testing.T) {
	one := func(head string) string {
		w := world{rand: rand.New(rand.NewPCG(1, 1)), arms: []string{"impl=a"}, effect: []float64{1}, lines: 3, rounds: 8, head: head}
		return w.file()
	}
	host, virtual, wall := one(""), one("time: virtual\nguest: 7.0.13\n"), one("time: wall\nguest: 7.0.13\n")
	both := virtual + strings.Replace(host, "cpu: made up\n", "cpu: made up\ntime:\n", 1)
	for _, tt := range []struct {
		why      string
		old, new string
		refused  string // the path of the file in virtual time
	}{
		{"two of the host", host, host, ""},
		{"two in virtual time", virtual, virtual, ""},
		{"the host and a guest in wall time", host, wall, ""},
		{"the new one in virtual time", host, virtual, "new.txt"},
		{"the old one in virtual time", virtual, host, "old.txt"},
		{"two guests", virtual, wall, "old.txt"},
		{"both kinds in one file", virtual, both, "old.txt"},
	} {
		sets := [2]*Set{read(t, tt.old), read(t, tt.new)}
		sets[0].Path, sets[1].Path = "old.txt", "new.txt"
		_, err := Between(sets[0], sets[1], Margin)
		var mixed *TimeError
		if got := errors.As(err, &mixed); got != (tt.refused != "") || got && !strings.HasPrefix(err.Error(), tt.refused+" is in virtual time") {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}

// If this fails, a report in virtual time reads as if it were of the machine, or one of the machine as if it were not.
func TestReportNamesTheTime(t *testing.T) {
	for head, want := range map[string]bool{"": false, "time: wall\n": false, "time: virtual\n": true} {
		w := world{rand: rand.New(rand.NewPCG(1, 1)), arms: ab, effect: []float64{1, 1, 1}, lines: 2, rounds: 8, head: head}
		r := compared(t, w.set(t), ArmKey, ArmA)
		var text, markdown, mail bytes.Buffer
		for _, err := range []error{r.WriteText(&text), r.WriteMarkdown(&markdown), r.WriteMail(&mail)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, out := range []string{text.String(), markdown.String(), mail.String()} {
			first, rest, _ := strings.Cut(out, "\n")
			if strings.Contains(first, "in virtual time") != want || strings.Contains(rest, "counts instructions") != want {
				t.Errorf("%q:\n%s", head, out)
			}
		}
	}
}
