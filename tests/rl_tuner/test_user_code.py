import os
import subprocess
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


@pytest.mark.parametrize("error", ["ValueError('no\\nsuch')", "SystemExit(3)"])
def test_own_code_is_blamed_with_its_line(folder, error):
    (folder / "own_faults_late.py").write_text(
        f"import json\ndef score(x):\n    raise {error}\n"
    )
    score = user_code.find("own_faults_late:score", "--reward")
    with (
        pytest.raises(UserError, match=r"^score, in .*own_faults_late.py, line 3, fai"),
        user_code.blamed(),
    ):
        score(1)


def test_errors_that_are_not_of_own_code_pass(folder):
    (folder / "own_faults_late.py").write_text("def score(x): pass")
    user_code.find("own_faults_late:score", "--reward")
    with pytest.raises(ZeroDivisionError), user_code.blamed():
        _ = 1 / 0
    with pytest.raises(UserError, match="as it is"), user_code.blamed():
        raise UserError("as it is")


def _ended(folder, code):
    """A process of its own, in whose folder modules of a user's own are found."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )


def _ended_by_os_exit(folder, status):
    (folder / "own_faults_exit.py").write_text(
        f"import os\ndef score(x):\n    os._exit({status})\n"
    )
    return _ended(
        folder,
        "from rl_tuner import user_code; import os; "
        "user_code.find('own_faults_exit:score', '--reward')(1)",
    )


def test_own_code_does_not_exit_in_silence(tmp_path):
    ended = _ended_by_os_exit(tmp_path, 7)
    assert ended.returncode == 7
    assert ended.stderr.startswith("score, in ")
    assert ended.stderr.endswith("ends this process by os._exit(7)\n")


def test_own_code_that_ends_all_with_0_does_not_look_like_success(tmp_path):
    assert _ended_by_os_exit(tmp_path, 0).returncode == 1


def test_own_code_that_does_not_return_is_told_of_once(tmp_path):
    (tmp_path / "own_faults_blocks.py").write_text(
        "import time\n"
        "def inner(): time.sleep(1.0)\n"
        "def score(x): inner()\n"
        "def quick(x): pass\n"
    )
    code = (
        "from rl_tuner import user_code; user_code._PATIENCE = 0.3\n"
        "score = user_code.find('own_faults_blocks:score', '--reward'); score(1)\n"
        "quick = user_code.find('own_faults_blocks:quick', '--reward')\n"
        "import time; end = time.monotonic() + 0.6\n"
        "while time.monotonic() < end: quick(1)\n"
    )
    ended = _ended(tmp_path, code)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stderr.splitlines()
    assert len(lines) == 2, ended.stderr
    assert lines[1].startswith("score, in ")
    assert "has not returned for 0.3 s; Ctrl-C twice ends this" in lines[1]


def test_files_that_own_code_closed_are_told_of(folder):
    (folder / "own_faults_close.py").write_text("import os\nclose = os.close\n")
    close = user_code.find("own_faults_close:close", "--reward")
    with open(folder / "lock", "w") as file:
        number = os.dup(file.fileno())
    close(number)
    with (
        pytest.raises(UserError, match=r"were closed, .*own_faults_close\.py; it m"),
        user_code.blamed(),
    ):
        os.fsync(number)


@pytest.mark.parametrize("ends", ["return", "raise SystemExit"])
def test_child_that_own_code_forks_does_not_go_on_as_its_parent(folder, ends):
    (folder / "own_faults_fork.py").write_text(
        f"import os\ndef score():\n  if not os.fork(): {ends}\n  else: os.wait()\n"
    )
    code = (
        "import sys; sys.argv[0] = 'some_binary';"
        "from rl_tuner import user_code; from rl_tuner.commands import cli\n"
        "def main():\n"
        "  user_code.find('own_faults_fork:score', '--reward')()\n"
        "  user_code.end_fork()\n"
        "  print('goes on')\n"
        "cli.run(main)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "goes on\n", "")
