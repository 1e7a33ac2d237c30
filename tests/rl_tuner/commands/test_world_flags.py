import dataclasses

import pytest

from rl_tuner.commands import world_flags
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
    assert world_flags.task_in(argv) == task


def test_task_of_a_run_is_that_of_its_settings(tmp_path):
    """So that its world's flags can be defined."""
    config = dataclasses.asdict(RLTunerConfig())
    settings = run_directory.RunSettings("molecule", {}, "prior", 10, config)
    run_directory.write_settings(tmp_path, settings)
    assert world_flags.task_in(["x", f"--run_dir={tmp_path}"]) == "molecule"
    assert world_flags.task_in(["x", "--run_dir=nowhere"]) == "melody"


def test_missing_module_is_refused_before_tensorflow_is_loaded(capsys):
    with pytest.raises(UserError, match=r"No module named 'no_such_module'"):
        world_flags.world_in(["x", "--task=no_such_module:Task"])
    assert "loading" not in capsys.readouterr().err
