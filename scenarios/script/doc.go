// Package script runs scenarios: testscript files that declare a data room, hurt it, and say what
// must happen. The same file runs on every rung (package rung).
//
// A scenario is a page that someone on call can read; scenarios/*.txtar are the examples. The words
// of the language are the table in words.go, from which [Usage] prints the manual; what can be
// asked about the room (`host nas is up`, `ups rack status has OB`) is in conditions.go.
//
// [Run] runs one file and returns what happened; the oracles of package check watch every run, so
// that a scenario says only what is special about it.
package script
