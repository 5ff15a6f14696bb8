package torture

func textpokeSubjects() []Subject { return nil }
