"""What is compared: what each side is asked for, and the products behind it."""

import dataclasses

import machine_limit

from molecule_rnn.policy_gradient_defaults import POLICY_GRADIENT_SETTINGS
from rl_tuner.algorithms import get_algorithm
from rl_tuner.config import POLICY_GRADIENTS, RLTunerConfig

CORPUS = 20_000  # melodies to reward
WINDOW_STEPS = 128  # of the Note RNN's training, in batches of 128
LIMIT_BATCH = 256  # melodies that are generated side by side


@dataclasses.dataclass(frozen=True)
class Work:
    """Something that both sides do.

    Attributes:
      label: what it is called, with its unit.
      request: what a side is asked.
      ours: how much of it we do in a measurement, a few seconds' worth.
      theirs: how much of it Magenta does.
      units: results of one unit of the amount.
      products: matrix products of the networks in one unit; none where there are none.
        Of molecules: for a token of each sequence of a batch.
    """

    label: str
    request: dict
    ours: int
    theirs: int
    units: float = 1.0
    products: tuple = ()


def melody_works(files, algorithms):
    """What is measured as a rate."""
    layers = files["layers"]
    training = [
        Work(
            f"Training by {algorithm.capitalize()}, environment steps/s",
            {"work": "train", "algorithm": algorithm},
            ours=50_000,
            theirs=1000,
            products=tuple(machine_limit.training_round(layers, algorithm)),
            units=1.0,
        )
        for algorithm in algorithms
    ]
    training += [
        Work(
            f"Training by {get_algorithm(name).label}, environment steps/s",
            {"work": "train", "algorithm": name},
            ours=50_000,
            theirs=0,
        )
        for name in POLICY_GRADIENTS
    ]
    generating = 2 * 32 * machine_limit.forward(layers, LIMIT_BATCH)
    rows = 128
    unrolled = machine_limit.forward(layers, rows) + machine_limit.backward(
        layers, rows
    )
    return [
        *training,
        Work(
            "Generation and all metrics, melodies/s",
            {"work": "evaluate"},
            ours=80 * LIMIT_BATCH,
            theirs=60,
            products=tuple(generating),
        ),
        Work(
            "Rewards over a corpus, rewards/s",
            {"work": "rewards", "corpus": files["corpus"]},
            ours=CORPUS,
            theirs=100,
            units=32.0,
        ),
        Work(
            "Note RNN training, steps of 128 x 128/s",
            {"work": "note_rnn"},
            ours=20,
            theirs=10,
            products=tuple(WINDOW_STEPS * unrolled),
        ),
    ]


def molecule_works(layers):
    """What is measured of molecules, which Magenta has not."""
    batch = POLICY_GRADIENT_SETTINGS["num_sequences"]
    acted = 2 * machine_limit.forward(layers, batch)  # the policy and the Reward RNN
    update = machine_limit.forward(layers, batch) + machine_limit.backward(
        layers, batch
    )
    updates = {
        name: RLTunerConfig(name, **POLICY_GRADIENT_SETTINGS).updates_per_batch
        for name in POLICY_GRADIENTS
    }
    works = [
        Work("Molecules sampled", {"work": "molecules", "step": "sample"}, 8192, 0),
        Work("Molecules scored", {"work": "molecules", "step": "score"}, 4000, 0),
    ]
    works += [
        Work(
            f"Molecules sampled, scored, learned from by {get_algorithm(name).label}",
            {"work": "molecules", "step": "learn", "algorithm": name},
            ours=3000,
            theirs=0,
            products=tuple(acted + updates[name] * update),
        )
        for name in POLICY_GRADIENTS
    ]
    return [dataclasses.replace(w, label=f"{w.label}, molecules/s") for w in works]
