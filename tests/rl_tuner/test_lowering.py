"""What is compiled holds nothing that a GPU or a TPU refuses.

No such device is needed: it is looked for in the HLO that XLA makes of each function.
"""

import re

import numpy as np
import pytest
import tensorflow as tf

from melody_rnn.music_theory import rewards, statistics
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.note_rnn.config import TrainingConfig
from melody_rnn.task import MelodyTask
from rl_tuner.algorithms import exploration
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining.batches import Batch
from rl_tuner.pretraining.gradients import BatchGradients
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.scored_task import PythonTask
from rl_tuner.training.loop import begun

# What leaves the device in the middle of a program, or is made for one kind alone.
OFF_THE_DEVICE = {"infeed", "outfeed", "send", "recv", "custom-call"}
OPERATION = re.compile(r"^\s+(?:ROOT )?%\S+ = .*?[\])}] ([a-z][a-z-]*)\(", re.M)


def check(function, *arguments):
    """Reads the HLO of a compiled function."""
    text = function.experimental_get_compiler_ir(*arguments)(stage="hlo")
    operations = set(OPERATION.findall(text))
    assert {"add", "parameter"} <= operations
    assert not operations & OFF_THE_DEVICE
    assert "<=" not in text, "a shape that is known at run time only"


@pytest.fixture(scope="module")
def prior():
    return SequenceRNN(38, [8])


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": "q"},
        {"algorithm": "psi", "replay_mode": "whole_sequence", "replay": "prioritized"},
        {"algorithm": "g", "replay_mode": "whole_prefix"},
        {"algorithm": "reinforce"},
        {"algorithm": "ppo", "target_kl": 0.3},
        {"algorithm": "dap", "num_best": 4},
        {"algorithm": "dpg"},
    ],
    ids=lambda settings: settings["algorithm"],
)
def test_training(prior, settings):
    _check_training(prior, settings)


def _check_training(prior, settings):
    config = RLTunerConfig(**settings, exploration_steps=100, num_sequences=5)
    tuner = RLTuner(prior, MelodyTask(), config)
    check(
        tuner.loop._run, tf.constant(3, tf.int64), tf.constant(begun(None), tf.float32)
    )


@pytest.mark.learning
@pytest.mark.parametrize("algorithm", ["psi", "reinforce"])
@pytest.mark.parametrize("kind", [LookbackRNN, AttentionRNN])
def test_training_of_melody_networks(kind, algorithm):
    _check_training(kind(38, (8,)), {"algorithm": algorithm})


class CountingInPython(PythonTask):
    name, num_classes, max_length, end_token = "counting in Python", 5, 4, None

    def score(self, tokens, ended):
        return float(tokens[-1])

    def metrics(self, sequences):
        return {}


def test_training_of_scored_tasks():
    prior = SequenceRNN(5, [8])
    config = RLTunerConfig(algorithm="q", exploration_steps=100)
    tuner = RLTuner(prior, CountingInPython(), config)
    check(tuner.loop._act)
    config = RLTunerConfig(algorithm="reinforce", num_sequences=4)
    tuner = RLTuner(prior, CountingInPython(), config)
    check(tuner.loop._sample, tf.constant(0, tf.int64))
    check(tuner.loop._learn, tf.zeros([4, 4]), tf.constant(0, tf.int64), 4)


def test_generating(prior):
    policy = Policy.of_prior(prior)
    arguments = (tf.zeros([8, 2], tf.int32), 5, tf.constant(1.0), tf.constant([0, 0]))
    check(policy._compiled_generate, *arguments, None)


def test_pretraining(prior):
    gradients = BatchGradients(prior, TrainingConfig(dropout=0.5))
    windows = tf.zeros([4, 6], tf.int32)
    batch = Batch(windows, windows, tf.ones([4, 6]))
    check(gradients._of_share, batch, tf.constant(24.0), tf.constant([0, 1]))


def test_rules_over_whole_melodies():
    settings = MelodyTask().settings
    melodies = tf.zeros([4, 16], tf.int32)
    check(rewards._compiled_scan(settings), melodies)
    check(statistics._compiled_counts(settings), melodies)


# In double precision, which a TPU can only imitate.
def test_a_tpu_samples_in_single_precision(monkeypatch):
    scores = tf.constant(np.log([[0.5, 0.2, 0.3, 1e-9]]), tf.float32)
    monkeypatch.setattr(exploration, "_has_tpu", lambda: True)
    sample = tf.function(exploration.boltzmann, jit_compile=True, autograph=False)
    many, seed = tf.repeat(scores, 20_000, axis=0), tf.constant([0, 1])
    ir = sample.experimental_get_compiler_ir(many, seed, 1.0)(stage="hlo")
    assert "f64[" not in ir
    shares = np.bincount(sample(many, seed, 1.0), minlength=4) / 20_000
    assert shares[:3] == pytest.approx([0.5, 0.2, 0.3], abs=0.015)
    assert shares[3] == 0
