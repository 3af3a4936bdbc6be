"""Writes the sources of the updater with short private names, before mpy-cross compiles them.

A name takes 10 to 30 bytes of a board's heap while a module that has it is loaded, and for ever after: a third of
what the updater takes were names. What one file alone knows, parameters and names with an underscore, is called
like a word that all firmware has in ROM anyway. What the files of the package `mpota` alone know of each other has
two or three letters, which depend on the name alone: the same in the next version. What the files ota_*.py, apps and
people know keeps its name, and so does whatever occurs in a text: it may be looked up by that.

So the files of the package are one thing when compiled: a .py among them is not found by the names it has.

    python3 shorten.py FROM TO
"""

import ast
import binascii
import builtins
import gc
import hashlib
import io
import json
import keyword
import os
import pathlib
import re
import select
import socket
import ssl
import struct
import sys
import time
import types
import zlib

# MicroPython's static_qstr_list (py/makeqstrdata.py): part of the .mpy format, so in the ROM of every port.
STATIC = """abs all any append args bool bytearray bytecode bytes callable chr classmethod clear close const copy count
dict dir divmod end endswith eval exec extend find format from_bytes get getattr getter globals hasattr hash id index
insert int intersection isalpha isdigit isinstance islower isspace issubclass isupper items iter join key keys len list
little locals lower lstrip main map micropython next object open ord pop popitem pow print range read readinto
readline remove replace repr reverse rfind rindex round rsplit rstrip self send sep set setattr setdefault sort sorted
split start startswith staticmethod step stop str strip sum super throw to_bytes tuple type update upper utf-8 value
values write zip""".split()
POOL = [word for word in STATIC if word.isidentifier()] + list("abcdefghijklmnopqrstuvwxyz")

# What apps call, in the files that they import: they may give these parameters by their names.
IMPORTED = ("ota_updater.py", "ota_main.py", "ota_aio.py", "ota_app.py", "ota_due.py")
CALLED = "boot check confirm due early log look restart rollback run status steps unblock update window".split()


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.Lambda))]


def parameters(function):
    a = function.args
    return [x.arg for x in a.posonlyargs + a.args + a.kwonlyargs + [a.vararg, a.kwarg] if x]


def names(tree):
    """Every identifier in a file."""
    out = set()
    for n in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(n, field, None)
            if isinstance(value, str):
                out.update(value.split("."))
        if isinstance(n, (ast.Global, ast.Nonlocal)):
            out.update(n.names)
    return out


def known_outside(tree):
    """Names without an underscore that stand for something in a module or a class, not in a function alone."""
    out = set()
    for n in ast.walk(tree):
        if isinstance(n, (ast.Module, ast.ClassDef)):
            stack = list(n.body)
            while stack:
                x = stack.pop()
                if isinstance(x, (ast.FunctionDef, ast.ClassDef)):
                    out.add(x.name)
                    continue
                if isinstance(x, ast.Name):
                    out.add(x.id)
                stack.extend(ast.iter_child_nodes(x))
        elif isinstance(n, ast.alias):
            out.add((n.asname or n.name).split(".")[0])
        elif isinstance(n, ast.Global):
            out.update(n.names)
    return out


def to_rename(file, tree, elsewhere, called_with):
    private = {n for n in names(tree) if n[:1] == "_" and n[:2] != "__" and n != "_" and n not in elsewhere}
    chosen, kept = set(private), set()
    for f in functions(tree):
        called = file.name in IMPORTED and f in tree.body and f.name.lstrip("_") in CALLED
        (kept if called else chosen).update(parameters(f))
        if isinstance(f, ast.FunctionDef):  # a function within this one
            chosen.update(x.name for x in ast.walk(f) if x is not f and isinstance(x, ast.FunctionDef))
    public = known_outside(tree) - private
    return sorted(chosen - public - kept - called_with - constants(tree) - {"self", "_"} - set(STATIC))


def constants(tree):
    """Names that mpy-cross replaces by their value: `_A = const(1)`."""
    return {
        x.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) and getattr(n.value.func, "id", "") == "const"
        for x in n.targets
    }


def keywords(trees):
    """Parameters that are given by their names."""
    return {n.arg for t in trees for n in ast.walk(t) if isinstance(n, ast.keyword) and n.arg}


def defined(tree):
    """What a file gives a name to: functions, classes, variables and attributes."""
    out = set()
    for n in ast.walk(tree):
        if isinstance(n, (ast.FunctionDef, ast.ClassDef)):
            out.add(n.name)
        elif isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            out.add(n.id)
        elif isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store):
            out.add(n.attr)
    return out


def words(tree):
    """Every word in the texts of a file, but for those that describe it."""
    told = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    out = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.Constant) and isinstance(n.value, (str, bytes)) and id(n) not in told:
            text = n.value if isinstance(n.value, str) else n.value.decode("latin-1")
            out.update(re.findall(r"\w+", text))
    return out


def of_firmware():
    """Names that a module or an object of the firmware may have: those that Python's have."""
    things = [builtins, binascii, gc, hashlib, io, json, os, select, socket, ssl, struct, sys, time, types, zlib]
    things += [x for t in things for x in vars(t).values() if isinstance(x, type)]
    things += [select.poll(), zlib.compressobj(), zlib.decompressobj(), hashlib.sha256()]
    return {name for thing in things for name in dir(thing)}


def shared(trees):
    """{name: short one} for what the files of the package `mpota` alone know of each other."""
    package = [t for f, t in trees.items() if f.parent.name == "mpota"]
    others = [t for f, t in trees.items() if f.parent.name != "mpota"]
    firmware = of_firmware()
    alone = [names(t) for t in package]
    kept = {n for t in alone for n in t if n[:1] == "_" and sum(n in x for x in alone) == 1}  # see to_rename()
    imported = {
        a.name for t in package for n in ast.walk(t) if isinstance(n, ast.ImportFrom) and n.module[:5] != "mpota"
        for a in n.names
    }
    # People read them, in what a log says of an error.
    kept.update(n.name for t in package for n in ast.walk(t) if isinstance(n, ast.ClassDef))
    kept = kept.union(imported, keywords(package), firmware, STATIC, *map(names, others), *map(words, trees.values()))
    kept.update(*map(constants, package))
    found = {n for n in set().union(*map(defined, package)) - kept if n[:2] != "__" and len(n) > 3}
    taken = set(keyword.kwlist).union(*map(names, trees.values()), firmware)
    letters, out = "abcdefghijklmnopqrstuvwxyz", {}
    for name in sorted(found):
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        a, b, c = (letters[number // 26**i % 26] for i in range(3))
        out[name] = next(short for short in (a + b, a + b + c, a + b + c + b) if short not in taken)
        taken.add(out[name])
    return out


class Rename(ast.NodeTransformer):
    def __init__(self, to, everywhere=False):
        self.to, self.everywhere = to, everywhere

    def visit(self, n):
        self.generic_visit(n)
        if isinstance(n, ast.Attribute):
            if self.everywhere or n.attr[:1] == "_":
                n.attr = self.to.get(n.attr, n.attr)
        elif isinstance(n, (ast.Global, ast.Nonlocal)):
            n.names = [self.to.get(x, x) for x in n.names]
        elif isinstance(n, ast.alias):
            n.asname = self.to.get(n.asname, n.asname)
            if self.everywhere:
                n.name = self.to.get(n.name, n.name)
        elif not isinstance(n, ast.keyword):
            for field in ("id", "arg", "name"):
                value = getattr(n, field, None)
                if isinstance(value, str):
                    setattr(n, field, self.to.get(value, value))
        return n


def main():
    source, out = map(pathlib.Path, sys.argv[1:])
    trees = {f: ast.parse(f.read_text()) for f in sorted(source.rglob("*.py"))}
    package = shared(trees)
    for file, tree in trees.items():
        if file.parent.name == "mpota":
            trees[file] = Rename(package, True).visit(tree)
    called = keywords(trees.values())
    for file, tree in trees.items():
        elsewhere = set().union(*(names(t) for f, t in trees.items() if f != file))
        old = to_rename(file, tree, elsewhere, called)
        taken = names(tree)
        free = [word for word in POOL if word not in taken]
        target = out / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(ast.unparse(Rename(dict(zip(old, free))).visit(tree)) + "\n")


main()
