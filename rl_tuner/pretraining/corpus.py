"""What a world says of the sequences that a network is pre-trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rl_tuner.networks.network import Network
from rl_tuner.pretraining.batches import Batch


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Token sequences of both splits, each [steps] ints, and what is said of them.

    Attributes:
      name: of the model and of its folder: "note_rnn".
      num_classes: how many tokens there are.
      training: sequences to train on.
      evaluation: those that the best model is scored on.
      stopping: those of them that the best model is chosen by.
      batches: from the number of the first batch, endless batches to train on; batch b
        depends on the config and b alone.
      identity: JSON-serializable: what tells these data from others.
      metadata: JSON-serializable: what a model of them is stored with.
      unit: of the scores, and what they are taken on.
      title: of the table of scores.
      counts: of sequences, for the report.
      newer_settings: of the world's config, that runs of 0.1.0 have not kept.
      make_network: from the config, the network to train; None for a `SequenceRNN`.
      prior: the model that training goes on from; None: it begins with random weights.
      checksum: of the sequences, where `identity` does not hold one.
      unscored_steps: predictions at the beginning of each evaluation sequence that are
        left out of the scores.
      context_token: read before each sequence by the n-gram models, where these would
        have no context for the first prediction; None for none.
    """

    name: str
    num_classes: int
    training: Sequence[np.ndarray]
    evaluation: Sequence[np.ndarray]
    stopping: Sequence[np.ndarray]
    batches: Callable[[int], Iterable[Batch]]
    identity: Mapping[str, Any]
    metadata: Mapping[str, Any]
    unit: str
    title: str
    counts: Mapping[str, int]
    newer_settings: tuple[str, ...] = ()
    make_network: Callable[[Any], Network] | None = None
    prior: Network | None = None
    checksum: str = ""
    unscored_steps: int = 0
    context_token: int | None = None
