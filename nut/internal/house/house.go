package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// A File is one file of the module: its path from the root, with slashes, and its text.
type File struct {
	Path string
	Text []byte
}

// A Breach is one place where a rule does not hold.
type Breach struct {
	File   string
	Line   int
	Rule   string
	What   string // what was found
	Remedy string // what to do instead
}

// String is the breach on one line, file:line first, as editors want it.
func (b Breach) String() string {
	return fmt.Sprintf("%s:%d: %s: %s; %s", b.File, b.Line, b.Rule, b.What, b.Remedy)
}

// Check returns every breach of the rules in the files of a module, in the order of the files.
func Check(files []File) []Breach {
	t := load(files)
	for _, r := range rules {
		t.rule = r
		r.check(t)
	}
	slices.SortStableFunc(t.breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return t.breaches
}

// A tree is a loaded module.
type tree struct {
	files    []File
	fset     *token.FileSet
	sources  []*source  // Go files without tests, in the order of files
	packages []*folder  // in the order of their paths
	info     types.Info // of all packages together

	rule     rule
	breaches []Breach
}

// A source is one parsed Go file.
type source struct {
	path string
	pkg  *folder
	ast  *ast.File
}

// A folder is one package.
type folder struct {
	path    string // from the root of the module
	sources []*source
	typed   *types.Package
	open    bool // being typed: an import that finds it so is a cycle
}

func load(files []File) *tree {
	t := &tree{files: files, fset: token.NewFileSet(), info: types.Info{
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
		Types: map[ast.Expr]types.TypeAndValue{},
	}}
	foreign := nested(files)
	for _, f := range files {
		ours := !slices.ContainsFunc(foreign, func(dir string) bool { return below(f.Path, dir) })
		if ours && strings.HasSuffix(f.Path, ".go") && !strings.HasSuffix(f.Path, "_test.go") {
			t.parse(f)
		}
	}
	for _, p := range t.packages {
		t.Import(Module + "/" + p.path)
	}
	return t
}

// nested returns the folders that are modules of their own, with their own dependencies. The rules
// for Go files end there.
func nested(files []File) []string {
	var dirs []string
	for _, f := range files {
		if dir, name := path.Split(f.Path); name == "go.mod" && dir != "" {
			dirs = append(dirs, path.Clean(dir))
		}
	}
	return dirs
}

func (t *tree) parse(f File) {
	parsed, err := parser.ParseFile(t.fset, f.Path, f.Text,
		parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.breaches = append(t.breaches, Breach{f.Path, 1, "syntax", err.Error(), "make it compile"})
		return
	}
	dir := path.Dir(f.Path)
	i, found := slices.BinarySearchFunc(t.packages, dir, func(p *folder, dir string) int {
		return cmp.Compare(p.path, dir)
	})
	if !found {
		t.packages = slices.Insert(t.packages, i, &folder{path: dir})
	}
	s := &source{path: f.Path, pkg: t.packages[i], ast: parsed}
	t.packages[i].sources = append(t.packages[i].sources, s)
	t.sources = append(t.sources, s)
}

// hollow is a package from outside the module: its path and name, and nothing in it.
func hollow(importPath string) *types.Package {
	name := path.Base(importPath)
	if major := strings.TrimLeft(name, "v0123456789") == ""; major {
		name = path.Base(path.Dir(importPath))
	}
	p := types.NewPackage(importPath, name)
	p.MarkComplete()
	return p
}

// Import types one package of the module; it makes tree a types.Importer.
func (t *tree) Import(importPath string) (*types.Package, error) {
	dir, ok := strings.CutPrefix(importPath, Module+"/")
	i := slices.IndexFunc(t.packages, func(p *folder) bool { return p.path == dir })
	if !ok || i < 0 || t.packages[i].open {
		return hollow(importPath), nil
	}
	p := t.packages[i]
	if p.typed != nil {
		return p.typed, nil
	}
	var parsed []*ast.File
	for _, s := range p.sources {
		parsed = append(parsed, s.ast)
	}
	p.open = true
	defer func() { p.open = false }()
	// What comes from outside the module has no type and is no error: the compiler checks that.
	conf := types.Config{Importer: t, Error: func(error) {}}
	p.typed, _ = conf.Check(importPath, t.fset, parsed, &t.info)
	return p.typed, nil
}

// report records a breach of the rule at hand.
func (t *tree) report(at token.Pos, format string, args ...any) {
	p := t.fset.Position(at)
	t.reportLine(p.Filename, p.Line, fmt.Sprintf(format, args...))
}

func (t *tree) reportLine(file string, line int, what string) {
	t.breaches = append(t.breaches, Breach{file, line, t.rule.name, what, t.rule.remedy})
}

// virtual returns the sources whose code runs in virtual time.
func (t *tree) virtual() []*source {
	var in []*source
	for _, s := range t.sources {
		adapter := false
		for _, a := range Adapters {
			adapter = adapter || s.path == a.Path ||
				strings.HasSuffix(a.Path, "/") && strings.HasPrefix(s.path, a.Path)
		}
		virtual := func(part string) bool { return below(s.path, part) }
		if !adapter && slices.ContainsFunc(Virtual, virtual) {
			in = append(in, s)
		}
	}
	return in
}

// below reports whether name is part or is in it.
func below(name, part string) bool {
	return name == part || strings.HasPrefix(name, part+"/")
}

// member returns the package and the name that a selector such as time.Now means, "" if its left
// side is not a package.
func (t *tree) member(e ast.Node) (pkg, name string) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	p, ok := t.info.Uses[id].(*types.PkgName)
	if !ok {
		return "", ""
	}
	return p.Imported().Path(), sel.Sel.Name
}
