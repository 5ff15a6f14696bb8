//go:build !steps

package step

import "sync"

// Enabled says that this binary was built with the tag steps.
const Enabled = false

// At is a place where a script may stop a thread.
func At(string) {}

// Wait is a place in a loop that polls for what another thread does.
func Wait(string) {}

// Lock takes mu, which a thread that is stopped may hold.
func Lock(_ string, mu *sync.Mutex) { mu.Lock() }
