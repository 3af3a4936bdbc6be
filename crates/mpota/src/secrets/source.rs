//! Secrets in Python: found in the syntax tree, so that names and calls are not taken for values.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_parameters, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt};
use ruff_text_size::{Ranged, TextSize};

use super::Suspicion;
use super::key::{self, Kind};
use crate::python;

/// The first secret in the file.
pub(super) fn find(bytes: &[u8]) -> Option<Suspicion> {
    python::look(bytes, |module| {
        let mut search = Search::default();
        search.visit_body(module.body());
        let (place, name) = search.found?;
        Some(Suspicion::value(&name, Some(module.line_at(place))))
    })?
}

#[derive(Default)]
struct Search {
    found: Option<(TextSize, String)>,
}

impl Search {
    fn tell(&mut self, place: impl Ranged, name: &str) {
        self.found.get_or_insert_with(|| (place.start(), name.to_owned()));
    }

    /// A value under a name.
    fn named(&mut self, name: &str, value: &Expr) {
        if literal(value).is_some_and(|text| key::is_secret(name, &text)) {
            self.tell(value, name);
        }
    }

    fn assigned(&mut self, target: &Expr, value: &Expr) {
        match (target, value) {
            (Expr::Name(name), _) => self.named(&name.id, value),
            (Expr::Attribute(attribute), _) => self.named(&attribute.attr, value),
            (Expr::Subscript(place), _) => {
                if let Some(name) = literal(&place.slice) {
                    self.named(&name, value);
                }
            }
            (Expr::Tuple(targets), Expr::Tuple(values)) => {
                for (target, value) in targets.elts.iter().zip(&values.elts) {
                    self.assigned(target, value);
                }
            }
            _ => {}
        }
    }

    /// `wlan.connect("name", "password")`, and `key=` of the same call and of `config`.
    fn called(&mut self, call: &ExprCall) {
        let method = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => "",
        };
        let arguments = &call.arguments;
        if method == "connect"
            && let [name, password, ..] = &*arguments.args
            && let (Some(name), Some(text)) = (literal(name), literal(password))
            && !name.is_empty()
            && key::is_value(Kind::Password, &text)
        {
            self.tell(password, "connect()");
        }
        for keyword in &arguments.keywords {
            let Some(name) = &keyword.arg else { continue };
            self.named(name, &keyword.value);
            if name.as_str() == "key"
                && ["connect", "config"].contains(&method)
                && literal(&keyword.value).is_some_and(|text| key::is_value(Kind::Password, &text))
            {
                self.tell(&keyword.value, "key");
            }
        }
    }
}

impl<'a> Visitor<'a> for Search {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(line) => line.targets.iter().for_each(|target| self.assigned(target, &line.value)),
            Stmt::AnnAssign(line) => {
                if let Some(value) = &line.value {
                    self.assigned(&line.target, value);
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Dict(dict) => {
                for item in &dict.items {
                    if let Some(name) = item.key.as_ref().and_then(literal) {
                        self.named(&name, &item.value);
                    }
                }
            }
            Expr::Call(call) => self.called(call),
            Expr::Named(named) => self.assigned(&named.target, &named.value),
            _ => {}
        }
        walk_expr(self, expr);
    }

    fn visit_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(value) = parameter.default() {
                self.named(&parameter.parameter.name, value);
            }
        }
        walk_parameters(self, parameters);
    }
}

/// The text of a literal, of characters or of bytes.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        Expr::BytesLiteral(bytes) => {
            let bytes: Vec<u8> = bytes.value.bytes().collect();
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => None,
    }
}
