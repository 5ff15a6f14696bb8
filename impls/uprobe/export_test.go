package uprobe

// FailAfter makes the allocation of a uprobe fail after n more have succeeded.
func (t *Table) FailAfter(n int) { t.uprobes.FailAfter(n) }
