package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A looker answers the looks of runs into one file, and notes what the file held.
type looker struct {
	path  string
	stop  int // the look that stops the run; 0: none
	asked []string
}

func (l *looker) look(rounds int) (bool, error) {
	text, err := os.ReadFile(l.path)
	l.asked = append(l.asked, fmt.Sprint(rounds, " rounds, ", len(samplesOf(string(text))), " samples"))
	return rounds == l.stop, err
}

// attach gives the runner the looks.
func (l *looker) attach(r *Runner, looks ...int) *Runner {
	r.Looks, r.Look = looks, l.look
	return r
}

// perRound is how many samples armed has in each round.
const perRound = armedSamples / 4

// If this fails, a look is asked over other samples than those of its rounds, or for a number of
// rounds that was not fixed; or a look that stops the run does not, or the report does not say it.
func TestLooks(t *testing.T) {
	for _, tc := range []struct {
		stop  int
		asked string
		end   string
	}{
		{0, "1 rounds, 9 samples; 3 rounds, 27 samples", "# end complete\n"},
		{3, "1 rounds, 9 samples; 3 rounds, 27 samples", "# end decided 27 of 36 samples\n"},
		{1, "1 rounds, 9 samples", "# end decided 9 of 36 samples\n"},
		{2, "1 rounds, 9 samples; 3 rounds, 27 samples", "# end complete\n"},
		{4, "1 rounds, 9 samples; 3 rounds, 27 samples", "# end complete\n"},
	} {
		l := &looker{path: filepath.Join(t.TempDir(), "out.txt"), stop: tc.stop}
		r := l.attach(script(honest), 1, 3, 4, 9)
		report, text, err := runArmed(t.Context(), t, r, l.path)
		decided := strings.HasPrefix(tc.end, "# end decided")
		if asked := strings.Join(l.asked, "; "); err != nil || report.Decided != decided || asked != tc.asked || !strings.HasSuffix(text, "\n"+tc.end) {
			t.Errorf("a stop after %d rounds: %+v, %v, asked %s; the file ends in %q", tc.stop, report, err, asked, text[max(0, len(text)-40):])
		}
		if report.Done != len(samplesOf(text)) || report.Total != armedSamples {
			t.Errorf("a stop after %d rounds: %+v, and the file has %d samples", tc.stop, report, len(samplesOf(text)))
		}
		_, err = Create(l.path, armed(), facts, nil)
		var failure *FileError
		if want := map[bool]string{true: "a look has decided", false: "holds a whole run"}[decided]; !errors.As(err, &failure) || !strings.Contains(err.Error(), want) || read(t, l.path) != text {
			t.Errorf("a stop after %d rounds: Create = %v", tc.stop, err)
		}
	}
}

// If this fails, an interruption somewhere makes a look be asked twice over different samples, or
// never, or over samples of later rounds; or changes where the run stops. What each look has seen
// is the same, wherever the run was interrupted.
func TestLooksOfContinuedRuns(t *testing.T) {
	every := 1
	if testing.Short() {
		every = 4
	}
	for _, stop := range []int{0, 3} {
		for at := 1; at < 24; at += every {
			l := &looker{path: filepath.Join(t.TempDir(), "out.txt"), stop: stop}
			sample := 0
			r, ctx := interruptedWhen(t, func(Progress) bool { sample++; return sample > at })
			_, _, err := runArmed(ctx, t, l.attach(r, 1, 2, 3), l.path)
			if stop > 0 && at >= 18 { // it was decided after so many
				must(t, err)
				continue
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			report, text, err := runArmed(t.Context(), t, l.attach(script(honest), 1, 2, 3), l.path)
			if err != nil || report.Decided != (stop > 0) || len(samplesOf(text)) != map[int]int{0: 36, 3: 27}[stop] {
				t.Errorf("interrupted after %d samples: %+v, %v", at, report, err)
			}
			if want := []string{"1 rounds, 9 samples", "2 rounds, 18 samples", "3 rounds, 27 samples"}; !slices.Equal(l.asked, want) {
				t.Errorf("interrupted after %d samples: asked %q, want %q", at, l.asked, want)
			}
		}
	}
}

// If this fails, a run that ends while a look decides loses that look, or is not continued from it.
func TestInterruptedLook(t *testing.T) {
	trouble := errors.New("no answer")
	for _, how := range []string{"interrupted", "interrupted and stop", "error"} {
		l := &looker{path: filepath.Join(t.TempDir(), "out.txt")}
		ctx, cancel := context.WithCancel(t.Context())
		r := script(honest)
		r.Looks = []int{2}
		r.Look = func(int) (bool, error) {
			if how == "error" {
				return false, trouble
			}
			cancel()
			return how == "interrupted and stop", nil
		}
		report, text, err := runArmed(ctx, t, r, l.path)
		cancel()
		if want := map[bool]error{true: trouble, false: context.Canceled}[how == "error"]; !errors.Is(err, want) || report.Decided || !strings.HasSuffix(text, "\n# end interrupted 18 of 36 samples\n") {
			t.Errorf("%s: %+v, %v; the file ends in %q", how, report, err, text[max(0, len(text)-40):])
		}
		l.stop = 2
		if report, _, err = runArmed(t.Context(), t, l.attach(script(honest), 2), l.path); err != nil || !report.Decided || report.Done != 2*perRound || len(l.asked) != 1 {
			t.Errorf("%s, and continued: %+v, %v, asked %q", how, report, err, l.asked)
		}
	}
}

// If this fails, a look is asked again over more samples than it has decided on: those that were
// lost before it and were measured after it.
func TestPastLooksAreNotAskedAgain(t *testing.T) {
	l := &looker{path: filepath.Join(t.TempDir(), "out.txt")}
	_, text, err := runArmed(t.Context(), t, l.attach(script(`[ "$1$round$arm" = X/readers=00B ] && exit 1; `+honest), 1, 2), l.path)
	must(t, err)
	const line = "# look after 1 rounds\n"
	before, _, found := strings.Cut(text, line)
	if !found || len(samplesOf(before)) != perRound-1 {
		t.Fatalf("%q is not below the first round's samples:\n%s", line, text)
	}
	for text, want := range map[string]string{before: "1 rounds, 9 samples; 2 rounds, 18 samples", before + line: "2 rounds, 18 samples"} {
		must(t, os.WriteFile(l.path, []byte(text), 0o666))
		l.asked = nil
		report, _, err := runArmed(t.Context(), t, l.attach(script(honest), 1, 2), l.path)
		if asked := strings.Join(l.asked, "; "); err != nil || report.Done != armedSamples || asked != want {
			t.Errorf("%+v, %v, asked %s; want %s", report, err, asked, want)
		}
	}
}

// If this fails, a look is asked over samples of later rounds, because an earlier session had no
// looks.
func TestLooksBeforeLaterRounds(t *testing.T) {
	l := &looker{path: filepath.Join(t.TempDir(), "out.txt")}
	until := func(at int) (*Runner, context.Context) {
		sample := 0
		return interruptedWhen(t, func(Progress) bool { sample++; return sample > at })
	}
	// The first session loses a sample of round 0 and ends in round 2. The second measures that
	// sample again, so that the last whole block of the file is one of round 0.
	r, ctx := until(15)
	r.Worker = script(`[ "$1$round$arm" = X/readers=00B ] && exit 1; ` + honest).Worker
	if _, _, err := runArmed(ctx, t, r, l.path); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r, ctx = until(1)
	if _, text, err := runArmed(ctx, t, r, l.path); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	} else if at := strings.LastIndex(text, "# block"); strings.Contains(text[at:], "# again") {
		// The interrupted block is as if the process had been killed.
		must(t, os.WriteFile(l.path, []byte(text[:at]), 0o666))
	}
	report, _, err := runArmed(t.Context(), t, l.attach(script(honest), 1, 2, 3), l.path)
	if asked := strings.Join(l.asked, "; "); err != nil || report.Done != armedSamples || asked != "3 rounds, 27 samples" {
		t.Errorf("%+v, %v, asked %s; want only the look after 3 rounds", report, err, asked)
	}
}

// If this fails, a look decides on samples that a loss of power may still lose.
func TestLooksFollowASync(t *testing.T) {
	f := &recorder{}
	r := script(honest)
	r.Looks = []int{1, 3}
	r.Look = func(rounds int) (bool, error) { return rounds == 3, f.note(fmt.Sprint("look", rounds)) }
	report, err := r.Run(t.Context(), armed(), onto(f))
	const want = "0 0 sync look1 1 1 sync 2 2 sync look3 end sync close"
	if got := strings.Join(f.log, " "); err != nil || !report.Decided || got != want {
		t.Errorf("%+v, %v: %s; want %s", report, err, got, want)
	}
}
