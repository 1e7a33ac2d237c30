"""Batches of token sequences, as sequence RNNs are trained and scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

_BATCHES_SORTED = 50  # together by length
_LENGTHS = 8  # of batches in training


class Batch(NamedTuple):
    """N sequences of T predictions.

    Attributes:
      inputs: [N, T] int32, the tokens that are read.
      labels: [N, T] int32, the tokens that follow them.
      weights: [N, T] float32, 1 where the prediction counts, 0 in the unscored
        beginning and in padding.
    """

    inputs: tf.Tensor
    labels: tf.Tensor
    weights: tf.Tensor


def padded_batch(
    sequences: Sequence[np.ndarray], unscored_steps: int = 0, multiple: int = 1
) -> Batch:
    """Whole sequences as one batch, padded at their ends.

    Args:
      sequences: N of them, each [steps] ints.
      unscored_steps: predictions at the beginning of each that carry no weight.
      multiple: that the number of predictions is made of.

    Returns:
      A batch of [N, longest - 1], or a few predictions more, without weight.
    """
    longest = max(len(sequence) for sequence in sequences)
    steps = -(-(longest - 1) // multiple) * multiple + 1
    tokens = np.zeros((len(sequences), steps), np.int32)
    weights = np.zeros((len(sequences), steps - 1), np.float32)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = sequence
        weights[row, unscored_steps : len(sequence) - 1] = 1
    return Batch(
        tf.constant(tokens[:, :-1]), tf.constant(tokens[:, 1:]), tf.constant(weights)
    )


def whole_sequences(
    sequences: Sequence[np.ndarray], batch_size: int, unscored_steps: int
) -> Iterator[Batch]:
    """Every sequence once and whole, in batches of sequences of like length."""
    by_length = sorted(sequences, key=len)
    for begin in range(0, len(by_length), batch_size):
        yield padded_batch(by_length[begin : begin + batch_size], unscored_steps)


def shuffled_sequences(
    sequences: Sequence[np.ndarray], batch_size: int, seed: int, first_batch: int = 0
) -> Iterator[Batch]:
    """Endless batches of whole sequences, each once an epoch.

    A batch holds sequences of like length, so that little of it is padding: an epoch is
    shuffled, sorted by length within groups of some batches, and its batches are
    shuffled again. Those that do not fill a last batch sit an epoch out. Batch b
    depends on `seed` and b alone. There are few different lengths, as each is compiled
    anew.

    Args:
      sequences: each [steps >= 2] ints.
      batch_size: sequences in a batch; fewer if there are not so many.
      seed: of the order.
      first_batch: number of the first batch to yield.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    multiple = max(-(-(int(lengths.max()) - 1) // _LENGTHS), 1)
    batch_size = min(batch_size, len(lengths))
    batches_per_epoch = len(lengths) // batch_size
    epoch, skipped = divmod(first_batch, batches_per_epoch)
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(lengths))[: batches_per_epoch * batch_size]
        group = np.arange(len(order)) // (_BATCHES_SORTED * batch_size)
        order = order[np.lexsort((lengths[order], group))]
        batches = order.reshape(batches_per_epoch, batch_size)
        for batch in rng.permutation(batches)[skipped:]:
            chosen = [sequences[index] for index in batch]
            yield padded_batch(chosen, multiple=multiple)
        epoch, skipped = epoch + 1, 0
