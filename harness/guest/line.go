package guest

import "errors"

// A message is a line that a guest sends, as JSON. One of its fields is set.
type message struct {
	Ready  *string `json:",omitempty"` // what init says about the guest
	Stdout *string `json:",omitempty"` // a line that the command printed, without its end
	Stderr *string `json:",omitempty"` // likewise
	Exit   *int    `json:",omitempty"` // the command has ended
}

// A Command is a program of the initramfs with its arguments: a line that a guest gets, as JSON. An empty
// line asks it to switch itself off.
type Command struct {
	Program string // Program.Name
	Args    []string
}

// An Exit is how a command ended.
type Exit struct {
	Stdout, Stderr []byte
	Code           int // the exit code; 128+N if signal N killed it; 127 if it could not be started
}

var errNotFirst = errors.New("guest: Init is for the first process of a guest")
