// Package house holds the rules of the house as tests.
//
// What must stay true of the whole tree is checked here and not by memory: who may import whom,
// that the stack touches the world only through env.Env, that nothing observable depends on the
// order of a map. `go test ./nut/internal/house` names file, line, rule and remedy of each breach.
//
// [Check] is a pure function from the files of a module to its breaches, so every rule is tested
// with planted text; the walk over the real tree is in the test. The files are parsed and typed
// here, without asking the go command, since `go test` would then answer from its cache although
// the tree has changed. Packages from outside the module are not loaded: what they would tell is
// not needed, and the whole check takes a fraction of a second.
//
// # To change a rule
//
// Facts are tables: [Layers] says who may import whom, [Foreign] who may use which dependency,
// [Adapters] which files touch the real machine and why. A rule is one line in rules.go and one
// planted breach in the test.
//
// A folder with a go.mod of its own is another module: what is in its Go files is its own affair.
//
// Test files are free of all rules but the one about the project's text: devices, drivers and the
// real machine meet there.
package house
