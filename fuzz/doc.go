// Package fuzz holds the properties that span several parts of the project: whole rooms under
// random faults, the same code on two backends. Decoders have their fuzz targets beside them, in
// their own packages; `make fuzz` runs all of them for a moment each.
//
// Start at worlds_test.go; what a room is made of is in draw_test.go.
package fuzz
