//! Does a file start the updater? Read from its syntax tree: a comment that mentions it does not.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{ExceptHandler, Expr, ExprCall, Stmt};

use crate::app::python::Module;

const UPDATER: &str = "ota_updater";
const BOOT: &str = "boot";

/// Whether the file imports the updater and calls its `boot()`, not in a function that perhaps
/// nobody calls, but on its way through the file.
pub(crate) fn in_module(module: &Module) -> bool {
    let mut search = Search::default();
    search.body(module.body());
    search.found
}

#[derive(Default)]
struct Search {
    /// What the updater is called here.
    modules: Vec<String>,
    /// What its `boot` is called here.
    functions: Vec<String>,
    found: bool,
}

impl Search {
    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.statement(stmt));
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for name in import.names.iter().filter(|name| name.name.as_str() == UPDATER) {
                    self.modules.push(name.asname.as_ref().unwrap_or(&name.name).to_string());
                }
            }
            Stmt::ImportFrom(import) if import.module.as_deref() == Some(UPDATER) && import.level == 0 => {
                for name in &import.names {
                    match name.name.as_str() {
                        BOOT => self.functions.push(name.asname.as_ref().unwrap_or(&name.name).to_string()),
                        "*" => self.functions.push(BOOT.to_owned()),
                        _ => {}
                    }
                }
            }
            // From here on the name means something else.
            Stmt::FunctionDef(function) => self.forget(&function.name),
            Stmt::ClassDef(class) => self.forget(&class.name),
            Stmt::If(branches) => {
                self.visit_expr(&branches.test);
                if !is_never(&branches.test) {
                    self.body(&branches.body);
                }
                for clause in &branches.elif_else_clauses {
                    if !clause.test.as_ref().is_some_and(is_never) {
                        self.body(&clause.body);
                    }
                }
            }
            Stmt::Try(parts) => {
                self.body(&parts.body);
                for ExceptHandler::ExceptHandler(handler) in &parts.handlers {
                    self.body(&handler.body);
                }
                self.body(&parts.orelse);
                self.body(&parts.finalbody);
            }
            Stmt::For(steps) => {
                self.visit_expr(&steps.iter);
                if !is_empty(&steps.iter) {
                    self.body(&steps.body);
                }
                self.body(&steps.orelse);
            }
            Stmt::With(with) => self.body(&with.body),
            Stmt::Expr(line) => self.visit_expr(&line.value),
            Stmt::Assign(line) => self.visit_expr(&line.value),
            _ => {}
        }
    }

    fn forget(&mut self, name: &str) {
        self.modules.retain(|known| known != name);
        self.functions.retain(|known| known != name);
    }

    fn is_boot(&self, call: &ExprCall) -> bool {
        match &*call.func {
            Expr::Name(name) => self.functions.iter().any(|known| *known == name.id.as_str()),
            Expr::Attribute(attribute) if attribute.attr.as_str() == BOOT => match &*attribute.value {
                Expr::Name(name) => self.modules.iter().any(|known| *known == name.id.as_str()),
                _ => false,
            },
            _ => false,
        }
    }
}

impl<'a> Visitor<'a> for Search {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) if self.is_boot(call) => self.found = true,
            // Nobody knows whether it is called.
            Expr::Lambda(_) => {}
            _ => walk_expr(self, expr),
        }
    }
}

/// `if False:` and the like.
fn is_never(test: &Expr) -> bool {
    match test {
        Expr::BooleanLiteral(literal) => !literal.value,
        Expr::NoneLiteral(_) => true,
        Expr::NumberLiteral(number) => number.value.as_int().is_some_and(|value| *value == 0),
        _ => false,
    }
}

/// `for x in ():` and the like.
fn is_empty(iter: &Expr) -> bool {
    match iter {
        Expr::Tuple(tuple) => tuple.elts.is_empty(),
        Expr::List(list) => list.elts.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::python;

    const TRIED_IN_TURN: &str = "import sys

_path = sys.path[:]
for _places in ([\".ota/old\"], [\"lib\"], [\"\"], _path):
    sys.path[:] = _places  # nothing else on the board is taken for the updater
    try:
        import ota_updater

        ota_updater.boot
        break
    except Exception as _e:
        if not isinstance(_e, ImportError):
            sys.print_exception(_e)
        sys.modules.pop(\"ota_updater\", None)
sys.path[:] = _path
try:
    ota_updater.boot()
except Exception as _e:
    sys.print_exception(_e)
";

    #[test]
    fn a_file_starts_the_updater_when_it_imports_it_and_calls_boot_on_its_way() {
        let yes = [
            include_str!("../../../../device/template/boot.py"),
            include_str!("../../../../device/template/main.py"),
            include_str!("../../../../examples/weather/boot.py"),
            TRIED_IN_TURN,
            "for i in [1]:\n    import ota_updater\n    ota_updater.boot()\n",
            "for i in x:\n    pass\nelse:\n    import ota_updater\nota_updater.boot()\n",
            "import ota_updater\nota_updater.boot()\n",
            "import ota_updater; ota_updater.boot()",
            "import sys, ota_updater as u\nu.boot()\n",
            "from ota_updater import boot\nboot()\n",
            "from ota_updater import log, boot as start\nstart()\n",
            "from ota_updater import *\nboot()\n",
            "try:\n    import ota_updater\n    ota_updater.boot()\nexcept ImportError:\n    pass\n",
            "import ota_updater\ntry:\n    pass\nfinally:\n    ota_updater.boot()\n",
            "import ota_updater\nif x:\n    pass\nelse:\n    ota_updater.boot()\n",
            "import ota_updater\nwith lock:\n    state = ota_updater.boot()\n",
            "import ota_updater\nprint(ota_updater.boot())\n",
        ];
        let no = [
            "",
            "print('ota_updater.boot()')\n",
            "# import ota_updater\n# ota_updater.boot()\n",
            "import ota_updater\n",
            "import ota_updater\nota_updater.boot\n",
            "ota_updater.boot()\n",
            "ota_updater.boot()\nimport ota_updater\n",
            "import ota_updater\nota_updater.status()\n",
            "import ota_updater\ndef main():\n    ota_updater.boot()\n",
            "import ota_updater\nclass A:\n    def f(self):\n        ota_updater.boot()\n",
            "import ota_updater\nf = lambda: ota_updater.boot()\n",
            "import ota_updater\nif False:\n    ota_updater.boot()\n",
            "import ota_updater\nif 0:\n    ota_updater.boot()\n",
            "import ota_updater\nx.ota_updater.boot()\n",
            "import other as ota_updater\nota_updater.boot()\n",
            "from ota_updater import log\nboot()\n",
            "from ota_updater import boot\ndef boot():\n    pass\nboot()\n",
            "from .ota_updater import boot\nboot()\n",
            "import ota_updater as u\nota_updater.boot()\n",
            "for i in ():\n    import ota_updater\nota_updater.boot()\n",
            "import ota_updater\nfor i in []:\n    ota_updater.boot()\n",
            "for i in [1]:\n    import other\nota_updater.boot()\n",
            &TRIED_IN_TURN.replace("    ota_updater.boot()", "    pass"),
            &TRIED_IN_TURN.replace("        import ota_updater\n", ""),
        ];
        for text in yes {
            assert!(python::look(text.as_bytes(), in_module).unwrap_or(false), "{text}");
        }
        for text in no {
            assert!(!python::look(text.as_bytes(), in_module).unwrap_or(false), "{text}");
        }
        println!("  cases {}: files that start the updater, or do not", yes.len() + no.len());
        assert_eq!((yes.len(), no.len()), (17, 24));
    }
}
