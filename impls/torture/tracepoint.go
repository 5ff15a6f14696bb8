package torture

func tracepointSubjects() []Subject { return nil }
