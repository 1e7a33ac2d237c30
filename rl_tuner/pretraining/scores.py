"""How well a model predicts sequences: likelihood and accuracy of their tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rl_tuner.networks.network import Network
from rl_tuner.pretraining.batches import Batch, whole_sequences
from rl_tuner.pretraining.ngrams import Score


def score_logits(
    logits: tf.Tensor, batch: Batch
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The sums over a batch: -log p in nats, right guesses, predictions."""
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
    guesses = tf.argmax(logits, axis=-1, output_type=tf.int32)
    right = tf.cast(guesses == batch.labels, tf.float32)
    return (
        tf.reduce_sum(nats * batch.weights),
        tf.reduce_sum(right * batch.weights),
        tf.reduce_sum(batch.weights),
    )


def score_sequences(
    model: Network,
    sequences: Sequence[np.ndarray],
    batch_size: int = 128,
    unscored_steps: int = 0,
) -> Score:
    """Scores a model on whole sequences, each from a zero state.

    Args:
      model: which to score.
      sequences: each [steps] ints; the first token is read, never predicted.
      batch_size: sequences at once.
      unscored_steps: predictions at the beginning of each that are left out.
    """
    totals = np.zeros(3)
    for batch in whole_sequences(sequences, batch_size, unscored_steps):
        totals += [float(value) for value in _score_batch(model, batch)]
    nats, right, number = totals
    divisor = max(int(number), 1)
    return Score(float(right / divisor), float(nats / divisor), int(number))


@tf.function(reduce_retracing=True, autograph=False)
def _score_batch(
    model: Network, batch: Batch
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return score_logits(model.unroll(batch.inputs), batch)
