"""Whatever a flag is set to, a binary accepts it or says in one line what is wrong."""

import ast
import importlib.resources
import os
import pathlib
import subprocess
import sys

import pytest

HELPERS = pathlib.Path(__file__).parents[1] / "helpers"
NUM_EXAMPLES = 80
MODEL = importlib.resources.files("rl_tuner_checkpoints") / "note_rnn"
UNTUNED = f"--note_rnn_checkpoint_dir={MODEL}"
COMMANDS = [
    "melody_rnn.note_rnn_create_dataset --output_dir=a",
    "melody_rnn.note_rnn_train --output_dir=a",
    "molecule_rnn.smiles_rnn_create_dataset --output_dir=a",
    "molecule_rnn.smiles_rnn_train --output_dir=a",
    "rl_tuner.rl_tuner_train --output_dir=a",
    f"rl_tuner.rl_tuner_train --task=molecule {UNTUNED}",
    f"rl_tuner.rl_tuner_generate --output_dir=a {UNTUNED}",
    f"rl_tuner.rl_tuner_evaluate {UNTUNED}",
    "rl_tuner.rl_tuner_reproduce --output_dir=a",
    f"rl_tuner.rl_tuner_score --output_dir=a --source={MODEL}/config.json",
    f"rl_tuner.rl_tuner_export --format=keras --output=a.keras {UNTUNED}",
    "rl_tuner.rl_tuner_tradeoff --output_dir=a",
    f"melody_rnn.rl_tuner_listen --models=m={MODEL}",
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
