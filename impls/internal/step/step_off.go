//go:build !steps

package step

import "sync"

// Enabled says that this binary was built with the tag steps.
const Enabled = false

// At is a place that a script may stop a thread at.
func At(string) {}

// Wait is a place in a loop that polls for what only another thread can do.
func Wait(string) {}

// Lock takes mu, which a stopped thread may hold.
func Lock(_ string, mu *sync.Mutex) { mu.Lock() }
