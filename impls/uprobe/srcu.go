package uprobe

// srcuHits: as incNotZero, but its read sections are SRCU's, as was proposed first. They have
// a full fence at both ends, and write to counters that belong to the CPU.
var srcuHits = incNotZero.with(func(p *Policy) { p.flavour = "srcu" })
