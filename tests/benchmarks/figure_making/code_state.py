"""A fingerprint of code that comments, docstrings and layout leave as it is."""

from __future__ import annotations

import ast
import hashlib
import pathlib
from collections.abc import Iterable

from figure_making.figure import ROOT

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def fingerprint(globs: Iterable[str], root: pathlib.Path = ROOT) -> str:
    """SHA-256 of the files that globs name, of Python of what it does only.

    Raises:
      ValueError: a glob names nothing, as after a file was moved.
    """
    digest = hashlib.sha256()
    for path in _files(globs, root):
        data = path.read_bytes()
        if path.suffix == ".py":
            data = meaning(data.decode()).encode()
        name = path.relative_to(root).as_posix().encode()
        digest.update(name + b"\0" + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def meaning(source: str) -> str:
    """Python without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _files(globs: Iterable[str], root: pathlib.Path) -> list[pathlib.Path]:
    found: set[pathlib.Path] = set()
    for pattern in globs:
        paths = {path for path in root.glob(pattern) if path.is_file()}
        if not paths:
            raise ValueError(f"{pattern} names no file; say what is there now")
        found |= paths
    return sorted(found)
