//! Does a Python file compile on a board?
//!
//! Python itself takes more than MicroPython does. Known here is only what the syntax tree shows
//! surely; a test holds all of it against the real `mpy-cross`.

use ruff_python_ast::visitor::{Visitor, walk_comprehension, walk_expr, walk_stmt};
use ruff_python_ast::{Arguments, Comprehension, Expr, ExprContext, Stmt};
use ruff_python_parser::UnsupportedSyntaxErrorKind as Newer;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::app::python::{self, Module};

/// What stops a file from compiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The first thing in the file that no board compiles, or `None`.
pub fn check(bytes: &[u8]) -> Option<Fault> {
    python::look(bytes, first_fault).flatten()
}

/// The first thing in a syntax tree that no board compiles.
pub(crate) fn first_fault(module: &Module) -> Option<Fault> {
    if let Some(error) = module.errors().next() {
        return Some(Fault { line: module.line_at(error.location.start()), what: error.error.to_string() });
    }
    let mut limits = Limits::default();
    limits.visit_body(module.body());
    for error in module.newer() {
        let start = error.range.start();
        // Without `as` the same text is a tuple to MicroPython, and compiles.
        let is_tuple = error.kind == Newer::ParenthesizedContextManager
            && !limits.with_as.iter().any(|head| head.contains(start));
        if let Some(what) = missing(error.kind).filter(|_| !is_tuple) {
            limits.found.push((start, what));
        }
    }
    let (place, what) = limits.found.into_iter().min_by_key(|(place, _)| *place)?;
    Some(Fault { line: module.line_at(place), what: what.to_owned() })
}

/// What of the newer Python MicroPython has not got. The rest it has, or takes for something else.
fn missing(kind: Newer) -> Option<&'static str> {
    Some(match kind {
        Newer::Match => "MicroPython has no `match`: use `if` and `elif`",
        Newer::ExceptStar => "MicroPython has no `except*`",
        Newer::TypeAliasStatement => "MicroPython has no `type` statement: assign the type",
        Newer::TypeParameterList => "MicroPython has no type parameters",
        Newer::LazyImportStatement => "MicroPython has no `lazy` import",
        Newer::PositionalOnlyParameter => "MicroPython has no positional-only parameters: leave `/` out",
        Newer::RelaxedDecorator(_) => "MicroPython takes only names and calls of them as decorators",
        Newer::StarExpressionInIndex => "MicroPython has no `*` in an index",
        Newer::StarAnnotation => "MicroPython has no `*` in an annotation",
        Newer::StarTuple(_) | Newer::UnparenthesizedUnpackInFor | Newer::UnpackingInComprehension(_) => {
            UNPACK
        }
        Newer::ParenthesizedContextManager => "MicroPython has no parentheses around the items of `with`",
        Newer::UnparenthesizedExceptionTypes => "exceptions after `except` need parentheses",
        _ => return None,
    })
}

const UNPACK: &str = "MicroPython has no `*` in a list, tuple or set: use `+`, `extend` or `update`";

/// Inside of what a statement stands, as far as functions go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Function,
    Async,
}

/// What is only seen while going through the tree.
#[derive(Default)]
struct Limits {
    found: Vec<(TextSize, &'static str)>,
    /// From `with` to the body, where there is an `as`.
    with_as: Vec<TextRange>,
    place: Place,
    in_loop: bool,
}

impl Limits {
    fn refuse(&mut self, place: impl Ranged, what: &'static str) {
        self.found.push((place.start(), what));
    }

    /// Goes on below with other surroundings.
    fn within(&mut self, place: Place, in_loop: bool, below: impl FnOnce(&mut Self)) {
        let before = (self.place, self.in_loop);
        (self.place, self.in_loop) = (place, in_loop);
        below(self);
        (self.place, self.in_loop) = before;
    }

    fn looped(&mut self, body: &[Stmt], orelse: &[Stmt]) {
        self.within(self.place, true, |inside| inside.visit_body(body));
        self.visit_body(orelse);
    }

    /// A statement that must be in a function, a loop, or nothing.
    fn check_place(&mut self, stmt: &Stmt) {
        let outside = self.place == Place::Outside;
        let is_async =
            matches!(stmt, Stmt::For(a) if a.is_async) || matches!(stmt, Stmt::With(a) if a.is_async);
        match stmt {
            _ if is_async && self.place != Place::Async => {
                self.refuse(stmt, "`async for` or `async with` outside of an `async def`");
            }
            Stmt::Return(_) if outside => self.refuse(stmt, "`return` outside of a function"),
            Stmt::Nonlocal(_) if outside => self.refuse(stmt, "`nonlocal` outside of a function"),
            Stmt::Break(_) if !self.in_loop => self.refuse(stmt, "`break` outside of a loop"),
            Stmt::Continue(_) if !self.in_loop => self.refuse(stmt, "`continue` outside of a loop"),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Limits {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.check_place(stmt);
        match stmt {
            Stmt::FunctionDef(function) => {
                let place = if function.is_async { Place::Async } else { Place::Function };
                self.within(place, false, |inside| walk_stmt(inside, stmt));
            }
            Stmt::ClassDef(_) => self.within(Place::Outside, false, |inside| walk_stmt(inside, stmt)),
            Stmt::For(a) => {
                self.visit_expr(&a.iter);
                self.visit_expr(&a.target);
                self.looped(&a.body, &a.orelse);
            }
            Stmt::While(a) => {
                self.visit_expr(&a.test);
                self.looped(&a.body, &a.orelse);
            }
            Stmt::With(with) => {
                if with.items.iter().any(|item| item.optional_vars.is_some()) {
                    let end = with.body.first().map_or(with.end(), Ranged::start);
                    self.with_as.push(TextRange::new(with.start(), end));
                }
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Lambda(_) => {
                return self.within(Place::Function, false, |inside| walk_expr(inside, expr));
            }
            Expr::Yield(_) | Expr::YieldFrom(_) if self.place == Place::Outside => {
                self.refuse(expr, "`yield` outside of a function");
            }
            Expr::Await(_) if self.place == Place::Outside => {
                self.refuse(expr, "`await` outside of a function");
            }
            Expr::Dict(dict) => {
                if let Some(item) = dict.items.iter().find(|item| item.key.is_none()) {
                    self.refuse(&item.value, "MicroPython has no `**` in a dict: use `update`");
                }
            }
            // In a call it is one of the arguments, which do not come by here.
            Expr::Starred(star) if star.ctx == ExprContext::Load => self.refuse(star, UNPACK),
            _ => {}
        }
        walk_expr(self, expr);
    }

    fn visit_arguments(&mut self, arguments: &'a Arguments) {
        let first_named = arguments.keywords.iter().map(Ranged::start).min();
        for argument in &arguments.args {
            match argument {
                Expr::Starred(star) => {
                    if first_named.is_some_and(|named| named < star.start()) {
                        self.refuse(star, "MicroPython takes no `*` after a named argument");
                    }
                    self.visit_expr(&star.value);
                }
                other => self.visit_expr(other),
            }
        }
        arguments.keywords.iter().for_each(|keyword| self.visit_keyword(keyword));
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        if comprehension.is_async {
            self.refuse(&comprehension.target, "MicroPython has no `async for` in a comprehension");
        }
        walk_comprehension(self, comprehension);
    }
}
