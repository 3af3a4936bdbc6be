//! The syntax tree of a Python file, made by the parser of Ruff.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use ruff_python_ast::{ModModule, PythonVersion, Stmt};
use ruff_python_parser::{
    LexicalErrorType, Mode, ParseError, ParseErrorType, ParseOptions, Parsed, UnsupportedSyntaxError,
};
use ruff_text_size::TextSize;

/// A file that was parsed, as far as that went: a tree is there even where there are errors.
#[derive(Debug)]
pub(crate) struct Module {
    text: String,
    parsed: Parsed<ModModule>,
}

/// Bytes of a stack for trees: one is as deep as the file makes it, and going through it recurses.
const STACK: usize = 256 << 20;

thread_local! {
    /// Whether this thread has such a stack.
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Parses the file and looks at it. `None` if there is no looking at it.
pub(crate) fn look<T: Send>(bytes: &[u8], look: impl FnOnce(&Module) -> T + Send) -> Option<T> {
    let all = || Some(look(&Module::parse(bytes)?));
    if DEEP.get() {
        return panic::catch_unwind(AssertUnwindSafe(all)).ok()?;
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, all).ok()?.join().ok()?
    })
}

/// Does something on threads that have stacks for [`look`]: with many files, a thread for each would take its time.
pub(crate) fn with_stacks<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).start_handler(|_| DEEP.set(true));
    match pool.build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

impl Module {
    fn parse(bytes: &[u8]) -> Option<Self> {
        // MicroPython reads bytes: a comment in another encoding stops nobody.
        let text = with_spaces(&String::from_utf8_lossy(bytes));
        // The oldest version: whatever came later is told, and MicroPython may not have it.
        let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::PY37);
        let parsed = ruff_python_parser::parse_unchecked(&text, options).try_into_module()?;
        Some(Self { text, parsed })
    }

    /// What no Python takes, but for what MicroPython takes all the same.
    pub fn errors(&self) -> impl Iterator<Item = &ParseError> {
        let byte = ParseErrorType::Lexical(LexicalErrorType::InvalidByteLiteral);
        self.parsed.errors().iter().filter(move |error| error.error != byte)
    }

    /// What Python 3.7 does not take.
    pub fn newer(&self) -> &[UnsupportedSyntaxError] {
        self.parsed.unsupported_syntax_errors()
    }

    /// The statements of the file.
    pub fn body(&self) -> &[Stmt] {
        self.parsed.suite()
    }

    /// The line of an offset, from 1.
    pub fn line_at(&self, offset: TextSize) -> usize {
        let before = &self.text.as_bytes()[..usize::from(offset).min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// Tabs at the beginning of lines as the spaces that MicroPython takes them for; Python refuses a
/// mixture.
fn with_spaces(text: &str) -> String {
    if !text.contains('\t') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let code = line.trim_start_matches([' ', '\t']);
        let mut column = 0;
        for character in line[..line.len() - code.len()].chars() {
            column += if character == '\t' { 8 - column % 8 } else { 1 };
        }
        out.extend(std::iter::repeat_n(' ', column));
        out.push_str(code);
    }
    out
}
