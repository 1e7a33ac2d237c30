"""An algorithm and a network, each one file, through the ordinary commands."""

import csv
import json
import subprocess
import sys

import pytest
from binaries import assert_refused, run_binary

# tests/documents trains the like of these in Python, in every run.
pytestmark = pytest.mark.learning

# REINFORCE with a mean baseline: whole sequences of the policy's own, KL in the return.
ALGORITHM = '''
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, mean_of_tokens, take_actions


class Reinforce(Algorithm):
    """Maximizes the return of r/c + log p(a|s) - log pi(a|s)."""

    name, label = "reinforce", "REINFORCE"
    adds_log_prior = True
    is_on_policy = True

    def loss(self, batch, config):
        rewards = (batch.rewards - batch.log_policies) * batch.is_token
        returns = tf.cumsum(rewards, axis=1, reverse=True)
        advantages = (returns - tf.reduce_mean(returns, axis=0)) * batch.is_token
        log_pi = take_actions(tf.nn.log_softmax(batch.logits), batch.actions)
        return mean_of_tokens(-log_pi * tf.stop_gradient(advantages), batch), advantages
'''

# Its own weights, and a state that is no LSTM's: a bigram model of the last two tokens.
NETWORK = '''
import keras
import tensorflow as tf

from rl_tuner.networks.network import Network


class TwoBack(Network):
    """Logits from the last token and the one before, which is the state."""

    def __init__(self, num_classes, metadata=None, name="two_back"):
        super().__init__(name=name)
        self.num_classes, self.state_size = num_classes, num_classes
        self.metadata = dict(metadata or {})
        self.last = keras.layers.Dense(num_classes, name="last")
        self.before = keras.layers.Dense(num_classes, use_bias=False, name="before")
        self.last.build((None, num_classes))
        self.before.build((None, num_classes))
        self.built = True

    def step(self, tokens, state):
        read = tf.one_hot(tokens, self.num_classes)
        return self.last(read) + self.before(state), read

    def unroll_with_state(self, tokens, state=None):
        read = tf.one_hot(tokens, self.num_classes)
        if state is None:
            state = tf.zeros_like(read[:, 0])
        before = tf.concat([state[:, tf.newaxis], read[:, :-1]], axis=1)
        return self.last(read) + self.before(before), read[:, -1]

    @property
    def clipping_groups(self):
        return [[index] for index in range(len(self.trainable_variables))]

    def fill_logits(self, value):
        for variable in self.trainable_variables:
            variable.assign(tf.zeros_like(variable))
        self.last.bias.assign(tf.fill([self.num_classes], value))

    def named_weights(self):
        layers = (self.last, self.before)
        return {f"{x.name}/{v.name}": v for x in layers for v in x.trainable_variables}

    def architecture(self):
        return {"num_classes": self.num_classes}
'''
SAVE = (
    "import numpy as np; from my_network import TwoBack; model = TwoBack(38); "
    "random = np.random.default_rng(0); "
    "model.set_weights([random.normal(size=w.shape) for w in model.get_weights()]); "
    "model.save('prior')"
)
SMALL = ("--output_every_nth=100000", "--num_melodies=300", "--num_samples=2")


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    (folder / "my_algorithm.py").write_text(ALGORITHM)
    (folder / "my_network.py").write_text(NETWORK)
    subprocess.run([sys.executable, "-c", SAVE], cwd=folder, check=True)
    return folder


def _metrics(run):
    return json.loads((run / "metrics.json").read_text())


def test_an_algorithm_in_one_file(folder):
    result = run_binary(
        "rl_tuner_train",
        "--algorithm=my_algorithm:Reinforce",
        "--output_dir=reinforced",
        *("--num_sequences=64", "--training_steps=250000", *SMALL),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    metrics = _metrics(folder / "reinforced")
    # It learns: rewards rise by more than a nat a token, and it stays near the prior.
    assert metrics["after"]["task_reward"] > metrics["before"]["task_reward"] + 2
    assert 0 < metrics["after"]["kl"] < 1.5
    result = run_binary(
        *("rl_tuner_evaluate", "--run_dir=reinforced", "--num_melodies=100"),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert "REINFORCE" in result.stdout
    result = run_binary(
        *("rl_tuner_generate", "--run_dir=reinforced", "--output_dir=melodies"),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert len(list((folder / "melodies").glob("*.mid"))) == 10


def test_a_network_in_one_file(folder):
    result = run_binary(
        *("rl_tuner_train", "--checkpoint_dir=prior", "--output_dir=tuned"),
        *("--algorithm=g", "--initial_values=zero", "--training_steps=20000", *SMALL),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    with open(folder / "tuned" / "curves.csv", newline="") as file:
        first, *_, last = csv.DictReader(file)
    assert float(last["task_reward"]) > float(first["task_reward"])
    for command, *flags in (
        ("rl_tuner_generate", "--output_dir=tunes"),
        ("rl_tuner_evaluate", "--num_melodies=100"),
    ):
        result = run_binary(command, "--run_dir=tuned", *flags, cwd=folder)
        assert result.returncode == 0, result.stderr
    exported = ("rl_tuner_export", "--checkpoint_dir=prior", "--output=saved")
    result = run_binary(*exported, "--format=savedmodel", cwd=folder)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=tuned"], "a TwoBack cannot be joined with another into one"),
        (["--checkpoint_dir=prior"], "a TwoBack cannot be written with Keras'"),
    ],
)
def test_what_a_network_cannot_be_is_said(folder, flags, message):
    if not (folder / "tuned").exists():
        test_a_network_in_one_file(folder)
    output = ("--format=keras", "--output=it.keras")
    assert_refused(run_binary("rl_tuner_export", *flags, *output, cwd=folder), message)


def test_what_is_no_algorithm_is_refused(folder):
    flags = ("--algorithm=my_network:TwoBack", "--output_dir=none")
    result = run_binary("rl_tuner_train", *flags, cwd=folder)
    assert_refused(result, "is not a subclass of rl_tuner.algorithms.algorithm")
