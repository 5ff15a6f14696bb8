package textpoke

// alignedStore writes a site that lies in one aligned word of eight bytes by one store of
// that word. Another CPU fetches all five bytes of the old instruction, or all five of the
// new: nobody traps, and readers are interrupted once, not three times.
//
//	CPU0, updater                        CPU1, reader
//	the word, in one store
//	                                     fetches the old five bytes, or the new
//	sync: from here on, the new
//
// That a store of an aligned word is seen as one by instruction fetch is AMD's promise for
// cross-modifying code; Intel's manual makes none without synchronisation, though no CPU
// is known to break it. So it is not the default, and the variant's Check asks for the maker
// of the CPU. What a store that is not one does is shown by cross-line-store.
//
// A site that lies across two words goes through int3s, in one batch with its like
// ([Counters] tells how many of either kind there were).
func alignedStore(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	return apply(changes, func(work []pokeWork) {
		fits, rest := partition(work)
		if len(fits) > 0 {
			writeTable(fits)
			writeAligned(&fits[0], len(fits))
			syncCores()
			stores.Add(uint64(len(fits)))
		}
		if len(rest) > 0 {
			throughInt3s(rest)
		}
	})
}

// partition brings the sites that lie in one aligned word before the others.
func partition(work []pokeWork) (fits, rest []pokeWork) {
	n := 0
	for i, w := range work {
		if w.pc%wordSize+Size <= wordSize {
			work[i], work[n] = work[n], w
			n++
		}
	}
	return work[:n], work[n:]
}

// wordSize is how much writeAligned stores.
const wordSize = 8
