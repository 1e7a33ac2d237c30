"""What setup.py declares agrees with the files and their imports."""

import ast
import json
import pathlib
import re
import subprocess
import sys

import pytest

from rl_tuner.version import __version__

ROOT = pathlib.Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.py").exists(), reason="the sources are not all here, as in Bazel"
)

# What setuptools is handed.
READ_SETUP = """
import json, setuptools
setuptools.setup = lambda **arguments: print(json.dumps(arguments))
source = open("setup.py", encoding="utf-8").read()
exec(source, {"__file__": "setup.py", "__name__": "__main__"})
"""
# Runs a console script, and says what it imported and how long it computed.
SHOW_HELP = """
import resource, sys
from {module} import console_entry
sys.argv = ["{name}", "--help"]
try:
    console_entry()
except SystemExit as end:
    assert not end.code, end
used = resource.getrusage(resource.RUSAGE_SELF)
print("\\nmodules", *sys.modules)
print("seconds", used.ru_utime + used.ru_stime)
"""
HEAVY = {"tensorflow", "keras", "matplotlib.pyplot", "note_seq", "rdkit.Chem", "scipy"}
# Distributions whose modules have another name.
DISTRIBUTIONS = {"absl": "absl-py", "google": "protobuf"}
# Flask brings werkzeug; melodies are played by fluidsynth where it is installed.
NOT_REQUIRED = {"fluidsynth", "werkzeug"}
# Others import audioop; TensorBoard shows the summaries that TensorFlow writes.
NOT_IMPORTED = {"audioop-lts", "tensorboard"}


def _setup():
    if not (ROOT / "setup.py").exists():
        return {"entry_points": {"console_scripts": []}}
    result = subprocess.run(
        [sys.executable, "-c", READ_SETUP], cwd=ROOT, capture_output=True, check=True
    )
    return json.loads(result.stdout)


SETUP = _setup()
SCRIPTS = [
    re.fullmatch(r"(\w+) = ([\w.]+):console_entry", script).groups()
    for script in SETUP["entry_points"]["console_scripts"]
]


def _sources():
    """The Python files of the packages, by their folders."""
    for package in SETUP["packages"]:
        folder = ROOT / SETUP["package_dir"].get(package, package.replace(".", "/"))
        yield folder, sorted(folder.glob("*.py"))


def _name(requirement):
    return re.match(r"[\w-]+", requirement).group().lower().replace("_", "-")


def test_every_folder_of_code_is_packaged():
    packaged = {folder for folder, _ in _sources()}
    there = {path.parent for path in ROOT.glob("*/**/__init__.py")}
    hidden = {"tests", "build", "environment", "test_environment"}
    assert packaged == {
        folder
        for folder in there
        for parts in [folder.relative_to(ROOT).parts]
        if hidden.isdisjoint(parts) and not parts[0].startswith(".")
    }


def test_what_is_imported_is_required_and_what_is_required_is_imported():
    imported = set()
    for _, paths in _sources():
        for path in paths:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(node.module)
    tops = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    tops -= {package.partition(".")[0] for package in SETUP["packages"]}
    needed = {DISTRIBUTIONS.get(top, top).lower().replace("_", "-") for top in tops}
    required = {_name(requirement) for requirement in SETUP["install_requires"]}
    extras = {_name(r) for group in SETUP["extras_require"].values() for r in group}
    assert needed - required - extras == NOT_REQUIRED
    assert required - needed == NOT_IMPORTED


def test_changelog_begins_with_this_version():
    versions = re.findall(
        r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    # Above it may stand what has changed since.
    assert next(v for v in versions if v != "Unreleased") == SETUP["version"]


@pytest.mark.parametrize(("name", "module"), SCRIPTS)
def test_help_comes_at_once(name, module):
    result = subprocess.run(
        [sys.executable, "-c", SHOW_HELP.format(name=name, module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    *_, modules, seconds = result.stdout.splitlines()
    assert HEAVY.isdisjoint(modules.split())
    # Of computing, which other processes on the machine do not prolong.
    assert float(seconds.split()[1]) < 1.5
    assert re.search(r"^ +--\w+", result.stdout, re.MULTILINE)


def test_bazel_has_every_console_script():
    build = (ROOT / "BUILD").read_text(encoding="utf-8")
    scripts = re.search(r"^SCRIPTS = (\{.*?\})", build, re.MULTILINE | re.DOTALL)
    assert ast.literal_eval(scripts.group(1)) == dict(SCRIPTS)


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in text
