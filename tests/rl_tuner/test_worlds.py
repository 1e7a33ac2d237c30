import subprocess
import sys

import pytest

from rl_tuner import worlds
from rl_tuner.errors import UserError
from rl_tuner.system.declared_worlds import declared_worlds


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
        worlds.find_world(task)


def test_declared_worlds_go_by_their_names_and_one_is_the_default():
    found = {name: worlds.find_world(name) for name in declared_worlds()}
    assert all(world.name == name for name, world in found.items())
    assert [name for name, world in found.items() if world.is_default] == ["melody"]
    assert worlds.default_task() == "melody"


@pytest.mark.parametrize(
    ("world", "run", "weights", "own"),
    [
        (
            "molecule",
            {"reward": ["my_module:my_score"]},
            "reward",
            "my_module:my_score",
        ),
        ("molecule", {"scoring": {"any": "thing"}}, "reward", "score"),
        ("melody", {"rule": ["my_module:my_rule"]}, "rule", "my_rule"),
    ],
)
def test_weights_for_a_run_know_its_own_terms(world, run, weights, own):
    code = (
        "import sys; from absl import flags; from rl_tuner import worlds\n"
        f"world = worlds.find_world({world!r}); world.define_task_flags()\n"
        f"flags.FLAGS([sys.argv[0], '--{weights}_weights={own}=2'])\n"
        f"print(world.given_settings({run!r}))\n"
        "try: world.task_settings()\n"
        "except Exception as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    given, refused = ran.stdout.splitlines()
    assert given == str({f"{weights}_weights": {own: 2.0}})
    assert refused.startswith("unknown ")


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
