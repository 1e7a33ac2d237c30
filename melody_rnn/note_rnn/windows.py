"""Batches of note sequences for training and for evaluation."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rl_tuner.pretraining.batches import Batch, whole_sequences

whole_melodies = whole_sequences  # what windows are not


def training_windows(
    melodies: Sequence[np.ndarray],
    batch_size: int,
    window_steps: int,
    unscored_steps: int,
    seed: int,
    first_batch: int = 0,
) -> tf.data.Dataset:
    """Endless batches of windows cut at random places out of random melodies.

    A window may begin anywhere in a melody, so that the model learns to continue from
    any note with a zero state. Batch b depends on `seed` and b alone: a run that is
    cut resumes with `first_batch` as if it had not been.

    Args:
      melodies: each [steps >= 2] ints.
      batch_size: windows in a batch.
      window_steps: predictions per window.
      unscored_steps: predictions at the beginning of each window that carry no weight.
      seed: of the random choice.
      first_batch: number of the first batch to yield.

    Returns:
      A dataset of `Batch`es of [batch_size, window_steps].
    """
    starts, ends = _window_starts([len(melody) for melody in melodies], window_steps)
    padding = np.zeros(window_steps, np.int32)
    tokens = tf.constant(np.concatenate([*melodies, padding]), tf.int32)
    starts, ends = tf.constant(starts), tf.constant(ends)
    steps = tf.range(window_steps + 1)

    def batch(index: tf.Tensor) -> Batch:
        choice = tf.random.stateless_uniform(
            [batch_size], [seed, index], maxval=len(starts), dtype=tf.int32
        )
        positions = tf.gather(starts, choice)[:, tf.newaxis] + steps
        window = tf.gather(tokens, positions)
        counts = (positions < tf.gather(ends, choice)[:, tf.newaxis])[:, 1:]
        counts &= steps[:-1] >= unscored_steps
        return Batch(window[:, :-1], window[:, 1:], tf.cast(counts, tf.float32))

    counter = tf.data.Dataset.counter(first_batch, dtype=tf.int64)
    return counter.map(batch, num_parallel_calls=1).prefetch(4)


def _window_starts(
    lengths: Sequence[int], window_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where windows may start in the concatenated melodies, and where those end.

    Starts run from half a window before a melody to half a window before its end and
    are then moved inside, so that the first and the last steps of a melody are seen
    about as often as those between.

    Returns:
      Two [choices] int32 arrays of positions; each choice is equally likely.
    """
    starts, ends, offset = [], [], 0
    for length in lengths:
        first = -(window_steps // 2)
        choices = np.arange(first, max(first + length, first + 1))
        last_start = max(0, length - window_steps - 1)
        starts.append(offset + np.clip(choices, 0, last_start))
        ends.append(np.full(len(choices), offset + length))
        offset += length
    return (
        np.concatenate(starts).astype(np.int32),
        np.concatenate(ends).astype(np.int32),
    )
