// impls/uprobe/lookstwice.go
// variant("looks-twice", "inc-not-zero that searches again after a miss", "a test", impls.Sound, &looksTwice),

package uprobe

var looksTwice = incNotZero.with(func(p *Policy) {
	p.hit = func(h *Hitter, k Key) (called int) {
		if called = hitInSection(h, k); called == 0 {
			called = hitInSection(h, k)
		}
		return called
	}
})
