package house

import (
	"go/ast"
	"slices"
)

// understood are methods that say nothing more than the interface of the language they implement.
var understood = []string{"Error", "String", "Unwrap"}

// documented finds exported names without a comment. A comment on a group of constants, variables
// or types covers its members.
func documented(t *tree) {
	for _, s := range t.sources {
		if s.ast.Name.Name == "main" {
			continue
		}
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && visible(d) {
					t.report(d.Pos(), "func %s", funcName(d))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					t.documentedSpec(spec, d.Doc != nil)
				}
			}
		}
	}
}

// visible reports whether a function or a method can be seen from outside and needs words.
func visible(f *ast.FuncDecl) bool {
	return f.Recv == nil || ast.IsExported(receiver(f)) && !slices.Contains(understood, f.Name.Name)
}

func (t *tree) documentedSpec(spec ast.Spec, group bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && !group && s.Doc == nil && s.Comment == nil {
			t.report(s.Pos(), "type %s", s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && !group && s.Doc == nil && s.Comment == nil {
				t.report(name.Pos(), "%s", name.Name)
			}
		}
	}
}

// receiver is the name of the type a method belongs to.
func receiver(f *ast.FuncDecl) string {
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// funcName is Func or Type.Func.
func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiver(f) + "." + f.Name.Name
}
