"""A run whose own code changes the folder stays where it was begun."""

import pytest
from binaries import run_binary

from rl_tuner.networks.sequence_rnn import SequenceRNN

_TASK = """
import os
import numpy as np
from rl_tuner.scored_task import PythonTask

class Wanderer(PythonTask):
    name, num_classes, max_length = "wanderer", 38, 8
    def score(self, tokens, ended):
        os.chdir("elsewhere" if os.path.exists("elsewhere") else ".")
        return tokens[-1] / 38
    def metrics(self, sequences):
        return {"mean": float(np.mean(sequences))}
"""


@pytest.mark.death
def test_run_is_written_where_it_was_begun(tmp_path):
    (tmp_path / "wandering.py").write_text(_TASK)
    (tmp_path / "elsewhere").mkdir()
    SequenceRNN(38, (8,)).save(tmp_path / "prior")
    done = run_binary(
        "rl_tuner_train",
        "--task=wandering:Wanderer",
        f"--note_rnn_checkpoint_dir={tmp_path}/prior",
        "--output_dir=run",
        "--training_steps=500",
        "--num_melodies=5",
        "--num_samples=1",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert not any((tmp_path / "elsewhere").iterdir())
    assert (tmp_path / "run" / "metrics.json").is_file()
