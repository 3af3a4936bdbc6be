//! Which files an app opens for writing, as far as its Python says by name. Read from the syntax tree.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt};
use ruff_text_size::{Ranged, TextSize};

use crate::app::python::Module;

/// Where some ports have the root of the file system.
const ROOTS: [&str; 2] = ["flash/", "sd/"];

/// What a name may stand for. A name with no text stands for something that the file does not say.
type Names = BTreeMap<String, BTreeSet<String>>;

/// Each path that the file writes, as it is seen from the root of the board, and the first line that does.
pub(crate) fn in_module(module: &Module) -> BTreeMap<String, usize> {
    let mut search = Search { scopes: vec![Names::new()], ..Search::default() };
    search.bind(module.body());
    search.visit_body(module.body());
    search.found.into_iter().map(|(path, place)| (path, module.line_at(place))).collect()
}

#[derive(Default)]
struct Search {
    /// The names of the file, of the function in it, of the function in that one.
    scopes: Vec<Names>,
    /// What is assigned to attributes, of whatever object.
    attributes: Names,
    found: BTreeMap<String, TextSize>,
}

impl Search {
    /// Learns what the names of a body stand for, those of the functions in it excepted.
    fn bind(&mut self, body: &[Stmt]) {
        let mut names = Bound::default();
        names.visit_body(body);
        for global in &names.global {
            names.local.remove(global);
        }
        self.attributes.extend(names.attributes);
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(names.local);
        }
    }

    /// The texts that an expression may be.
    fn texts(&self, expr: &Expr) -> BTreeSet<String> {
        match expr {
            Expr::Name(name) => {
                let known = self.scopes.iter().rev().find_map(|scope| scope.get(name.id.as_str()));
                known.cloned().unwrap_or_default()
            }
            Expr::Attribute(attribute) if attribute.value.is_name_expr() => {
                self.attributes.get(attribute.attr.as_str()).cloned().unwrap_or_default()
            }
            other => literal(other).into_iter().collect(),
        }
    }

    fn writes(&mut self, path: &Expr, place: TextSize) {
        for text in self.texts(path) {
            self.found.entry(on_board(&text)).or_insert(place);
        }
    }

    fn called(&mut self, call: &ExprCall) {
        let function = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => match (&*attribute.value, attribute.attr.as_str()) {
                (Expr::Name(name), "open") if ["io", "uio", "builtins"].contains(&name.id.as_str()) => "open",
                (Expr::Name(name), "rename") if ["os", "uos"].contains(&name.id.as_str()) => "rename",
                _ => return,
            },
            _ => return,
        };
        let arguments = &call.arguments;
        match function {
            "open" => {
                let path = arguments.find_argument_value("file", 0);
                let mode = arguments.find_argument_value("mode", 1);
                let mode = mode.map(|mode| self.texts(mode)).unwrap_or_default();
                if let Some(path) =
                    path.filter(|_| mode.iter().any(|mode| mode.contains(['w', 'a', 'x', '+'])))
                {
                    self.writes(path, call.start());
                }
            }
            "rename" => {
                if let Some(path) = arguments.args.get(1) {
                    self.writes(path, call.start());
                }
            }
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Search {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let Stmt::FunctionDef(function) = stmt else { return walk_stmt(self, stmt) };
        // What is in the parameters is seen from outside.
        self.visit_parameters(&function.parameters);
        self.scopes.push(parameters(&function.parameters));
        self.bind(&function.body);
        self.visit_body(&function.body);
        self.scopes.pop();
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            self.called(call);
        }
        walk_expr(self, expr);
    }
}

/// Names that are assigned in a body.
#[derive(Default)]
struct Bound {
    local: Names,
    attributes: Names,
    global: BTreeSet<String>,
}

impl Bound {
    fn assigned(&mut self, target: &Expr, value: Option<&Expr>) {
        match target {
            Expr::Name(name) => {
                self.local.entry(name.id.to_string()).or_default().extend(value.and_then(literal));
            }
            Expr::Attribute(attribute) => {
                let known = self.attributes.entry(attribute.attr.to_string()).or_default();
                known.extend(value.and_then(literal));
            }
            Expr::Tuple(targets) => {
                let values = value.and_then(Expr::as_tuple_expr);
                for (at, target) in targets.elts.iter().enumerate() {
                    self.assigned(target, values.and_then(|values| values.elts.get(at)));
                }
            }
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Bound {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(line) => {
                line.targets.iter().for_each(|target| self.assigned(target, Some(&line.value)));
            }
            Stmt::AnnAssign(line) => self.assigned(&line.target, line.value.as_deref()),
            Stmt::For(steps) => self.assigned(&steps.target, None),
            Stmt::With(with) => {
                for item in &with.items {
                    item.optional_vars.iter().for_each(|target| self.assigned(target, None));
                }
            }
            Stmt::Global(global) => self.global.extend(global.names.iter().map(ToString::to_string)),
            // What a class or the methods of one assign to `self` are attributes of some object.
            Stmt::ClassDef(class) => {
                let mut inside = Self::default();
                inside.visit_body(&class.body);
                for method in class.body.iter().filter_map(Stmt::as_function_def_stmt) {
                    inside.visit_body(&method.body);
                }
                self.attributes.extend(inside.local);
                self.attributes.extend(inside.attributes);
                return;
            }
            Stmt::FunctionDef(_) => return,
            _ => {}
        }
        walk_stmt(self, stmt);
    }
}

/// The parameters of a function, with what they are where they are not given.
fn parameters(parameters: &Parameters) -> Names {
    let mut names = Names::new();
    for parameter in parameters.iter_non_variadic_params() {
        let known = names.entry(parameter.parameter.name.to_string()).or_default();
        known.extend(parameter.default().and_then(literal));
    }
    names
}

/// A text, also in `const(...)`.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        Expr::Call(call) if call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "const") => {
            literal(call.arguments.args.first()?)
        }
        _ => None,
    }
}

/// The path as a release has it.
fn on_board(path: &str) -> String {
    let mut path = path.trim_start_matches("./");
    if let Some(absolute) = path.strip_prefix('/') {
        path = absolute.trim_start_matches('/');
        path = ROOTS.iter().find_map(|root| path.strip_prefix(root)).unwrap_or(path);
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::python;

    fn wrong(cases: &[(&str, &[(&str, usize)])]) -> Vec<String> {
        let found = cases.iter().filter_map(|(text, wanted)| {
            let found = python::look(text.as_bytes(), in_module).unwrap_or_default();
            let wanted = wanted.iter().map(|(path, line)| ((*path).to_owned(), *line)).collect();
            (found != wanted).then(|| format!("{text}: {found:?}"))
        });
        found.collect()
    }

    #[test]
    fn files_that_are_written_are_found_with_their_line() {
        let cases: &[(&str, &[(&str, usize)])] = &[
            ("open('c.json', 'w')\n", &[("c.json", 1)]),
            ("x = 1\n\nf = open('c.json', 'wb')\n", &[("c.json", 3)]),
            ("open('c.json', 'a')\nopen('c.json', 'w')\n", &[("c.json", 1)]),
            ("open('c.json', 'r+')\n", &[("c.json", 1)]),
            ("open('c.json', 'x')\n", &[("c.json", 1)]),
            ("open('c.json', mode='w')\n", &[("c.json", 1)]),
            ("open('/c.json', 'w')\nopen('./d/e', 'w')\n", &[("c.json", 1), ("d/e", 2)]),
            ("open('/flash/c.json', 'w')\n", &[("c.json", 1)]),
            ("with open('c.json', 'w') as f, open('d', 'w') as g:\n    pass\n", &[("c.json", 1), ("d", 1)]),
            ("json.dump(x, open('c.json', 'w'))\n", &[("c.json", 1)]),
            ("import io\nio.open('c.json', 'w')\n", &[("c.json", 2)]),
            ("FILE = 'c.json'\ndef f():\n    open(FILE, 'w')\n", &[("c.json", 3)]),
            ("def f():\n    open(FILE, 'w')\nFILE = 'c.json'\n", &[("c.json", 2)]),
            ("FILE: str = 'c.json'\nopen(FILE, 'w')\n", &[("c.json", 2)]),
            ("_FILE = const('c.json')\nopen(_FILE, 'w')\n", &[("c.json", 2)]),
            ("A, B = 'c.json', 'd'\nopen(A, 'w')\nopen(B)\n", &[("c.json", 2)]),
            ("A = 'c.json'\nB = 'w'\nopen(A, B)\n", &[("c.json", 3)]),
            ("if x:\n    F = 'c'\nelse:\n    F = 'd'\nopen(F, 'w')\n", &[("c", 5), ("d", 5)]),
            ("def f():\n    p = 'c.json'\n    open(p, 'w')\n", &[("c.json", 3)]),
            ("def f(p='c.json'):\n    open(p, 'w')\n", &[("c.json", 2)]),
            (
                "F = None\ndef f():\n    global F\n    F = 'c'\nF = 'd'\ndef g():\n    open(F, 'w')\n",
                &[("d", 7)],
            ),
            ("class A:\n    F = 'c.json'\n    def f(self):\n        open(self.F, 'w')\n", &[("c.json", 4)]),
            (
                "class A:\n    def __init__(self):\n        self.f = 'c'\n    def g(self):\n        open(self.f, 'w')\n",
                &[("c", 5)],
            ),
            ("try:\n    pass\nexcept OSError:\n    open('c.json', 'w')\n", &[("c.json", 4)]),
            ("async def f():\n    open('c.json', 'w')\n", &[("c.json", 2)]),
            ("import os\nos.rename('c.tmp', 'c.json')\n", &[("c.json", 2)]),
            ("import uos\nuos.rename('c.tmp', '/c.json')\n", &[("c.json", 2)]),
            ("from os import rename\nrename('c.tmp', 'c.json')\n", &[("c.json", 2)]),
            ("f = lambda: open('c.json', 'w')\n", &[("c.json", 1)]),
        ];
        assert_eq!(wrong(cases), Vec::<String>::new());
        println!("  cases {}: files that are written", cases.len());
        assert_eq!(cases.len(), 29);
    }

    #[test]
    fn files_that_are_read_or_not_named_are_not() {
        let cases: &[(&str, &[(&str, usize)])] = &[
            ("open('c.json')\n", &[]),
            ("open('c.json', 'r')\n", &[]),
            ("open('c.json', 'rb')\n", &[]),
            ("open('c.json', mode)\n", &[]),
            ("open(name, 'w')\n", &[]),
            ("open('c' + x, 'w')\n", &[]),
            ("open('c.json', encoding='w')\n", &[]),
            ("FILE = 'c.json'\ndef f(FILE):\n    open(FILE, 'w')\n", &[]),
            ("FILE = 'c.json'\ndef f():\n    for FILE in x:\n        open(FILE, 'w')\n", &[]),
            ("FILE = 'c.json'\ndef f():\n    FILE = g()\n    open(FILE, 'w')\n", &[]),
            ("socket.open('c.json', 'w')\n", &[]),
            ("import os\nos.rename('c.json', 'old')\n", &[("old", 2)]),
            ("# open('c.json', 'w')\n", &[]),
            ("'''open('c.json', 'w')'''\n", &[]),
            ("def open_it(p, m):\n    pass\nopen_it('c.json', 'w')\n", &[]),
        ];
        assert_eq!(wrong(cases), Vec::<String>::new());
        println!("  cases {}: files that are not written", cases.len());
        assert_eq!(cases.len(), 15);
    }
}
