package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A rule looks at the whole tree and reports where it is broken.
type rule struct {
	name   string
	remedy string
	check  func(*tree)
}

// rules are the rules of the house. Every one has a planted breach in the test.
var rules = []rule{
	{"layers", "imports go down only: see Layers in " + here, layers},
	{"foreign", "use what the module has, or add a line with a reason to Foreign in " + here, foreign},
	{"machine", "ask env.Env for it", machine},
	{"clock", "use e.Now, e.Wall, e.Sleep or a deadline", clock},
	{"tasks", "use e.Go, e.Scope and env.Inbox", tasks},
	{"random", "draw from e.Rand()", random},
	{"map order", "range over slices.Sorted(maps.Keys(m)), sort in the next statement, or write `" +
		orderMark + " why` above the loop", mapOrder},
	{"integers", "count in mV, mWs and ms: floats differ between processors", integers},
	{"package comment", "say in one file, doc.go if there are several, what the package is",
		packageComment},
	{"init", "call it from main, or make it a value", noInit},
	{"package variable", "keep state in a value that main makes; a package variable never changes",
		packageVar},
	{"documented", "say what it is for, beginning with its name", documented},
	{"length", "split it; a parent branches, leaves are pure", length},
	{"width", "wrap it: a line of Go has at most 100 columns, a tab being four of them", width},
	{"top level", "put it into one of the rooms: see TopLevel in " + here, topLevel},
	{"text", "write for someone who has only this tree", text},
}

const (
	here     = "nut/internal/house/tables.go"
	hereWide = "nut/internal/house/wide.go"
)

func layers(t *tree) {
	for _, s := range t.sources {
		from := partOf(s.pkg.path)
		for _, imp := range s.ast.Imports {
			target, ok := strings.CutPrefix(importPath(imp), Module+"/")
			if !ok {
				continue
			}
			to := partOf(target)
			if to != from && !slices.Contains(mayImport(from), to) {
				t.report(imp.Pos(), "%s imports %s", s.pkg.path, target)
			}
		}
	}
}

// partOf returns the longest part of Layers that dir is below, "" if there is none.
func partOf(dir string) string {
	longest := ""
	for _, l := range Layers {
		if below(dir, l.Part) && len(l.Part) > len(longest) {
			longest = l.Part
		}
	}
	return longest
}

func mayImport(part string) []string {
	for _, l := range Layers {
		if l.Part == part {
			return strings.Fields(l.May)
		}
	}
	return nil
}

func importPath(s *ast.ImportSpec) string {
	p, err := strconv.Unquote(s.Path.Value)
	if err != nil {
		return s.Path.Value
	}
	return p
}

func foreign(t *tree) {
	for _, s := range t.sources {
		for _, imp := range s.ast.Imports {
			p := importPath(imp)
			domain, _, _ := strings.Cut(p, "/")
			if !strings.Contains(domain, ".") || strings.HasPrefix(p, Module) {
				continue // the standard library, or ours
			}
			if !mayUse(s.pkg.path, p) {
				t.report(imp.Pos(), "%s imports %s", s.pkg.path, p)
			}
		}
	}
}

func mayUse(dir, importPath string) bool {
	for _, f := range Foreign {
		if below(importPath, f.Path) {
			return slices.ContainsFunc(strings.Fields(f.May),
				func(part string) bool { return below(dir, part) })
		}
	}
	return false
}

// worldly are packages through which a program would touch the machine behind Env's back.
var worldly = []string{
	"net", "net/http", "net/rpc", "net/smtp", "os", "os/exec", "os/signal", "os/user", "syscall",
	"io/ioutil", "log", "log/syslog", "crypto/rand", "golang.org/x/sys",
}

// harmless are members of worldly packages that only compute. A package with such members may be
// imported for them.
var harmless = map[string][]string{
	"net": {"JoinHostPort", "SplitHostPort"},
	"syscall": {"Errno", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "EACCES", "ECONNREFUSED",
		"ENOTEMPTY"},
}

func machine(t *tree) {
	for _, s := range t.virtual() {
		for _, imp := range s.ast.Imports {
			p := importPath(imp)
			named := imp.Name == nil || imp.Name.Name != "_" && imp.Name.Name != "."
			if !slices.Contains(worldly, p) && !below(p, "golang.org/x/sys") || harmless[p] != nil && named {
				continue
			}
			t.report(imp.Pos(), "imports %s", p)
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if pkg, name := t.member(n); harmless[pkg] != nil && !slices.Contains(harmless[pkg], name) {
				t.report(n.Pos(), "%s.%s", pkg, name)
			}
			return true
		})
	}
}

// ticking are the functions of package time that read or wait for the real clock.
var ticking = []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick",
	"Since", "Until"}

func clock(t *tree) {
	for _, s := range t.virtual() {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			pkg, name := t.member(n)
			switch {
			case pkg == "time" && slices.Contains(ticking, name):
				t.report(n.Pos(), "time.%s", name)
			case pkg == "context" && strings.HasPrefix(name, "With") && name != "WithValue":
				t.report(n.Pos(), "context.%s", name)
			}
			return true
		})
	}
}

func tasks(t *tree) {
	for _, s := range t.virtual() {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.report(n.Pos(), "go statement")
			case *ast.SelectStmt:
				t.report(n.Pos(), "select")
			case *ast.ChanType:
				t.report(n.Pos(), "channel")
			case *ast.SelectorExpr:
				pkg, name := t.member(n)
				if pkg == "sync" && (name == "Cond" || name == "NewCond" || name == "WaitGroup") {
					t.report(n.Pos(), "sync.%s", name)
				}
			}
			return true
		})
	}
}

// seeded are the members of math/rand/v2 that do not draw from the process's own stream.
var seeded = []string{"Rand", "New", "Source", "PCG", "NewPCG", "ChaCha8", "NewChaCha8", "Zipf",
	"NewZipf"}

func random(t *tree) {
	for _, s := range t.virtual() {
		for _, imp := range s.ast.Imports {
			if importPath(imp) == "math/rand" {
				t.report(imp.Pos(), "imports math/rand")
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if pkg, name := t.member(n); pkg == "math/rand/v2" && !slices.Contains(seeded, name) {
				t.report(n.Pos(), "rand.%s", name)
			}
			return true
		})
	}
}

func integers(t *tree) {
	for _, s := range t.sources {
		if !below(s.path, "devsim/power") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			v, isVar := t.info.Defs[id].(*types.Var)
			if id.Name == "float64" || id.Name == "float32" || isVar && isFloat(v.Type()) {
				t.report(n.Pos(), "%s is a float", id.Name)
			}
			return true
		})
	}
}

func isFloat(typ types.Type) bool {
	b, ok := typ.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

func packageComment(t *tree) {
	for _, p := range t.packages {
		said := 0
		for _, s := range p.sources {
			if s.ast.Doc == nil {
				continue
			}
			said++
			name := s.ast.Name.Name
			if name != "main" && !strings.HasPrefix(s.ast.Doc.Text(), "Package "+name+" ") {
				t.report(s.ast.Doc.Pos(), "does not begin with 'Package %s'", name)
			}
		}
		if said != 1 {
			t.report(p.sources[0].ast.Package, "%s has %d package comments, want 1", p.path, said)
		}
	}
}

func noInit(t *tree) {
	for _, s := range t.sources {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.report(f.Pos(), "func init")
			}
		}
	}
}

func packageVar(t *tree) {
	for _, s := range t.sources {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, lhs := range n.Lhs {
					t.unchanged(lhs)
				}
			case *ast.IncDecStmt:
				t.unchanged(n.X)
			}
			return true
		})
	}
}

// unchanged reports e if it is a package variable or a part of one.
func (t *tree) unchanged(e ast.Expr) {
	var id *ast.Ident
	for id == nil {
		switch x := e.(type) {
		case *ast.Ident:
			id = x
		case *ast.SelectorExpr:
			if pkg, _ := t.member(x); pkg != "" {
				id = x.Sel
			} else {
				e = x.X
			}
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return
		}
	}
	v, ok := t.info.Uses[id].(*types.Var)
	if ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		t.report(e.Pos(), "%s is changed", v.Name())
	}
}

func length(t *tree) {
	var seen []string
	for _, s := range t.sources {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := t.fset.Position(f.End()).Line - t.fset.Position(f.Pos()).Line + 1
			if lines <= FuncLimit {
				continue
			}
			name := s.pkg.path + "." + funcName(f)
			seen = append(seen, name)
			if !slices.Contains(Long, LongFunc{name, lines}) {
				t.report(f.Pos(), "%s has %d lines, more than %d", name, lines, FuncLimit)
			}
		}
	}
	for _, l := range Long {
		if !slices.Contains(seen, l.Func) && t.holds(here) {
			t.reportLine(here, 1, "Long lists "+l.Func+", which is no longer long: take the line out")
		}
	}
}

// width reports files with more wide lines than Wide excuses, and excuses that nobody needs. Tables
// in tests may be as wide as they want.
func width(t *tree) {
	excused := map[string]int{}
	for _, w := range Wide {
		excused[w.File] = w.Lines
	}
	for _, f := range t.files {
		if !strings.HasSuffix(f.Path, ".go") || strings.HasSuffix(f.Path, "_test.go") {
			continue
		}
		last, wide := 0, 0
		for i, line := range strings.Split(string(f.Text), "\n") {
			if utf8.RuneCountInString(line)+3*strings.Count(line, "\t") > LineLimit {
				last, wide = i+1, wide+1
			}
		}
		switch allowed := excused[f.Path]; {
		case wide > allowed:
			t.reportLine(f.Path, last, fmt.Sprintf("%d lines have more than %d columns, %d may",
				wide, LineLimit, allowed))
		case wide == 0 && allowed > 0:
			t.reportLine(hereWide, 1, "Wide lists "+f.Path+", which has no wide line any more: "+
				"take it out")
		}
	}
}

// holds reports whether the tree has the file: planted trees do not hold the tables.
func (t *tree) holds(name string) bool {
	return slices.ContainsFunc(t.files, func(f File) bool { return f.Path == name })
}

func topLevel(t *tree) {
	told := ""
	for _, f := range t.files {
		top, _, _ := strings.Cut(f.Path, "/")
		if top != told && !strings.HasPrefix(top, ".") && !slices.Contains(TopLevel, top) {
			told = top
			t.reportLine(f.Path, 1, top+" at the root")
		}
	}
}

func text(t *tree) {
	for _, f := range t.files {
		if bytes.IndexByte(f.Text, 0) >= 0 {
			continue // not text
		}
		for i, line := range bytes.Split(bytes.ToLower(f.Text), []byte("\n")) {
			for _, w := range Unsaid {
				if bytes.Contains(line, bytes.ToLower([]byte(w))) {
					t.reportLine(f.Path, i+1, strconv.Quote(w))
				}
			}
		}
	}
}
