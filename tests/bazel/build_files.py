"""Writes the BUILD files of Bazel from the sources and their imports.

  python tests/bazel/build_files.py

A module is a py_library and a test a py_test, each named after its file; a console
script, and what else is run, is a py_binary. Other people's packages come from the
interpreter that Bazel runs.
"""

import ast
import dataclasses
import functools
import pathlib
import re
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]
CODE_FOLDERS = ("rl_tuner", "melody_rnn", "molecule_rnn", "checkpoints", "tests")
HEADER = "# Written by tests/bazel/build_files.py; run it, rather than edit this.\n"
RUN_BY = "//tests/bazel:pytest_main.py"
ROOT_FILES = ["README.md", "pyproject.toml"]
MODULE_IN_TEXT = re.compile(r"\w+(\.\w+)*:\w+|\w+(\.\w+)+|(rl_tuner_)?checkpoints")
NO_DATA = (".py", ".pyc", ".bzl")


@dataclasses.dataclass(frozen=True, eq=False)
class Module:
    """A Python file.

    Attributes:
      path: from the root.
      source: its text.
    """

    path: pathlib.PurePosixPath
    source: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.source)

    @property
    def label(self) -> str:
        """Its target."""
        return f"//{self.path.parent}:{self.path.stem}"

    @property
    def kind(self) -> str:
        """Its rule."""
        if self.path.stem.startswith("test_"):
            return "py_test"
        is_run = re.search(r"^if __name__ == .__main__.:", self.source, re.MULTILINE)
        # Those of the packages are run by console scripts: a file that is run by its
        # path looks for its imports beside it first, where rl_tuner.py is no package.
        return "py_binary" if is_run and self.is_testonly else "py_library"

    @property
    def is_testonly(self) -> bool:
        """Whether only tests may use it."""
        return self.path.parts[0] == "tests"

    @property
    def slow_marks(self) -> list[str]:
        """The marks that keep all of its tests out of the normal run."""
        marks = re.findall(r"^pytestmark = .*mark\.(\w+)$", self.source, re.MULTILINE)
        tests = [
            [ast.unparse(mark) for mark in node.decorator_list]
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ]
        return marks or [
            name
            for name in ("bazel", "death", "docs", "interop", "learning", "wheel")
            if tests and all(f"pytest.mark.{name}" in marks for marks in tests)
        ]

    def imports(self) -> Iterator[str]:
        """Names of all modules that may be meant by its imports and its strings."""
        for node in _walk_at_run_time(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                if node.level:
                    raise ValueError(f"{self.path}: a relative import; write it out")
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for word in self.words():
            text = re.sub(r"^--\w+=", "", word)  # it may be the value of a flag
            if MODULE_IN_TEXT.fullmatch(text):
                yield text.partition(":")[0]

    def words(self) -> set[str]:
        """Its strings."""
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Constant))
        return {node.value for node in nodes if isinstance(node.value, str)}


class Sources:
    """The Python files below a root, and which of them need which."""

    def __init__(self, root: pathlib.Path = ROOT):
        """Reads them."""
        self.root = root
        paths = sorted(p for name in CODE_FOLDERS for p in (root / name).rglob("*.py"))
        modules = [_read(root, path) for path in paths]
        self._by_path = {str(module.path): module for module in modules}
        self.folders = sorted({str(module.path.parent) for module in modules})
        setup = _read(root, root / "setup.py").tree
        scripts = _value(setup, "SCRIPTS").items()
        self.scripts = {
            name: self._by_path[path]
            for name, module in scripts
            if (path := f"{_folder(module)}.py") in self._by_path
        }
        self._worlds = _value(setup, "WORLDS").values()
        self._package_data = {
            _folder(package): patterns
            for package, patterns in _value(setup, "PACKAGE_DATA").items()
        }
        self._named = {module: self._named_in(module) for module in modules}

    def modules(self, folder: str) -> list[Module]:
        """Those of one folder."""
        return [m for m in self._by_path.values() if str(m.path.parent) == folder]

    def dependencies(self, module: Module) -> set[Module]:
        """The modules that `module` needs, without those that they need.

        What is run needs the worlds too, if it finds them by their names.
        """
        found = set(self._named[module])
        return found if module.kind == "py_library" else self.with_worlds(found)

    def with_worlds(self, modules: set[Module]) -> set[Module]:
        """These, and the worlds if they are found by their names."""
        finds_worlds = self._by_path["rl_tuner/worlds.py"] in self._reached(modules)
        worlds = {self._find(name) for name in self._worlds}
        return modules | worlds if finds_worlds else modules

    def _named_in(self, module: Module) -> set[Module]:
        """Our modules that the source of `module` names or implies."""
        found = {self._find(name) for name in module.imports()}
        found |= {self._by_path.get(f"{module.path.parent}/__init__.py")}
        if module.is_testonly:
            words = module.words()
            found |= {self.scripts[name] for name in words & set(self.scripts)}
            found |= {self._by_path.get(f"{module.path.parent}/{w}") for w in words}
        if module.kind == "py_test":
            folders = module.path.parents
            found |= {self._by_path.get(f"{folder}/conftest.py") for folder in folders}
        return found - {None, module}

    def _reached(self, modules: set[Module]) -> set[Module]:
        """These, and those that they need, and so on."""
        reached, left = set(), list(modules)
        while left:
            module = left.pop()
            if module not in reached:
                reached.add(module)
                left += self._named[module]
        return reached

    def data(self, module: Module) -> list[str]:
        """Patterns of the files that are read where `module` is, from its folder."""
        if module.path.name == "__init__.py":
            return self._package_data.get(str(module.path.parent), [])
        folder = self.root / module.path.parent
        files = (path.relative_to(folder) for path in folder.rglob("*.*"))
        files = (path for path in files if path.suffix not in NO_DATA)
        nested = {
            pathlib.Path(f).relative_to(module.path.parent)
            for f in self.folders
            if f.startswith(f"{module.path.parent}/")
        }
        return sorted(
            {
                str(path.parent / f"*{path.suffix}")
                for path in files
                if module.is_testonly and not nested.intersection(path.parents)
            }
        )

    def _find(self, name: str) -> Module | None:
        """The module called `name`, or that holds `name`; None for other people's."""
        for base in ("", "tests/helpers/"):
            for parts in (name, name.rpartition(".")[0]):
                path = base + _folder(parts)
                for candidate in (f"{path}.py", f"{path}/__init__.py"):
                    if parts and candidate in self._by_path:
                        return self._by_path[candidate]
        return None


def build_files(root: pathlib.Path = ROOT) -> dict[pathlib.Path, str]:
    """What the BUILD files below `root` should hold, by path."""
    sources = Sources(root)
    files = {root / "BUILD": _root_file(sources)}
    for folder in sources.folders:
        rules = [_rule(sources, module) for module in sources.modules(folder)]
        kinds = {module.kind for module in sources.modules(folder)}
        if folder == "tests/bazel":
            rules.insert(0, _exports(["pytest_main.py"]))
        files[root / folder / "BUILD"] = "\n".join([_head(kinds), VISIBILITY, *rules])
    return files


VISIBILITY = 'package(default_visibility = ["//visibility:public"])\n'


def _walk_at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, but for what only type checkers read: it may go round in circles."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield from _walk_at_run_time(child)


def _read(root: pathlib.Path, path: pathlib.Path) -> Module:
    relative = pathlib.PurePosixPath(path.relative_to(root).as_posix())
    return Module(relative, path.read_text(encoding="utf-8"))


def _value(tree: ast.Module, name: str):
    """What a constant of a module is."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"setup.py has no {name}")


def _folder(package: str) -> str:
    """Where a package lies; only the checkpoints are installed under another name."""
    return re.sub(r"^rl_tuner_checkpoints\b", "checkpoints", package).replace(".", "/")


def _root_file(sources: Sources) -> str:
    """The console scripts, and what tests read of the root."""
    rules = []
    for name, module in sorted(sources.scripts.items()):
        package = str(module.path.with_suffix("")).replace("/", ".")
        lines = f"from {package} import console_entry; console_entry()"
        rules += [
            _call(
                "genrule",
                name=f"{name}_script",
                outs=[f"{name}.py"],
                cmd=f"echo '{lines}' > $@",
            ),
            _call(
                "py_binary",
                name=name,
                srcs=[f"{name}.py"],
                deps=sorted(other.label for other in sources.with_worlds({module})),
            ),
        ]
    return "\n".join([_head({"py_binary"}), VISIBILITY, _exports(ROOT_FILES), *rules])


def _head(kinds: set[str]) -> str:
    load = ", ".join(f'"{kind}"' for kind in sorted(kinds))
    return f'{HEADER}load("@rules_python//python:defs.bzl", {load})\n'


def _exports(names: list[str]) -> str:
    return "".join(f'exports_files(["{name}"])\n' for name in names)


def _rule(sources: Sources, module: Module) -> str:
    """The target of one module."""
    values = {"name": module.path.stem, "srcs": [module.path.name]}
    data = sources.data(module)
    if module.kind == "py_test":
        values["srcs"].append(RUN_BY)
        values["main"] = RUN_BY
        values["args"] = [f"$(location {module.path.name})"]
        read = {"pyproject.toml"} | module.words().intersection(ROOT_FILES)
        data = [*(f"//:{name}" for name in sorted(read)), *data]
        if module.slow_marks:
            values["tags"] = ["manual", *module.slow_marks]
    elif module.is_testonly:
        values["testonly"] = True
    if data:
        values["data"] = data
    if labels := [other.label for other in sources.dependencies(module)]:
        here = f"//{module.path.parent}:"
        values["deps"] = sorted(re.sub(f"^{here}", ":", label) for label in labels)
        values["deps"].sort(key=lambda label: label.startswith("//"))
    return _call(module.kind, **values)


def _call(function: str, **values) -> str:
    """A call in Bazel's language."""
    lines = [f"    {name} = {_literal(value)},\n" for name, value in values.items()]
    return f"{function}(\n{''.join(lines)})\n"


def _literal(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if patterns := [item for item in value if "*" in item]:
        files = [item for item in value if item not in patterns]
        start = f"{_literal(files)} + " if files else ""
        return f"{start}glob({_list(patterns)})"
    return _list(value)


def _list(items: list[str]) -> str:
    if len(items) == 1:
        return f'["{items[0]}"]'
    return "[\n" + "".join(f'        "{item}",\n' for item in items) + "    ]"


def main() -> None:
    """Writes what differs."""
    for path, text in build_files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
