package torture

func rcuSubjects() []Subject { return nil }
