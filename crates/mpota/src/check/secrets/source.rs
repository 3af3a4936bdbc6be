//! Secrets in Python: found in the syntax tree, so that names and calls are not taken for values.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_parameters, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt};
use ruff_text_size::Ranged;

use super::key::{self, Kind};
use super::networks;
use super::{Suspicion, in_bytes};
use crate::app::python::{self, Module};

mod literal;

use literal::{item, last_name, literal, texts};

/// All secrets in the file.
pub(super) fn find(bytes: &[u8]) -> Vec<Suspicion> {
    python::look(bytes, in_module).unwrap_or_default()
}

/// The same, of a syntax tree.
pub(crate) fn in_module(module: &Module) -> Vec<Suspicion> {
    let mut search = Search { module, found: Vec::new() };
    search.visit_body(module.body());
    search.found
}

struct Search<'a> {
    module: &'a Module,
    found: Vec<Suspicion>,
}

impl Search<'_> {
    fn line(&self, place: impl Ranged) -> Option<usize> {
        Some(self.module.line_at(place.start()))
    }

    fn tell(&mut self, place: impl Ranged, name: &str) {
        let line = self.line(place);
        self.found.push(Suspicion::value(name, line));
    }

    /// A value under a name.
    fn named(&mut self, name: &str, value: &Expr) {
        if let Some(text) = texts(value).into_iter().find(|text| text.is_secret(name)) {
            self.tell(text.place, name);
        }
        let lines = networks::passwords(name, &item(self.module, value));
        self.found.extend(lines.into_iter().map(|line| Suspicion::network(name, line)));
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
            (Expr::Tuple(targets), _) => {
                if let Some(values) = parts(value) {
                    for (target, value) in targets.elts.iter().zip(values) {
                        self.assigned(target, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn called(&mut self, call: &ExprCall) {
        let name = last_name(&call.func).unwrap_or_default();
        let arguments = &call.arguments;
        self.joined(call, name);
        self.logged_in(call, name);
        if STORES.contains(&name) {
            for pair in arguments.args.windows(2) {
                if let Some(name) = literal(&pair[0]).filter(|name| key::kind(name).is_some()) {
                    self.named(&name, &pair[1]);
                }
            }
        }
        for keyword in &arguments.keywords {
            let Some(name_of) = &keyword.arg else { continue };
            self.named(name_of, &keyword.value);
            let is_password =
                |value: &Expr| literal(value).filter(|text| key::is_value(Kind::Password, text));
            if name_of.as_str() == "key"
                && ["connect", "config"].contains(&name)
                && is_password(&keyword.value).is_some()
            {
                self.tell(&keyword.value, "key");
            }
            // `auth=(user, password)` of HTTP, `auth=(WLAN.WPA2, password)` of Wi-Fi.
            if name_of.as_str() == "auth"
                && let Some([_, password]) = parts(&keyword.value)
                && is_password(password).is_some()
            {
                self.tell(password, "auth");
            }
        }
    }

    /// `wlan.connect("name", "password")`, `connect_wifi(SSID, "password")`, `add_ap("name", "password")`.
    fn joined(&mut self, call: &ExprCall, name: &str) {
        let [ssid, password, ..] = &*call.arguments.args else {
            if is_wifi(name)
                && let [networks] = &*call.arguments.args
            {
                let lines = networks::all(&item(self.module, networks));
                self.found.extend(lines.into_iter().map(|line| Suspicion::network(name, line)));
            }
            return;
        };
        let Some(text) = literal(password).filter(|text| key::is_value(Kind::Password, text)) else { return };
        let written = literal(ssid);
        if written.as_ref().is_some_and(String::is_empty) {
            return;
        }
        let called =
            last_name(ssid).is_some_and(|name| key::words(name).iter().any(|word| word.ends_with("ssid")));
        let connects = key::words(name).iter().any(|word| ["connect", "join"].contains(&word.as_str()));
        let meant = match call.func.is_attribute_expr() && name == "connect" {
            true => {
                written.is_some()
                    || called
                    || networks::is_password(&text) && text.bytes().any(|b| b.is_ascii_digit())
            }
            false => {
                networks::is_password(&text) && (is_wifi(name) || connects && (written.is_some() || called))
            }
        };
        if meant || called && networks::is_password(&text) {
            self.tell(password, &format!("{name}()"));
        }
    }

    /// A password behind a user: MQTT, and whatever else is logged in to.
    fn logged_in(&mut self, call: &ExprCall, name: &str) {
        let lower = name.to_ascii_lowercase();
        let at = match lower.as_str() {
            "username_pw_set" | "login" | "set_credentials" | "set_auth" => 1,
            name if name.ends_with("basicauth") => 1,
            name if name.ends_with("mqttclient") || name == "mqtt" => 4,
            _ => return,
        };
        if let Some(password) = call.arguments.args.get(at)
            && literal(password).is_some_and(|text| key::is_value(Kind::Password, &text))
        {
            self.tell(password, &format!("{name}()"));
        }
    }
}

/// What takes a name and a value as arguments.
const STORES: [&str; 14] = [
    "get",
    "getenv",
    "setdefault",
    "pop",
    "set",
    "put",
    "putenv",
    "set_blob",
    "set_str",
    "setattr",
    "save",
    "store",
    "write",
    "getattr",
];

/// Whether a function of this name has to do with Wi-Fi.
fn is_wifi(name: &str) -> bool {
    let words = key::words(name);
    let wifi = |word: &String| {
        ["ap", "sta", "ssid"].contains(&word.as_str()) || word.contains("wifi") || word.contains("wlan")
    };
    words.iter().any(wifi)
}

/// The parts of a list or of a tuple.
fn parts(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(tuple) => Some(&tuple.elts),
        Expr::List(list) => Some(&list.elts),
        _ => None,
    }
}

impl<'a> Visitor<'a> for Search<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(line) => line.targets.iter().for_each(|target| self.assigned(target, &line.value)),
            Stmt::AnnAssign(line) => {
                if let Some(value) = &line.value {
                    self.assigned(&line.target, value);
                }
            }
            Stmt::AugAssign(line) => self.assigned(&line.target, &line.value),
            Stmt::For(line) => {
                for value in parts(&line.iter).unwrap_or_default() {
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
        // What stands in one piece is seen in the bytes of the file.
        if literal::is_joined(expr) {
            for text in texts(expr) {
                let line = self.line(expr);
                self.found
                    .extend(in_bytes(text.text.as_bytes()).map(|seen| Suspicion { line, why: seen.why }));
            }
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
