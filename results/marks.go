package results

import (
	"bytes"
	"math"
)

// Facts are what the lines of tpbench say about a file as a whole.
type Facts struct {
	Planned int // samples the run set out to take; 0 if the file has no "# plan" line

	// Complete: the file ends in "# end complete" or "# end decided".
	Complete bool

	// Decided is the number of samples after which the run ended, because its question was
	// decided; 0 if it did not.
	Decided int

	Losses []Loss // each once, but for those that a later session made good
	Healed int    // samples that one session lost and a later one has taken

	// Superseded counts the samples that the file keeps as comments: their blocks were
	// disturbed, and taken again.
	Superseded int

	// Rearranged: the lines are not in the order in which tpbench wrote them. A sample is
	// twice in its round or above any block, so those that stand below one "# block" line
	// need not be of one block.
	Rearranged bool
}

// Marks are the lines of tpbench. Any other line with '#' is a comment.
const markForms = `"# plan N samples", "# session ID", "# block N round N [layout N] [build N]", "# sample at TIME tried N kept N shared N [disturbed]", "# superseded BenchmarkName ...", "# again: reason", "# lost round N BenchmarkName: reason", "# end complete", "# end decided N of N samples", "# end incomplete ..." or "# end interrupted ..."`

// marks are what the lines of tpbench have said so far.
type marks struct {
	Facts
	sessions int
	blocks   int
	place    Place  // of the samples below the last "# block" line
	taking   Taking // of the benchmark in the next line
}

// nowhere is the place of a sample that no "# block" line is about.
var nowhere = Place{Block: NoBlock, Round: NoBlock, Layout: NoLayout, Build: NoBuild}

// read reads a line that begins with '#'. It returns false if it begins as a mark and is none;
// what it would have said is then unknown.
func (m *marks) read(line []byte) bool {
	p := phrase{rest: line}
	if !p.has("# ") {
		return true
	}
	switch string(p.word()) {
	case "plan":
		p.want(" ")
		n := p.number()
		if p.want(" samples"); p.ends() {
			m.Planned = n
		}
	case "session":
		p.want(" ")
		p.hex()
		m.sessions++
	case "block":
		m.block(&p)
	case "sample":
		m.sample(&p)
	case "superseded":
		p.want(" Benchmark")
		p.field()
		p.want(" ")
		if p.text() != "" {
			m.Superseded++
		}
	case "again":
		p.want(": ")
		p.text()
	case "lost":
		m.lost(&p)
	case "end":
		m.end(&p)
	default:
		return true
	}
	return p.ends()
}

func (m *marks) block(p *phrase) {
	m.blocks++
	m.place = nowhere // should the line be broken
	m.place.Session = m.sessions
	b := m.place
	p.want(" ")
	b.Block = p.number()
	p.want(" round ")
	b.Round = p.number()
	if p.has(" layout ") {
		b.Layout = p.number()
	}
	if p.has(" build ") {
		b.Build = p.number()
	}
	if p.ends() {
		m.place = b
	}
}

func (m *marks) sample(p *phrase) {
	var t Taking
	p.want(" at ")
	if t.At.UnmarshalText(p.field()) != nil {
		p.bad = true
	}
	p.want(" tried ")
	t.Tried = p.number()
	p.want(" kept ")
	t.Kept = p.number()
	p.want(" shared ")
	t.Shared = p.number()
	t.Disturbed = p.has(" disturbed")
	if p.ends() {
		m.taking = t
	}
}

func (m *marks) lost(p *phrase) {
	var l Loss
	p.want(" round ")
	l.Round = p.number()
	p.want(" Benchmark")
	name := p.field()
	if last := len(name) - 1; last > 0 && name[last] == ':' {
		l.Name = Visible(string(name[:last]))
	} else {
		p.bad = true
	}
	p.want(" ")
	if l.Reason = p.text(); p.ends() {
		m.Losses = append(m.Losses, l)
	}
}

func (m *marks) end(p *phrase) {
	m.Complete, m.Decided = false, 0
	switch {
	case p.has(" complete"):
		m.Complete = p.ends()
	case p.has(" decided "):
		n := p.number()
		p.want(" of ")
		p.number()
		if p.want(" samples"); p.ends() {
			m.Complete, m.Decided = true, n
		}
	case p.has(" interrupted "), p.has(" incomplete "):
		p.rest = nil // for people
	default:
		p.bad = true
	}
}

// A phrase is the rest of a mark, from which its parts are taken one after the other.
type phrase struct {
	rest []byte
	bad  bool // a part was not there
}

// has takes a text away, if it is next.
func (p *phrase) has(text string) bool {
	if len(p.rest) < len(text) || string(p.rest[:len(text)]) != text {
		return false
	}
	p.rest = p.rest[len(text):]
	return true
}

func (p *phrase) want(text string) {
	if !p.has(text) {
		p.bad = true
	}
}

// take takes bytes away as long as they are of the kind, and wants one at least.
func (p *phrase) take(kind func(byte) bool) []byte {
	n := 0
	for n < len(p.rest) && kind(p.rest[n]) {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	p.bad = p.bad || n == 0
	return taken
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (p *phrase) word() []byte {
	return p.take(func(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' })
}

func (p *phrase) hex() []byte {
	return p.take(func(c byte) bool { return digit(c) || 'a' <= c && c <= 'f' })
}

func (p *phrase) field() []byte {
	n := bytes.IndexByte(p.rest, ' ')
	if n < 0 {
		n = len(p.rest)
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	p.bad = p.bad || n == 0
	return taken
}

func (p *phrase) number() int {
	v, n := 0, 0
	for ; n < len(p.rest) && digit(p.rest[n]); n++ {
		if v > (math.MaxInt-9)/10 {
			p.bad = true
			return 0
		}
		v = 10*v + int(p.rest[n]-'0')
	}
	p.rest = p.rest[n:]
	p.bad = p.bad || n == 0
	return v
}

// text takes the rest, which is for people.
func (p *phrase) text() string {
	text := p.rest
	p.rest = nil
	p.bad = p.bad || len(text) == 0
	return Visible(string(text))
}

func (p *phrase) ends() bool { return !p.bad && len(p.rest) == 0 }
