package uprobe

// FailAfter makes the allocation of a uprobe fail after n more have succeeded.
func (t *Table) FailAfter(n int) { t.uprobes.FailAfter(n) }

// WaitsOfRemoval is how many grace periods a removal waits for, or a batch of removals: none if hits
// do not pin by a read section.
func (p *Policy) WaitsOfRemoval() uint64 {
	if p.sections {
		return 1
	}
	return 0
}
