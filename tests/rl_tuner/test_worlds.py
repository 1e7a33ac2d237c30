import dataclasses
import subprocess
import sys

import pytest

from rl_tuner import worlds
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory


@pytest.mark.parametrize(
    ("argv", "task"),
    [
        (["x"], "melody"),
        (["x", "--task=molecule"], "molecule"),
        (["x", "-task", "a:B"], "a:B"),
        (["x", "--tasks=molecule"], "melody"),
    ],
)
def test_task_is_found_on_the_command_line(argv, task):
    assert worlds.task_in(argv) == task


def test_task_of_a_run_is_that_of_its_settings(tmp_path):
    """So that its world's flags can be defined."""
    config = dataclasses.asdict(RLTunerConfig())
    settings = run_directory.RunSettings("molecule", {}, "prior", 10, config)
    run_directory.write_settings(tmp_path, settings)
    assert worlds.task_in(["x", f"--run_dir={tmp_path}"]) == "molecule"
    assert worlds.task_in(["x", "--run_dir=nowhere"]) == "melody"


def test_melody_world_ships_its_checkpoint():
    path = worlds.shipped_checkpoint(worlds.find_world("melody"))
    assert (path / "config.json").is_file()
    assert (path / "weights.npz").stat().st_size < 5_000_000
    assert (path / "MODEL_CARD.md").is_file()


def test_own_task_is_found_by_module_and_class():
    world = worlds.find_world("toy_task:CountingTask")
    assert world.make_task({}).name == "counting"
    with pytest.raises(UserError, match="ships no model"):
        worlds.shipped_checkpoint(world)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("no_such_module:Task", "--task=no_such_module:Task cannot be imported"),
        ("toy_task:NoSuchTask", "--task=toy_task:NoSuchTask cannot be imported"),
        ("toy_task:np", "is not a subclass of"),
    ],
)
def test_bad_own_task_is_refused(task, message):
    with pytest.raises(UserError, match=message):
        worlds.find_world(task).make_task({})


def test_missing_module_is_refused_before_anything_is_asked_of_its_task():
    with pytest.raises(UserError, match=r"No module named 'no_such_module'"):
        worlds.find_world("no_such_module:Task").task_settings()


def test_unknown_task_lists_the_known():
    with pytest.raises(UserError, match=r"choose one of .*melody"):
        worlds.find_world("chess")


def test_worlds_and_their_flags_need_no_tensorflow():

    code = (
        "import sys; from rl_tuner import worlds, config; "
        "from rl_tuner.commands import cli; "
        "worlds.find_world('melody').define_task_flags(); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
