"""The BUILD files say what the sources do."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.py").exists(), reason="the sources are not all here, as in Bazel"
)


@pytest.fixture(name="build_files", scope="module")
def _build_files():
    sys.path.insert(0, str(HERE))
    try:
        import build_files
    finally:
        sys.path.remove(str(HERE))
    return build_files


def test_targets_sources_and_deps_agree_with_the_files_and_their_imports(build_files):
    expected = build_files.build_files(ROOT)
    there = {
        path for name in build_files.CODE_FOLDERS for path in _written(ROOT / name)
    }
    stale = [
        str(path.relative_to(ROOT))
        for path in sorted({*expected, *there})
        if not path.exists() or path.read_text() != expected.get(path)
    ]
    assert not stale, "out of date; run: python tests/bazel/build_files.py"


def test_no_imports_go_round_in_circles(build_files):
    sources = build_files.Sources(ROOT)
    modules = [m for folder in sources.folders for m in sources.modules(folder)]
    left = {module: sources.dependencies(module) for module in modules}
    while free := [module for module, needed in left.items() if not needed]:
        left = {m: needed - {*free} for m, needed in left.items() if m not in free}
    assert not [module.label for module in left]


def test_imports_are_found_wherever_they_are(build_files, tmp_path):
    files = {
        "setup.py": "SCRIPTS = {'tune': 'rl_tuner.tune'}\n"
        "WORLDS = {'melody': 'melody_rnn.world'}\n"
        "PACKAGE_DATA = {'rl_tuner_checkpoints': ['*/*']}\n",
        "checkpoints/__init__.py": "",
        "melody_rnn/__init__.py": "",
        "melody_rnn/world.py": "import numpy\nfrom rl_tuner import task, worlds\n",
        "rl_tuner/__init__.py": "__version__ = '1'",
        "rl_tuner/task.py": "from rl_tuner import __version__\n"
        "if TYPE_CHECKING:\n    from rl_tuner import worlds\n",
        "rl_tuner/worlds.py": "FOLDER = 'rl_tuner_checkpoints'",
        "rl_tuner/tune.py": "def main():\n    import rl_tuner.worlds\n"
        "if __name__ == '__main__':\n    main()\n",
        "tests/conftest.py": "",
        "tests/helpers/binaries.py": "",
        "tests/golden.json": "{}",
        "tests/test_tune.py": "from binaries import run_binary\n"
        "pytestmark = pytest.mark.death\n"
        "def test():\n"
        "    run_binary('tune', '--task=x', 'helper.py', '--own=rl_tuner.task:Task')",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sources = build_files.Sources(tmp_path)
    found = {
        str(module.path): (
            module.kind,
            {other.label for other in sources.dependencies(module)},
            sources.data(module),
        )
        for folder in sources.folders
        for module in sources.modules(folder)
    }
    package = "//rl_tuner:__init__"
    checkpoints = "//checkpoints:__init__"
    assert found == {
        "checkpoints/__init__.py": ("py_library", set(), ["*/*"]),
        "melody_rnn/__init__.py": ("py_library", set(), []),
        "melody_rnn/world.py": (
            "py_library",
            {"//melody_rnn:__init__", "//rl_tuner:task", "//rl_tuner:worlds"},
            [],
        ),
        "rl_tuner/__init__.py": ("py_library", set(), []),
        "rl_tuner/task.py": ("py_library", {package}, []),
        "rl_tuner/worlds.py": ("py_library", {package, checkpoints}, []),
        "rl_tuner/tune.py": (
            "py_library",
            {package, "//rl_tuner:worlds"},
            [],
        ),
        "tests/conftest.py": ("py_library", set(), ["*.json"]),
        "tests/helpers/binaries.py": ("py_library", set(), []),
        "tests/test_tune.py": (
            "py_test",
            {
                "//tests/helpers:binaries",
                "//tests:conftest",
                "//rl_tuner:tune",
                "//rl_tuner:task",
                "//melody_rnn:world",
            },
            ["*.json"],
        ),
    }
    written = build_files.build_files(tmp_path)[tmp_path / "BUILD"]
    needed = '["//melody_rnn:world", "//rl_tuner:tune"]'
    assert needed in " ".join(written.split()).replace(", ]", "]").replace("[ ", "[")
    written = build_files.build_files(tmp_path)[tmp_path / "tests" / "BUILD"]
    assert '"manual",\n        "death",\n' in written


def _written(folder):
    return (path for path in folder.rglob("BUILD") if "stubs" not in path.parts)
