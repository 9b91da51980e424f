package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// orderMark begins the comment that says why a loop over a map may run in any order.
const orderMark = "//house: order does not matter:"

// iterators are the functions of package maps that yield in the order of the map, which is none.
var iterators = []string{"Keys", "Values", "All"}

// mapOrder finds loops over maps, and iterators over them, whose order can be observed. A map is
// known by its type, which the checker has for everything that this module declares.
func mapOrder(t *tree) {
	for _, s := range t.virtual() {
		marks := t.marks(s)
		ast.Inspect(s.ast, func(n ast.Node) bool {
			for i, stmt := range block(n) {
				t.unordered(stmt, i+1 < len(block(n)) && t.sorts(block(n)[i+1]), marks)
			}
			return true
		})
	}
}

// block returns the statements that follow one another directly below n.
func block(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// marks returns the lines that a comment with the mark excuses: its own and the next.
func (t *tree) marks(s *source) []int {
	var lines []int
	for _, g := range s.ast.Comments {
		for _, c := range g.List {
			if why, ok := strings.CutPrefix(c.Text, orderMark); ok && strings.TrimSpace(why) != "" {
				line := t.fset.Position(c.Pos()).Line
				lines = append(lines, line, t.fset.Position(g.End()).Line+1)
			}
		}
	}
	return lines
}

// unordered reports what stands in the statement itself, not in blocks below it.
func (t *tree) unordered(stmt ast.Stmt, sortedNext bool, marks []int) {
	excused := func(at token.Pos) bool { return slices.Contains(marks, t.fset.Position(at).Line) }
	var inSorted ast.Node // the call that an iterator may stand in
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			return n == ast.Node(stmt)
		case *ast.RangeStmt:
			if t.isMap(n.X) && !sortedNext && !excused(n.Pos()) {
				t.report(n.Pos(), "range over a map")
			}
		case *ast.CallExpr:
			pkg, name := t.member(n.Fun)
			if pkg == "slices" && strings.HasPrefix(name, "Sorted") && len(n.Args) > 0 {
				inSorted = n.Args[0]
			}
			if pkg == "maps" && slices.Contains(iterators, name) && n != inSorted && !sortedNext &&
				!excused(n.Pos()) {
				t.report(n.Pos(), "maps.%s", name)
			}
		}
		return true
	})
}

func (t *tree) isMap(e ast.Expr) bool {
	typ := t.info.Types[e].Type
	if id, ok := e.(*ast.Ident); ok && typ == nil && t.info.Uses[id] != nil {
		typ = t.info.Uses[id].Type()
	}
	if typ == nil {
		return false
	}
	_, ok := typ.Underlying().(*types.Map)
	return ok
}

// sorts reports whether a statement puts something in order.
func (t *tree) sorts(stmt ast.Stmt) bool {
	found := false
	ast.Inspect(stmt, func(n ast.Node) bool {
		pkg, name := t.member(n)
		found = found || pkg == "sort" || pkg == "slices" && strings.HasPrefix(name, "Sort")
		return true
	})
	return found
}
