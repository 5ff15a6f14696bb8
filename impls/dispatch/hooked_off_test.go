//go:build !steps && !race

package dispatch

// hooks is how many calls of hook_amd64.s an iterator has in this build.
const hooks = 0
