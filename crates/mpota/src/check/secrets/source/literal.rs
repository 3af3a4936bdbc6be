//! The texts that an expression may stand for.

use ruff_python_ast::{Expr, ExprCall, FStringPart, InterpolatedStringElement, Operator};
use ruff_text_size::{Ranged, TextRange};

use crate::app::python::Module;
use crate::check::secrets::key;
use crate::check::secrets::networks::Item;

/// A text, where it stands, and whether all of it is there.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub text: String,
    pub place: TextRange,
    whole: bool,
}

impl Text {
    /// Whether it is a secret under this name. Of a part that is put together with something else more is
    /// wanted: that it looks like no word.
    pub fn is_secret(&self, name: &str) -> bool {
        let made = self.text.len() >= 8
            && !self.text.contains([' ', '/', ':'])
            && self.text.bytes().any(|byte| byte.is_ascii_digit());
        key::is_secret(name, &self.text) && (self.whole || made)
    }
}

/// Functions and methods that give back what they are given, in another form.
const SAME: [&str; 12] = [
    "const",
    "bytes",
    "bytearray",
    "str",
    "encode",
    "decode",
    "strip",
    "a2b_base64",
    "b64decode",
    "unhexlify",
    "memoryview",
    "fromhex",
];

/// All texts that the expression may be.
pub(super) fn texts(expr: &Expr) -> Vec<Text> {
    match expr {
        Expr::BoolOp(or) => or.values.iter().flat_map(texts).collect(),
        Expr::If(either) => {
            [&either.body, &either.orelse].into_iter().flat_map(|value| texts(value)).collect()
        }
        Expr::Call(call) => match (same(call), fallback(call)) {
            (Some(inner), _) | (None, Some(inner)) => texts(inner),
            (None, None) => Vec::new(),
        },
        _ => text(expr).into_iter().collect(),
    }
}

/// What a function of [`SAME`] is given.
fn same(call: &ExprCall) -> Option<&Expr> {
    last_name(&call.func).filter(|name| SAME.contains(name))?;
    match (&*call.func, &*call.arguments.args) {
        (_, [first, ..]) if !matches!(&*call.func, Expr::Attribute(of) if literal(&of.value).is_some()) => {
            Some(first)
        }
        (Expr::Attribute(of), _) => Some(&of.value),
        _ => None,
    }
}

/// What `os.getenv("NAME", "this")` gives where nothing else is there.
fn fallback(call: &ExprCall) -> Option<&Expr> {
    last_name(&call.func).filter(|name| ["getenv", "get", "getattr", "pop", "setdefault"].contains(name))?;
    match &*call.arguments.args {
        [_, value] | [_, _, value] => Some(value),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<Text> {
    let whole = |text: String| Some(Text { text, place: expr.range(), whole: true });
    match expr {
        Expr::StringLiteral(text) => whole(text.value.to_str().to_owned()),
        Expr::BytesLiteral(bytes) => {
            let bytes: Vec<u8> = bytes.value.bytes().collect();
            whole(String::from_utf8_lossy(&bytes).into_owned())
        }
        Expr::FString(parts) => {
            let mut found = Text { text: String::new(), place: expr.range(), whole: true };
            for part in parts.value.iter() {
                match part {
                    FStringPart::Literal(literal) => found.text.push_str(&literal.value),
                    FStringPart::FString(string) => {
                        for element in &string.elements {
                            match element {
                                InterpolatedStringElement::Literal(literal) => {
                                    found.text.push_str(&literal.value)
                                }
                                InterpolatedStringElement::Interpolation(_) => found.whole = false,
                            }
                        }
                    }
                }
            }
            Some(found)
        }
        Expr::BinOp(sum) if sum.op == Operator::Add => match (text(&sum.left), text(&sum.right)) {
            (Some(left), Some(right)) => Some(Text {
                text: left.text + &right.text,
                place: expr.range(),
                whole: left.whole && right.whole,
            }),
            (Some(part), None) | (None, Some(part)) => Some(Text { whole: false, ..part }),
            (None, None) => None,
        },
        Expr::Call(call) => text(same(call)?),
        _ => None,
    }
}

/// The one text that the expression is, of characters or of bytes.
pub(super) fn literal(expr: &Expr) -> Option<String> {
    text(expr).filter(|text| text.whole).map(|text| text.text)
}

/// Whether the text stands in more than one piece.
pub(super) fn is_joined(expr: &Expr) -> bool {
    match expr {
        Expr::BinOp(sum) => sum.op == Operator::Add,
        Expr::StringLiteral(text) => text.value.is_implicit_concatenated(),
        Expr::BytesLiteral(bytes) => bytes.value.is_implicit_concatenated(),
        Expr::FString(parts) => parts.value.is_implicit_concatenated(),
        _ => false,
    }
}

/// The last part of a name with points in it.
pub(super) fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => Some(&attribute.attr),
        Expr::Subscript(place) => match &*place.slice {
            Expr::StringLiteral(text) => Some(text.value.to_str()),
            _ => None,
        },
        _ => None,
    }
}

/// The expression as lists, maps and texts.
pub(super) fn item(module: &Module, expr: &Expr) -> Item {
    let all = |items: &[Expr]| Item::List(items.iter().map(|expr| item(module, expr)).collect());
    match expr {
        Expr::List(list) => all(&list.elts),
        Expr::Tuple(tuple) => all(&tuple.elts),
        Expr::Set(set) => all(&set.elts),
        Expr::Dict(dict) => {
            let name = |key: &Option<Expr>| key.as_ref().and_then(literal).unwrap_or_default();
            Item::Map(dict.items.iter().map(|entry| (name(&entry.key), item(module, &entry.value))).collect())
        }
        // `dict(home="password")`
        Expr::Call(call) if last_name(&call.func) == Some("dict") => {
            let entries = call.arguments.keywords.iter().filter_map(|keyword| {
                Some((keyword.arg.as_ref()?.to_string(), item(module, &keyword.value)))
            });
            Item::Map(entries.collect())
        }
        _ => match literal(expr) {
            Some(text) => Item::Text(text, Some(module.line_at(expr.start()))),
            None => Item::Other,
        },
    }
}
