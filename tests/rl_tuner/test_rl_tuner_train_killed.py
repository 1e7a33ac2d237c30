"""Runs that are killed at random moments end as the run that was not."""

import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

from rl_tuner.sequence_rnn import SequenceRNN

pytestmark = pytest.mark.death

KILLS = 20
SCRIPT = pathlib.Path(sys.executable).with_name("rl_tuner_train")


def _command(prior, directory):
    return [
        str(SCRIPT),
        f"--note_rnn_checkpoint_dir={prior}",
        f"--output_dir={directory}",
        "--training_steps=150000",
        "--output_every_nth=1000",  # a look at the clock each
        "--replay_capacity=20000",
        "--num_melodies=100",
        "--save_every_secs=0.1",
    ]


def _files(directory):
    """What the run left, but for TensorBoard's files, which hold the time."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "tensorboard" not in path.parts and path.name != ".lock"
    }


def test_twenty_killed_runs_end_bit_by_bit_as_the_uncut(tmp_path):
    SequenceRNN(38, (8,)).save(tmp_path / "prior")
    subprocess.run(
        _command(tmp_path / "prior", tmp_path / "uncut"), check=True, timeout=900
    )
    moments = random.Random(0)
    directory, kills = tmp_path / "cut", 0
    while True:
        started = time.monotonic()
        with subprocess.Popen(_command(tmp_path / "prior", directory)) as process:
            if kills < KILLS:
                saves = directory / "saves"
                # From within the first save on: earlier there is nothing to lose.
                known = set(saves.glob("step_*"))
                while process.poll() is None and time.monotonic() - started < 300:
                    if set(saves.glob("*")) - known:
                        break
                    time.sleep(0.01)
                time.sleep(moments.uniform(0.0, 0.6))
                process.send_signal(signal.SIGKILL)
                kills += 1
            code = process.wait(timeout=900)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert kills == KILLS
    ours, theirs = _files(directory), _files(tmp_path / "uncut")
    assert set(ours) == set(theirs)
    for name, data in theirs.items():
        assert ours[name] == data, name
