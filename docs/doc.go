// Package docs has the documents of the project, and the tests that hold them against
// the code: every command in them works.
package docs
