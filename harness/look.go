package harness

import (
	"cmp"
	"context"
	"slices"
)

// look asks Runner.Look, if there is a look after so many rounds, and notes in the file that it
// was asked. It reports whether the run stops.
//
// Each look is asked once, over the samples of its rounds and no others. So:
//
//   - It is asked when every sample of its rounds is in the file or lost, and before any block of a
//     later round begins.
//   - A file that is continued holds looks of the past: those after as many rounds as a line
//     "# look" names, or fewer, and those before a block that the file holds. They are not asked
//     again: the run went on, and lost samples may have been measured since.
//   - If a session ends while Look decides, nothing is noted. The next session asks again, over
//     the same samples.
func (r *running) look(ctx context.Context, rounds int) (stop bool, err error) {
	if rounds <= r.file.past || !slices.Contains(r.Looks, rounds) {
		return false, nil
	}
	stop, err = r.Look(rounds)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		return false, cmp.Or(r.file.end("# end interrupted %d of %d samples\n", r.report.Done, r.report.Total), err)
	case stop:
		return true, nil
	}
	return false, r.file.line("# look after %d rounds\n", rounds)
}
