//! Does an app ever look for an update, and confirm one? Read from the syntax trees of its files.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};

use crate::app::python::Module;
use crate::board::updater;
use crate::check::allow;
use crate::release::input::Input;

/// What an app calls, and in which modules it stands.
const UPDATE: (&str, &[&str]) = ("update", &["ota_updater", "ota_aio"]);
const CONFIRM: (&str, &[&str]) = ("confirm", &["ota_updater"]);
const RUN: (&str, &[&str]) = ("run", &["ota_main"]);

/// What an app lacks, and the file where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// Where the app starts.
    pub path: String,
    /// Nothing calls `update()`.
    pub update: bool,
    /// Nothing calls `confirm()`.
    pub confirm: bool,
    /// `main.py` does not run the app by `ota_main.run()`.
    pub run: bool,
}

/// What the app lacks. `None` where it lacks nothing, or where that cannot be told: no `main.py` is among the
/// files, or some of the app's are compiled.
pub(crate) fn lacks(inputs: &[Input]) -> Option<Lack> {
    let ours = updater::modules();
    let name = |path: &str| path.trim_start_matches("lib/").split(['/', '.']).next().map(str::to_owned);
    let of_app = |file: &&Input| name(&file.path).is_none_or(|name| !ours.contains(name.as_str()));
    let files: Vec<&Input> = inputs.iter().filter(of_app).collect();
    let main = files.iter().find(|file| file.path == "main.py")?;
    if files.iter().any(|file| file.path.ends_with(".mpy")) {
        return None;
    }
    let calls =
        |file: &Input| file.facts.python.as_ref().map(|python| python.calls.clone()).unwrap_or_default();
    let of_main = calls(main);
    let mut called = of_main.clone();
    for file in files.iter().filter(|file| file.path.ends_with(".py") && file.path != allow::BOOT) {
        if file.path != main.path {
            called.extend(calls(file));
        }
    }
    let lacks = |what: (&'static str, _)| !called.contains(what.0);
    let lack = Lack {
        path: main.path.clone(),
        update: lacks(UPDATE),
        confirm: lacks(CONFIRM),
        run: !of_main.contains(RUN.0),
    };
    (lack.update || lack.confirm || lack.run).then_some(lack)
}

/// Which of the calls stand in a file, wherever they do.
pub(crate) fn in_module(module: &Module) -> BTreeSet<&'static str> {
    let mut search = Search::default();
    // First what the names stand for: a function may be above the import.
    search.visit_body(module.body());
    search.calling = true;
    search.visit_body(module.body());
    search.found
}

#[derive(Default)]
struct Search {
    /// What a module is called here: its own name.
    modules: BTreeMap<String, String>,
    /// What a function is called here: its own name.
    functions: BTreeMap<String, &'static str>,
    calling: bool,
    found: BTreeSet<&'static str>,
}

impl Search {
    fn known(module: &str, name: &str) -> Option<&'static str> {
        let all = [UPDATE, CONFIRM, RUN];
        let found = all.iter().find(|(function, homes)| *function == name && homes.contains(&module));
        found.map(|(function, _)| *function)
    }
}

impl<'a> Visitor<'a> for Search {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for name in &import.names {
                    let called = name.asname.as_ref().unwrap_or(&name.name).to_string();
                    self.modules.insert(called, name.name.to_string());
                }
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                let module = import.module.as_deref().unwrap_or_default();
                for name in &import.names {
                    let called = name.asname.as_ref().unwrap_or(&name.name).to_string();
                    if let Some(function) = Self::known(module, &name.name) {
                        self.functions.insert(called, function);
                    } else if name.name.as_str() == "*" {
                        let all = [UPDATE, CONFIRM, RUN].map(|(function, _)| function);
                        let here = all.into_iter().filter_map(|f| Self::known(module, f));
                        self.functions.extend(here.map(|f| (f.to_owned(), f)));
                    }
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let (true, Expr::Call(call)) = (self.calling, expr) {
            let function = match &*call.func {
                Expr::Name(name) => self.functions.get(name.id.as_str()).copied(),
                Expr::Attribute(attribute) => match &*attribute.value {
                    Expr::Name(name) => self
                        .modules
                        .get(name.id.as_str())
                        .and_then(|module| Self::known(module, &attribute.attr)),
                    _ => None,
                },
                _ => None,
            };
            self.found.extend(function);
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::python;

    #[test]
    fn a_file_calls_what_it_calls_by_any_name() {
        let cases: &[(&str, &[&str])] = &[
            ("import ota_updater\nota_updater.update(C)\n", &["update"]),
            (
                "import ota_updater as u\ndef f():\n    return u.update(C) or u.confirm()\n",
                &["confirm", "update"],
            ),
            ("from ota_updater import update, confirm as keep\nupdate(C)\nkeep()\n", &["confirm", "update"]),
            ("from ota_updater import *\nx = update(C)\n", &["update"]),
            ("import ota_aio\nasync def f():\n    await ota_aio.update(C)\n", &["update"]),
            ("from ota_aio import update\nasync def f():\n    await update(C)\n", &["update"]),
            ("def f():\n    ota_updater.confirm()\nimport ota_updater\n", &["confirm"]),
            ("import ota_main\nota_main.run('app', f)\n", &["run"]),
            ("from ota_main import run\nrun('app', f)\n", &["run"]),
            ("try:\n    import ota_updater\nfinally:\n    (lambda: ota_updater.update(C))()\n", &["update"]),
            ("", &[]),
            ("import ota_updater\nota_updater.boot()\nota_updater.check(C)\n", &[]),
            ("ota_updater.update(C)\n", &[]),
            ("# import ota_updater\n# ota_updater.update(C)\n", &[]),
            ("x = 'import ota_updater; ota_updater.update(C)'\n", &[]),
            ("import ota_updater\nota_updater.update\n", &[]),
            ("import app\napp.update(C)\napp.confirm()\napp.run()\n", &[]),
            ("from app import update\nupdate(C)\n", &[]),
            ("import ota_main\nota_main.update(C)\n", &[]),
            ("from .ota_updater import update\nupdate(C)\n", &[]),
        ];
        for (text, want) in cases {
            assert_eq!(
                python::look(text.as_bytes(), in_module).unwrap_or_default().into_iter().collect::<Vec<_>>(),
                *want,
                "{text}"
            );
        }
        println!("  cases {}: files that call the updater, or do not", cases.len());
        assert_eq!(cases.len(), 20);
    }
}
