"""Trains with several replicas; a process of its own, since devices are set up once.

  python distributed_runs.py mirrored OUTPUT.npz
  python distributed_runs.py worker OUTPUT.npz        (TF_CONFIG says which)

`mirrored` has two logical devices of this processor. It also trains without
tf.distribute, with one replica, and with two that are cut and go on.
"""

import functools
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
ON_POLICY = RLTunerConfig(
    algorithm="ppo", num_sequences=10, num_best=3, target_kl=0.05, reward_scaler=0.5
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


def distributed(strategy, config=CONFIG):
    """A tuner of the toy task."""
    return RLTuner(prior(), CountingTask(), config, strategy)


def train(tuner, rounds, parts=1):
    """Trains for some rounds; the report of the last part."""
    reports = []
    steps = rounds * tuner.steps_per_round
    tuner.train(steps, reports.append, report_every=steps // parts)
    return reports[-1]


def everything(tuner):
    """All arrays of the tuner's state."""
    return {name: np.asarray(array) for name, array in tuner.state().items()}


def mirrored(config=CONFIG):
    """States by what they are of."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    plain = RLTuner(prior(), CountingTask(), config)
    alone = distributed(tf.distribute.MirroredStrategy(["CPU:0"]), config)
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    pair = distributed(both, config)
    reports = {"plain": train(plain, ROUNDS), "alone": train(alone, ROUNDS)}
    saved = {}
    half = ROUNDS // 2 * pair.steps_per_round

    def save(progress):
        reports["pair"] = progress
        if progress.step == half:
            saved.update(everything(pair))

    # As a run that is cut, whose schedules are those of all of it.
    pair.train(2 * half, save, report_every=half)
    gone_on = distributed(both, config)
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


def worker(config=CONFIG):
    """The state of this worker's tuner, and what the workers agree on."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    tuner = distributed(strategy, config)
    report = train(tuner, ROUNDS, parts=2)
    number = tuner.replicas[0].number
    wishes = [tuner.loop.any_wishes(number == 1), tuner.loop.any_wishes(False)]
    agreed = {
        "wishes": np.array(wishes),
        "least": np.array(tuner.loop.least(10 + number)),
    }
    return everything(tuner) | agreed | {"report": np.array(report)}


if __name__ == "__main__":
    kinds = {
        "mirrored": mirrored,
        "on_policy": functools.partial(mirrored, ON_POLICY),
        "worker": worker,
        "on_policy_worker": functools.partial(worker, ON_POLICY),
    }
    np.savez(sys.argv[2], **kinds[sys.argv[1]]())
