"""Runs a step function along the melodies of a corpus, compiled and in chunks."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from melody_rnn.encoding import OUR_NOTES, NoteRange
from melody_rnn.music_theory.melody_step import LEAP_STATE_SIZE
from rl_tuner.errors import UserError
from rl_tuner.system.chunks import map_chunks

# Every chunk is padded to one of these sizes, so that few shapes are compiled.
_SMALL_CHUNK, _LARGE_CHUNK = 128, 2048

# (composition, beat, action, leap_state) -> (values [N, K], leap_state)
StepFunction = Callable[..., tuple[tf.Tensor, tf.Tensor]]


def scan(step: StepFunction, compositions: tf.Tensor, columns: int) -> tf.Tensor:
    """Collects what `step` returns for every event.

    Args:
      step: (composition [N, T], beat [N], action [N], leap_state [N, 3]) ->
        (values float32 [N, columns], leap_state).
      compositions: int32 [N, T], static shape.
      columns: how many values there are.

    Returns:
      float32 [T, N, columns].
    """
    number, length = compositions.shape
    collected = tf.TensorArray(tf.float32, length, element_shape=[number, columns])

    def collect(
        beat: tf.Tensor, collected: tf.TensorArray, values: tf.Tensor
    ) -> tf.TensorArray:
        return collected.write(beat, values)

    return _fold(step, compositions, collect, collected).stack()


def scan_sum(step: StepFunction, compositions: tf.Tensor, columns: int) -> tf.Tensor:
    """Sums what `step` returns over the events of each melody.

    Args:
      step: as in `scan`, but its values are int32.
      compositions: int32 [N, T], static shape.
      columns: how many values there are.

    Returns:
      int32 [N, columns].
    """
    nothing = tf.zeros([compositions.shape[0], columns], tf.int32)
    return _fold(step, compositions, lambda _, total, values: total + values, nothing)


def in_chunks(
    function: Callable[[tf.Tensor], Sequence[tf.Tensor]],
    compositions: npt.ArrayLike | tf.Tensor,
    notes: NoteRange = OUR_NOTES,
) -> list[np.ndarray]:
    """Applies a compiled function to a corpus, chunk by chunk.

    Args:
      function: int32 [chunk, T] -> list of tensors [chunk, ...].
      compositions: [N, T] classes, an array or a tensor; N may be 0.
      notes: that the classes stand for.

    Returns:
      The function's results over the whole corpus, each an array [N, ...].

    Raises:
      UserError: `compositions` is not a table of classes with at least one column.
    """
    melodies = checked_compositions(compositions, notes)
    number = len(melodies)
    size = _LARGE_CHUNK if number > 2 * _SMALL_CHUNK else _SMALL_CHUNK

    def apply(start: int) -> list[np.ndarray]:
        chunk = melodies[start : start + size]
        padding = size - len(chunk)
        results = function(tf.constant(np.pad(chunk, ((0, padding), (0, 0)))))
        return [result.numpy()[: len(chunk)] for result in results]

    chunks = map_chunks(apply, range(0, max(number, 1), size))
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def checked_compositions(
    compositions: npt.ArrayLike | tf.Tensor, notes: NoteRange = OUR_NOTES
) -> np.ndarray:
    """Returns melodies as int32 [N, T].

    Raises:
      UserError: not a table of classes of the notes with at least one column.
    """
    try:
        array = np.asarray(compositions)
    except ValueError as error:  # lists of different lengths
        raise UserError(
            "compositions must all have the same number of steps; expected "
            "[melodies, steps]"
        ) from error
    if array.ndim != 2 or array.shape[1] == 0:
        raise UserError(
            f"compositions have shape {array.shape}; expected [melodies, steps]"
        )
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise UserError(f"compositions hold {array.dtype}; expected whole numbers")
    if array.size and not (array.min() >= 0 and array.max() < notes.num_classes):
        raise UserError(
            f"compositions hold {array.min()} to {array.max()}; "
            f"expected classes from 0 to {notes.num_classes - 1}"
        )
    return array.astype(np.int32)


def _fold(
    step: StepFunction,
    compositions: tf.Tensor,
    combine: Callable[[tf.Tensor, Any, tf.Tensor], Any],
    initial: Any,
) -> Any:
    """Folds `combine(beat, so_far, values)` over the values of all steps."""
    number, length = compositions.shape

    def body(
        beat: tf.Tensor, leap_state: tf.Tensor, so_far: Any
    ) -> tuple[tf.Tensor, tf.Tensor, Any]:
        action = tf.gather(compositions, beat, axis=1)
        beats = tf.fill([number], beat)
        values, leap_state = step(compositions, beats, action, leap_state)
        return beat + 1, leap_state, combine(beat, so_far, values)

    no_leaps = tf.zeros([number, LEAP_STATE_SIZE], tf.int32)
    *_, result = tf.while_loop(
        lambda beat, *_: beat < length, body, (0, no_leaps, initial)
    )
    return result
