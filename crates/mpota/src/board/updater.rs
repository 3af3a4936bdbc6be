//! What the updater is: its files, the names of its modules, and what it imports of the firmware. All
//! of it is read from the files of `device/` themselves, which are part of this program.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};

use crate::app::python;

include!(concat!(env!("OUT_DIR"), "/updater.rs"));

/// What imports a module that is named by its first argument.
const IMPORTERS: [&str; 2] = ["use", "__import__"];

/// The program that runs: never looked for on the flash.
const PROGRAM: &str = "__main__";

/// The app's part of the updater. It is not loaded as the rest is, and what it imports is the app's own.
const APPS: &str = "ota_aio.py";

/// The paths of the updater's files, seen from the folder that holds it on a board: `mpota/http.py`.
pub fn files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path)
}

/// The updater's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The updater in the form that is best for a board with this `sys.implementation._mpy`: paths seen from the
/// folder that holds it, and contents.
pub fn for_board(mpy: u64) -> Vec<(&'static str, &'static [u8])> {
    // The lowest byte is the version of .mpy files that hold no native code.
    let form = if mpy & 0xff == 6 { Form::Compiled } else { Form::Source };
    form.contents().to_vec()
}

/// How the updater's files lie on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they were written: `mpota/http.py`.
    Source,
    /// Compiled for any MicroPython since 1.19, with short private names: `mpota/http.mpy`.
    Compiled,
}

impl Form {
    /// Path and content of each file in this form.
    pub fn contents(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            Self::Source => FILES,
            Self::Compiled => COMPILED,
        }
    }
}

/// The names under which the updater's files are imported, without those inside of packages.
pub fn modules() -> BTreeSet<&'static str> {
    files().map(top).collect()
}

/// The modules of the firmware that the updater imports, on one board or another.
pub fn firmware_modules() -> &'static BTreeSet<String> {
    static DONE: OnceLock<BTreeSet<String>> = OnceLock::new();
    DONE.get_or_init(|| needed(FILES))
}

/// The same, of any files.
fn needed(files: &[(&str, &[u8])]) -> BTreeSet<String> {
    let ours: BTreeSet<&str> = files.iter().map(|(path, _)| top(path)).collect();
    let mut names = BTreeSet::new();
    for (_, bytes) in files.iter().filter(|(path, _)| *path != APPS) {
        names.extend(imports(bytes));
    }
    names.retain(|name| !ours.contains(name.as_str()) && name != PROGRAM);
    names
}

/// `mpota` of `mpota/http.py` and of `mpota.http`.
fn top(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

/// Whatever a file imports anywhere in it.
fn imports(bytes: &[u8]) -> BTreeSet<String> {
    let found = python::look(bytes, |module| {
        let mut imports = Imports::default();
        imports.visit_body(module.body());
        imports.names
    });
    found.unwrap_or_default()
}

#[derive(Default)]
struct Imports {
    names: BTreeSet<String>,
}

impl<'a> Visitor<'a> for Imports {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                self.names.extend(import.names.iter().map(|name| top(&name.name).to_owned()));
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                self.names.extend(import.module.iter().map(|name| top(name).to_owned()));
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Some(Expr::StringLiteral(name)) = call.arguments.args.first()
        {
            let function = match &*call.func {
                Expr::Name(function) => function.id.as_str(),
                Expr::Attribute(function) => function.attr.as_str(),
                _ => "",
            };
            if IMPORTERS.contains(&function) {
                self.names.insert(top(name.value.to_str()).to_owned());
            }
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_49_an_import_that_is_added_to_the_updater_is_in_the_list() {
        assert!(!firmware_modules().contains("frob"));
        let lines = [
            "import frob\n",
            "import sys, frob\n",
            "import frob as f\n",
            "import frob.deep\n",
            "from frob import x\n",
            "from frob.deep import *\n",
            "def f():\n    if x:\n        import frob\n",
            "try:\n    pass\nexcept OSError:\n    from frob import x\n",
            "for i in ():\n    pass\nelse:\n    import frob\n",
            "with x:\n    import frob\n",
            "class A:\n    def f(self):\n        import frob\n",
            "use(\"frob\")\n",
            "x = u.use(\"frob\").time()\n",
            "__import__(\"frob\", None)\n",
        ];
        // Every line in one of the files, and one line in each of them.
        let places: Vec<usize> = (0..FILES.len()).filter(|at| FILES[*at].0 != APPS).collect();
        let lines_in_turn = places.iter().cycle().zip(lines);
        let files_in_turn = places.iter().map(|at| (at, lines[0]));
        let mut ran = 0;
        for (&at, line) in lines_in_turn.chain(files_in_turn) {
            let (path, before) = FILES[at];
            let after = [before, b"\n".as_slice(), line.as_bytes()].concat();
            let mut files = FILES.to_vec();
            files[at] = (path, &after);
            let names = needed(&files);
            assert!(names.contains("frob"), "{path}: {line}");
            assert_eq!(names.len(), firmware_modules().len() + 1, "{path}: {line}");
            ran += 1;
        }
        assert_eq!(places.len(), FILES.len() - 1);
        assert_eq!(ran, lines.len() + places.len());
        println!("  cases {ran}: an import more in a file of the updater");
    }

    #[test]
    fn what_is_no_import_of_the_firmware_is_not_in_the_list() {
        for line in ["# import frob\n", "x = \"import frob\"\n", "from . import frob\n", "use(frob)\n"] {
            assert_eq!(imports(line.as_bytes()), BTreeSet::new(), "{line}");
        }
        assert!(firmware_modules().is_disjoint(&modules().into_iter().map(str::to_owned).collect()));
        assert!(!firmware_modules().contains(PROGRAM));
        assert!(!files().any(|path| path == "manifest.py" || path.starts_with("te")));
    }

    /// Read in another way than by the parser: no line that imports something was passed over.
    #[test]
    fn every_line_that_imports_something_is_in_the_list() {
        let ours = modules();
        let mut lines = 0;
        for (path, bytes) in FILES.iter().filter(|(path, _)| *path != APPS) {
            for line in String::from_utf8_lossy(bytes).lines().map(str::trim) {
                let mut words = line.split([' ', ',']);
                let (Some("import" | "from"), Some(name)) = (words.next(), words.next()) else { continue };
                if line.starts_with("from ") && !line.contains(" import ") {
                    continue; // a sentence
                }
                let name = top(name);
                assert!(ours.contains(name) || firmware_modules().contains(name), "{path}: {line}");
                lines += 1;
            }
        }
        assert!(lines > 40, "{lines}");
        assert!(firmware_modules().len() > 8, "{:?}", firmware_modules());
        println!("  cases {lines}: lines with an import");
    }
}
