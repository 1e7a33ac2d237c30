import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from melody_rnn.note_rnn import sequence_examples
from rl_tuner.networks.sequence_rnn import SequenceRNN

_ROOT = pathlib.Path(__file__).parents[3]


def _start(directory, run):
    command = [
        *(sys.executable, "-m", "melody_rnn.commands.train"),
        f"--sequence_example_file={directory}/t.tfrecord*",
        f"--eval_sequence_example_file={directory}/e.tfrecord*",
        f"--output_dir={run}",
        "--layer_sizes=16",
        "--batch_size=8",
        "--window_steps=32",
        "--num_training_steps=600",
        "--eval_every=20",
        "--patience=1000",
    ]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.death
def test_a_run_killed_at_random_moments_ends_as_one_that_was_not(tmp_path):
    rng = np.random.default_rng(0)
    for name, number in (("t", 30), ("e", 8)):
        melodies = [np.sort(rng.integers(0, 38, 90)).tolist() for _ in range(number)]
        sequence_examples.write_shards(tmp_path, name, melodies, 38, 2)
    assert _start(tmp_path, tmp_path / "whole").wait() == 0
    moments = random.Random(0)
    kills = 0
    while True:
        process = _start(tmp_path, tmp_path / "killed")
        for line in process.stdout:  # training has begun, or gone on
            if line.startswith(b"step "):
                break
        time.sleep(moments.uniform(0, 1.5))
        if kills < 5 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        out, _ = process.communicate()
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, out
            break
    assert kills >= 2
    whole, killed = (
        SequenceRNN.load(tmp_path / run / "note_rnn") for run in ("whole", "killed")
    )
    assert killed.metadata == whole.metadata
    for one, other in zip(whole.get_weights(), killed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
