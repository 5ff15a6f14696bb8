//go:build steps || race

package dispatch

// hooks is how many calls of hook_amd64.s an iterator has in this build; a body has
// one, in place of the load of its data.
const hooks = 2

func init() { bodyText[dataAt] = "call @" }
