package torture

func dispatchSubjects() []Subject { return nil }
