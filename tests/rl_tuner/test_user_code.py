import sys

import pytest

from rl_tuner import user_code
from rl_tuner.errors import UserError


@pytest.fixture(name="folder")
def _folder(tmp_path, monkeypatch):
    """Where modules of a user's own are found, forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(user_code, "_found", set())
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_files_of_a_module_are_its_own_and_what_it_imports_beside_it(folder):
    (folder / "own_faults_rule.py").write_text(
        "import own_faults_helper, json, numpy, rl_tuner.weights\n"
        "def rule(melody): return 0.0\n"
    )
    (folder / "own_faults_helper.py").write_text("")
    (folder / "own_faults_other.py").write_text("")
    package = folder / "own_faults_package" / "inner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import part")
    (package / "part.py").write_text("")
    assert user_code.loaded_files() == {}
    user_code.find("own_faults_rule:rule", "--rule")
    names = ["own_faults_helper.py", "own_faults_rule.py"]
    assert sorted(user_code.loaded_files()) == names
    user_code.find("own_faults_package.inner:part", "--rule")
    inner = [f"own_faults_package/inner/{name}" for name in ("__init__.py", "part.py")]
    files = user_code.loaded_files()
    assert sorted(files) == sorted([*names, *inner])
    assert files[names[0]].samefile(folder / names[0])


def test_our_own_modules_are_none_of_a_user(folder):
    user_code.find("rl_tuner.algorithms.value_learning:PsiLearning", "--algorithm")
    assert user_code.loaded_files() == {}


def test_module_that_exits_is_refused(folder):
    (folder / "own_faults_exit.py").write_text("raise SystemExit(3)")
    with pytest.raises(UserError, match=r"cannot be imported \(SystemExit: 3\)"):
        user_code.find("own_faults_exit:rule", "--rule")
