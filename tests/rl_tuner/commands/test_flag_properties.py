"""Whatever a flag is set to, a binary accepts it or says in one line what is wrong."""

import ast
import importlib.resources
import os
import pathlib
import subprocess
import sys

import pytest

HELPERS = pathlib.Path(__file__).parents[2] / "helpers"
NUM_EXAMPLES = 120
MODEL = importlib.resources.files("rl_tuner_checkpoints") / "note_rnn"
UNTUNED = f"--note_rnn_checkpoint_dir={MODEL}"
COMMANDS = [
    "melody_rnn.commands.create_dataset --output_dir=a",
    "melody_rnn.commands.train --output_dir=a",
    "molecule_rnn.commands.create_dataset --output_dir=a",
    "molecule_rnn.commands.train --output_dir=a",
    "rl_tuner.commands.train --output_dir=a",
    f"rl_tuner.commands.train --task=molecule {UNTUNED}",
    f"rl_tuner.commands.generate --output_dir=a {UNTUNED}",
    f"rl_tuner.commands.evaluate {UNTUNED}",
    "rl_tuner.commands.reproduce --output_dir=a",
    f"rl_tuner.commands.score --output_dir=a --source={MODEL}/config.json",
    f"rl_tuner.commands.export --format=keras --output=a.keras {UNTUNED}",
    "rl_tuner.commands.tradeoff --output_dir=a",
    f"melody_rnn.commands.listen --models=m={MODEL}",
]


@pytest.fixture(name="counts", scope="module")
def _counts():
    """What came of each command; importing TensorFlow is not among it."""
    script = [sys.executable, str(HELPERS / "flag_checker.py"), str(NUM_EXAMPLES)]
    done = subprocess.run(
        [*script, *COMMANDS],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        for command in COMMANDS:
            if line.startswith(f"{command} "):
                found[command] = line.removeprefix(f"{command} ")
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_any_value_is_accepted_or_refused_in_one_line(counts, command):
    found = counts[command]
    assert not found.startswith("FAILED"), ast.literal_eval(found[len("FAILED ") :])
    found = ast.literal_eval(found)
    assert min(found.values()) >= 3, found
