"""The lookback inputs of before 2016-10-28 are known by what never saw a gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from melody_rnn.magenta import checkpoints
from melody_rnn.networks.kinds import LookbackRNN
from rl_tuner.networks.network import Network


def _melodies(random, count):
    """Quarters of the scale of C, each bar twice: what a bar ago was tells what is."""
    notes = random.choice([14, 16, 18, 19, 21, 23], [count, 2, 4])
    bars = np.tile(notes[:, :, np.newaxis], [1, 1, 2, 1]).reshape(count, -1)
    melodies = np.zeros([count, 4 * bars.shape[1]], np.int32)
    melodies[:, ::4] = bars
    return melodies


@pytest.mark.parametrize("has_old_error", [False, True])
def test_trained_model_is_known(tmp_path, has_old_error):
    keras.utils.set_random_seed(0)
    model = LookbackRNN(38, (24,), has_old_error=has_old_error)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def train(tokens):
        with tf.GradientTape() as tape:
            logits = model.unroll(tokens[:, :-1])
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, 1:], logits)
            )
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)

    random = np.random.default_rng(0)
    for _ in range(40):
        train(tf.constant(_melodies(random, 16)))
    checkpoints.write(tmp_path, model)
    loaded = Network.load(tmp_path)
    assert loaded.architecture()["has_old_error"] == has_old_error
    assert ("with the lookback error of 2016" in loaded.read_from) == has_old_error


def test_random_weights_are_taken_for_todays(tmp_path):
    for seed in range(5):
        keras.utils.set_random_seed(seed)
        checkpoints.write(tmp_path, LookbackRNN(38, (24,)))
        assert not Network.load(tmp_path).architecture()["has_old_error"]
