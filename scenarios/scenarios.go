// Package scenarios holds the scenarios: the *.txtar files beside this one, each a page that says
// what must happen in some power failure. Their language is package script's; `rehearse words`
// prints its manual. A scenario runs on each rung of package rung.
package scenarios

import "embed"

// Files are the scenarios that come with the programs.
//
//go:embed *.txtar
var Files embed.FS
