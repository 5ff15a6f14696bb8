package textpoke

// alignedStore writes a site that lies in one aligned word of eight bytes by one store of
// that word. Another CPU fetches all five bytes of the old instruction, or all five of the
// new one. So no thread traps, and threads are interrupted once, not three times.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	store the word
//	                                     fetches the five old bytes, or the five new
//	sync: from here on the new
//
// AMD promises that instruction fetch sees the store of an aligned word as a whole (its rule
// for cross-modifying code). Intel's manual does not promise it without synchronisation,
// though no CPU is known to break it. So this is not the default, and the variant's Check
// looks at the maker of the CPU. cross-line-store shows what happens with a store that is
// seen in two parts.
//
// A site that lies across two words goes through int3s, in one batch with the others of its
// kind. [Counters] has the number of sites that were written by one store.
func alignedStore(work []pokeWork) {
	fits, rest := partition(work)
	if len(fits) > 0 {
		writeTable(fits)
		writeAligned(&fits[0], len(fits))
		syncCores()
		stores.Add(uint64(len(fits)))
	}
	if len(rest) > 0 {
		int3Batch(rest)
	}
}

// partition splits work into the sites that lie in one aligned word, and the rest.
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

// wordSize is how many bytes writeAligned stores at once.
const wordSize = 8
