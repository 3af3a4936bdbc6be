//! What we refuse to release is what MicroPython's own compiler refuses: `mpy-cross` is asked.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

use std::path::Path;

use mpota::check::syntax;
use mpota_vboard::clients::mpy_cross;

/// Whether the real compiler takes it.
fn compiles(source: &[u8], folder: &Path) -> bool {
    let path = folder.join("x.py");
    std::fs::write(&path, source).unwrap();
    let mut mpy_cross = mpy_cross().expect("mpy-cross");
    // With a processor, for the functions that are compiled to its code.
    mpy_cross.arg("-march=armv7m").arg("-o").arg(folder.join("x.mpy")).arg(&path);
    let output = mpy_cross.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = said.contains("Error: ") && said.contains("x.py");
    assert!(output.status.success() || refused, "neither compiled nor refused: {said}");
    output.status.success()
}

#[track_caller]
fn both_say(compiled: bool, table: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for source in table {
        let real = compiles(source.as_bytes(), folder.path());
        let ours = syntax::check(source.as_bytes());
        if real != compiled || ours.is_none() != compiled {
            wrong.push(format!("{source:?}: mpy-cross compiled it: {real}; we say {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_we_refuse_the_real_compiler_refuses() {
    both_say(false, &REFUSED);
    println!("  cases {}: sources that neither takes", REFUSED.len());
    assert_eq!(REFUSED.len(), 87);
}

#[test]
fn what_the_real_compiler_takes_we_take() {
    both_say(true, &TAKEN);
    println!("  cases {}: sources that both take", TAKEN.len());
    assert_eq!(TAKEN.len(), 126);
}

#[test]
fn every_file_of_the_updater_and_of_the_example_is_taken_by_both() {
    let folder = tempfile::tempdir().unwrap();
    let root = mpota_vboard::repository();
    let mut files = 0;
    for (name, source) in mpota_vboard::agent_files().unwrap() {
        assert_eq!(syntax::check(&source), None, "{name}");
        assert!(compiles(&source, folder.path()), "{name}");
        files += 1;
    }
    for part in
        ["device/template", "examples/weather", "examples/weather/lib", "examples/home-assistant", "vboard"]
    {
        for entry in std::fs::read_dir(root.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "py") {
                let source = std::fs::read(&path).unwrap();
                assert_eq!(syntax::check(&source), None, "{}", path.display());
                assert!(compiles(&source, folder.path()), "{}", path.display());
                files += 1;
            }
        }
    }
    println!("  cases {files}: files of this repository");
    assert!(files >= 20, "{files}");
}

#[test]
fn a_tree_of_any_depth_is_no_crash() {
    for source in ["-".repeat(200_000) + "1", "(".repeat(200_000), "1+".repeat(200_000) + "1"] {
        let _ = syntax::check(format!("a = {source}\n").as_bytes());
    }
}

#[test]
fn a_fault_names_its_line() {
    let cases = [
        ("a = 1\n\ndef broken(:\n", 3),
        ("x = 1\nmatch x:\n    case 1:\n        pass\n", 2),
        ("a = {\n    1: 2,\n    **b,\n}\n", 3),
        ("def f():\n    pass\nreturn 1\n", 3),
        ("a = 1\r\nb = (\r\n", 3),
    ];
    for (source, line) in cases {
        assert_eq!(syntax::check(source.as_bytes()).map(|fault| fault.line), Some(line), "{source}");
    }
}

#[test]
fn a_comment_in_another_encoding_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let source = b"# caf\xe9\na = 1\n";
    assert_eq!(syntax::check(source), None);
    assert!(compiles(source, folder.path()));
}

#[rustfmt::skip]
const REFUSED: [&str; 87] = [
    "match x:\n    case 1:\n        pass\n",
    "try:\n    pass\nexcept* ValueError:\n    pass\n",
    "type X = int\n",
    "def f[T](a): pass\n",
    "class A[T]: pass\n",
    "def f(a, /, b): pass\n",
    "with (open(\"a\") as f, open(\"b\") as g):\n    pass\n",
    "async def f():\n    return [i async for i in y]\n",
    "f(*a, **b)\nx=[*a,*b]\n",
    "x={**a}\n",
    "a[*b]\n",
    "def f():\n    return *a, b\n",
    "for x in *a, b: pass\n",
    "x={*a}\n",
    "x=(*a,1)\n",
    "x=[1,*a]\n",
    "f(**a, *b)\n",
    "f(a=1, *b)\n",
    "nonlocal a\n",
    "@a[0].b\ndef f(): pass\n",
    "@(lambda f: f)\ndef g(): pass\n",
    "@a + b\ndef g(): pass\n",
    "@a()()\ndef g(): pass\n",
    "yield 1\n",
    "return 1\n",
    "break\n",
    "continue\n",
    "await x\n",
    "async for a in b: pass\n",
    "try: pass\nexcept A, B: pass\n",
    "a=b\"x\" \"y\"\n",
    "a=\"\\xz1\"\n",
    "a=\"\\U00110000\"\n",
    "print \"x\"\n",
    "a=0777\n",
    "def f(a=1, b): pass\n",
    "f() = 1\n",
    "1 = a\n",
    "del f()\n",
    "a, b += 1\n",
    "None = 1\n",
    "f(a+1=2)\n",
    "True = 1\n",
    "(a if b else c) = 1\n",
    "x = (1\n",
    "if 1:\nx=1\n",
    "if 1:\n    a\n  b\n",
    "def f():\n",
    "exec \"x\"\n",
    "a <> b\n",
    "a := 1\n",
    "with (a as b, c as d,): pass\n",
    "async = 1\n",
    "await = 1\n",
    "class A:\n    return 1\n",
    "class A:\n    yield 1\n",
    "print(*a)\n*a\n",
    "x = *a\n",
    "x = *a,\n",
    "for 1 in c: pass\n",
    "del 1\n",
    "with a as 1: pass\n",
    "[x for 1 in y]\n",
    "1 += 1\n",
    "def f():\n    async with g: pass\n",
    "[x for x in 1 if a else 2]\n",
    "a[1,*b]\n",
    "a[]\n",
    "def f(*a: *b): pass\n",
    "a = \"x\n",
    "a = \"\"\"x\n",
    "a = $\n",
    "a?\n",
    "!a\n",
    ";\n",
    "a = 1 \\",
    "async lambda: 1\n",
    "type X[T] = list[T]\n",
    "a = ur\"x\"\n",
    "a=f\"{}\"\n",
    "a=f\"{x\"\n",
    "a=f\"{x!z}\"\n",
    "a=f\"{x = 1}\"\n",
    "a=f\"{*x}\"\n",
    "a=f\"{*x,}\"\n",
    "a=f\"{lambda x: 1}\"\n",
    "a=fb\"x\"\n",
];

#[rustfmt::skip]
const TAKEN: [&str; 126] = [
    "if (a := 1): pass\n",
    "a=f\"{x}\"\n",
    "a=f\"{x!r}\"\n",
    "a=f\"{x=}\"\n",
    "a=f\"{x:{y}}\"\n",
    "a=f'{d[\"a\"]}'\n",
    "a=f\"{d[\"a\"]}\"\n",
    "a=t\"{x}\"\n",
    "a=f\"{'\\n'.join(x)}\"\n",
    "a=rf\"{x}\"\n",
    "a=f\"\"\"{\nx # c\n}\"\"\"\n",
    "a=f\"{x!=y}\"\n",
    "a=f\"{ {1:2}[1] }\"\n",
    "a=\"x\" f\"{y}\" \"z\"\n",
    "a=\"{x}\" f\"{y}\"\n",
    "async def f():\n    await g()\n    async with x: pass\n    async for i in y: pass\n",
    "a = b @ c\n",
    "a: int = 1\ndef f(x: int) -> str: pass\n",
    "a: int\n",
    "self.x: int = 1\n",
    "a, *b = c\n",
    "f(*a, *b)\n",
    "f(**a, **b)\n",
    "f(*a, 1)\n",
    "def f(*, a): pass\n",
    "def f():\n    a=1\n    def g():\n        nonlocal a\n        a=2\n",
    "@a.b(1)\ndef f(): pass\n",
    "class A(B, metaclass=M): pass\n",
    "class A(x=1): pass\n",
    "def f():\n    yield from g()\n",
    "while 1:\n    try: pass\n    finally: continue\n",
    "try: pass\nexcept (A, B) as e: pass\n",
    "a=1_000\n",
    "a=0b1_0\n",
    "a=1j\n",
    "a=...\n",
    "ä = 1\n",
    "a=u\"x\"\n",
    "a=b\"x\" b\"y\"\n",
    "a=b\"ä\"\n",
    "a=\"\\d\"\n",
    "if 1:\n\tx=1\n        y=2\n",
    "f(a=1,a=2)\n",
    "x = lambda a, *b, c=1, **d: a\n",
    "x = lambda: (yield)\n",
    "x = 1 if a else 2\n",
    "x={i for i in y}\n",
    "x={i:i for i in y}\n",
    "x=(i for i in y)\n",
    "f(i for i in y)\n",
    "a[1:2, ::3]\n",
    "from __future__ import annotations\n",
    "from __future__ import braces\n",
    "from a import *\n",
    "from . import a\nfrom ..b import c\n",
    "from a import (b, c,)\n",
    "a=1; b=2;\n",
    "a = 1 + \\\n  2\n",
    "a=1\r\nb=2\r\n",
    "a=1\rb=2\r",
    "a=1",
    "",
    "# x",
    "from micropython import const\n_A = const(1)\n",
    "import micropython\n@micropython.viper\ndef f(a: int) -> int:\n    return a\n",
    "import micropython\n@micropython.native\ndef f(a):\n    return a\n",
    "import micropython\n@micropython.asm_thumb\ndef f(r0):\n    mov(r0, 1)\n",
    "async def f():\n    yield 1\n",
    "print >>f, \"x\"\n",
    "[y for x in z if (y := x)]\n",
    "(a := 1)\n",
    "f(a:=1)\n",
    "(a, b := 1)\n",
    "(a): int = 1\n",
    "assert a, \"x\"\n",
    "raise A from B\n",
    "del (a, b), c[0]\n",
    "a = b = c\n",
    "lambda a=1: 0\n",
    "a not in b is not c\n",
    "with a as b, c as d: pass\n",
    "with (a, b): pass\n",
    "for a in b: pass\nelse: pass\n",
    "try: pass\nexcept: pass\nelse: pass\nfinally: pass\n",
    "async def f():\n    yield from g()\n",
    "match = 1\ntype = 2\nprint(match, type)\n",
    "match(x)\ntype(x)\n",
    "case = 1\n_ = 2\n",
    "a = 123456789012345678901234567890\n",
    "a = 0o17\n",
    "a=1e5\n",
    "a=1_0.5\n",
    "def f():\n    yield 1\n    return 2\n",
    "[a, *b] = c\n",
    "for [a, b] in c: pass\n",
    "for (a, b) in c: pass\n",
    "for a.b in c: pass\n",
    "(a) += 1\n",
    "def f():\n    await g()\n",
    "lambda: 1 if a else 2\n",
    "[1 for a in b if c if d]\n",
    "def f(*args,): pass\n",
    "def f(**kw,): pass\n",
    "f(a, *b,)\n",
    "def f() -> a[b, c]: pass\n",
    "a = ~b ** -c\n",
    "not not a\n",
    "async def f():\n    a = await b ** 2\n",
    "a < b < c\n",
    "a = (\"x\"\n \"y\")\n",
    "a = '''x\ny'''\n",
    "pass\n",
    "type: int = 1\n",
    "a = rb\"\\x\"\n",
    "a=f\"{{}}\"\n",
    "a=f\"{{{x}}}\"\n",
    "async def f():\n    return f\"{await x}\"\n",
    "def f():\n    a=f\"{yield}\"\n",
    "a=f\"{f'{x}'}\"\n",
    "a=f\"{x\n}\"\n",
    "a=f\"\"\"{\nx}\"\"\"\n",
    "a=f\"{x:>{w}.{p}}\"\n",
    "a=f\"{x:{y:{z}}}\"\n",
    "a=f\"{'a' 'b'}\"\n",
    "a=f\"{a[1:2]}\"\n",
    "a=f\"{1 if x else 2}\"\n",
];
