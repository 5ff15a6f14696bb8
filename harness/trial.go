package harness

import (
	"context"
	"time"
)

// Trial measures one sample of each of the plan's cases, in each arm, at layout 0 and with build 0,
// and keeps none. It returns for each of plan.Cases how long its sample took: a round of a run takes as long as
// those that are due in it. A whole run may take an eighth of its time longer, and 7 s: it takes
// disturbed blocks again, and waits for quiet cores.
//
// failed has an error of one sentence for each case that could not be measured, and nil for
// the others. err is ctx's.
func (r *Runner) Trial(ctx context.Context, plan *Plan) (took []time.Duration, failed []error, err error) {
	at := Progress{}
	for _, c := range plan.Cases {
		at.Total += len(c.Wanted)
	}
	took, failed = make([]time.Duration, len(plan.Cases)), make([]error, len(plan.Cases))
	for i := range plan.Cases {
		c := &plan.Cases[i]
		if r.Progress != nil {
			at.Next = c.Written(c.Wanted)[0]
			r.Progress(at)
		}
		began := time.Now()
		_, _, failed[i] = r.sample(ctx, c, plan.task(&block{}, c, c.Wanted))
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		took[i] = time.Since(began)
		at.Done += len(c.Wanted)
	}
	return took, failed, nil
}
