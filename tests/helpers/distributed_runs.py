"""Trains with several replicas; a process of its own, since devices are set up once.

  python distributed_runs.py mirrored OUTPUT.npz
  python distributed_runs.py worker OUTPUT.npz        (TF_CONFIG says which)

`mirrored` has two logical devices of this processor. It also trains without
tf.distribute, with one replica, and with two that are cut and go on.
"""

import sys

import numpy as np
import tensorflow as tf
from toy_task import CountingTask

from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner

CONFIG = RLTunerConfig(
    algorithm="g",
    num_sequences=10,
    minibatch_size=12,
    replay_capacity=50,
    exploration_steps=10_000,  # not half of the first call, which the cut shortens
)
ROUNDS = 30


def prior():
    """A network of random weights, the same in every process."""
    model = SequenceRNN(5, (6,))
    random = np.random.default_rng(0)
    model.set_named_weights(
        {k: random.normal(size=v.shape) for k, v in model.weight_arrays().items()}
    )
    return model


def distributed(strategy):
    """A tuner of the toy task."""
    return RLTuner(prior(), CountingTask(), CONFIG, strategy)


def train(tuner, rounds):
    """Trains for some rounds; the report."""
    reports = []
    steps = rounds * tuner.steps_per_round
    tuner.train(steps, reports.append, report_every=steps)
    return reports[-1]


def everything(tuner):
    """All arrays of the tuner's state."""
    return {name: np.asarray(array) for name, array in tuner.state().items()}


def mirrored():
    """States by what they are of."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    plain = RLTuner(prior(), CountingTask(), CONFIG)
    alone = distributed(tf.distribute.MirroredStrategy(["CPU:0"]))
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    pair = distributed(both)
    start = everything(pair)
    train(pair, ROUNDS // 2)
    saved = everything(pair)
    pair.restore(start)
    reports = {
        name: train(tuner, ROUNDS)
        for name, tuner in (("plain", plain), ("alone", alone), ("pair", pair))
    }
    gone_on = distributed(both)
    gone_on.restore(saved)
    train(gone_on, ROUNDS - ROUNDS // 2)
    states = {"plain": plain, "alone": alone, "pair": pair, "gone_on": gone_on}
    found = {
        f"{name}:{key}": array
        for name, tuner in states.items()
        for key, array in everything(tuner).items()
    }
    found |= {f"{name}:report": np.array(report) for name, report in reports.items()}
    return found | {"pair:step": np.array(pair.step)}


def worker():
    """The state of this worker's tuner, and what the workers agree on."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    tuner = distributed(strategy)
    report = train(tuner, ROUNDS)
    number = tuner.replicas[0].number
    wishes = [tuner.loop.any_wishes(number == 1), tuner.loop.any_wishes(False)]
    agreed = {
        "wishes": np.array(wishes),
        "least": np.array(tuner.loop.least(10 + number)),
    }
    return everything(tuner) | agreed | {"report": np.array(report)}


if __name__ == "__main__":
    np.savez(sys.argv[2], **{"mirrored": mirrored, "worker": worker}[sys.argv[1]]())
