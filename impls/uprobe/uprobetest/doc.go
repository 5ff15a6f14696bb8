// Package uprobetest is the conformance kit of package uprobe: what every sound variant
// does, against a model that is a map from keys to lists of consumers.
package uprobetest
