"""Counts how a corpus of melodies keeps the rules, as Magenta's evaluation does."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from melody_rnn.encoding import FIRST_NOTE, OUR_NOTES, NoteRange
from melody_rnn.music_theory.corpus_scan import in_chunks, scan_sum
from melody_rnn.music_theory.melody_step import LEAP_STATE_SIZE, MAX_LAG, MelodyStep
from melody_rnn.music_theory.rules import INTERVAL_KINDS, interval_kind
from melody_rnn.music_theory.settings import MusicTheorySettings

# Magenta's names for the intervals that it counts.
_INTERVAL_COUNTS = {
    "over_an_octave": "num_octave_jumps",
    "fifth": "num_fifths",
    "third": "num_thirds",
    "sixth": "num_sixths",
    "second": "num_seconds",
    "fourth": "num_fourths",
    "seventh": "num_sevenths",
    "rest": "num_rest_intervals",
    "rest_after_tonic_or_fifth": "num_special_rest_intervals",
    "in_key_fifth": "num_in_key_fifths",
    "in_key_third": "num_in_key_thirds",
}
_EVENT_COUNTS = (
    "notes_not_in_key",
    "notes_in_motif",
    "notes_in_repeated_motif",
    "num_starting_tonic",
    "num_repeated_notes",
    "num_resolved_leaps",
    "num_leap_twice",
    *_INTERVAL_COUNTS.values(),
)
_MELODY_COUNTS = ("num_high_unique", "num_low_unique")
_AUTOCORRELATIONS = tuple(f"autocorrelation{lag}" for lag in range(1, MAX_LAG + 1))


def composition_stats(
    compositions: npt.ArrayLike | tf.Tensor,
    rules: str = "paper",
    key: str = "C major",
    notes: NoteRange = OUR_NOTES,
) -> dict[str, Any]:
    """Counts what the rules of music theory look at, over a corpus.

    Args:
      compositions: [N, T] classes, an array or a tensor.
      rules: "paper" or "corrected", the meaning of classes 0 and 1.
      key: such as "C major" or "A minor".
      notes: that the classes stand for.

    Returns:
      A dictionary that JSON can hold. Magenta's names: counts of events (`notes_*`,
      `num_*`), `num_compositions`, `total_notes` (N T: all events, of which `num_notes`
      strike a note) and the mean
      `autocorrelation1` to 3 over the melodies where it is defined (NaN if none).
      `num_in_key_preferred_intervals` is as Magenta counts it, fifths only;
      `num_in_key_thirds_and_fifths` has both, and each is there by itself. Further
      `num_autocorrelation1_defined` to 3; `rules` and `key` as given; and
      `sums_of_squares`, over melodies, of everything that has a standard error, with
      `resolved_times_doubled` the sum of the products of the two leap counts.

    Raises:
      UserError: not melodies of classes, or an unknown reading or key.
    """
    settings = MusicTheorySettings(rules=rules, key=key, notes=notes)
    event_counts, melody_counts, coefficients = in_chunks(
        _compiled_counts(settings), compositions, notes
    )
    counts = {
        name: column.astype(np.int64)
        for names, table in (
            (_EVENT_COUNTS, event_counts),
            (_MELODY_COUNTS, melody_counts),
        )
        for name, column in zip(names, table.T, strict=True)
    }
    stats: dict[str, Any] = {name: int(c.sum()) for name, c in counts.items()}
    squares: dict[str, float] = {name: int((c * c).sum()) for name, c in counts.items()}
    for name, column in zip(_AUTOCORRELATIONS, coefficients.T, strict=True):
        defined = column[~np.isnan(column)].astype(np.float64)
        stats[name] = float(defined.mean()) if defined.size else float("nan")
        stats[f"num_{name}_defined"] = defined.size
        squares[name] = float((defined * defined).sum())
    products = counts["num_resolved_leaps"] * counts["num_leap_twice"]
    squares["resolved_times_doubled"] = int(products.sum())
    thirds, fifths = stats["num_in_key_thirds"], stats["num_in_key_fifths"]
    number, length = np.shape(compositions)
    return stats | {
        "num_in_key_preferred_intervals": fifths,
        "num_in_key_thirds_and_fifths": thirds + fifths,
        "num_compositions": number,
        "total_notes": number * length,
        "num_notes": int(np.sum(np.asarray(compositions) >= FIRST_NOTE)),
        "rules": rules,
        "key": key,
        "sums_of_squares": squares,
    }


@functools.lru_cache(maxsize=8)
def _compiled_counts(
    settings: MusicTheorySettings,
) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """Returns int32 [N, T] -> counts [N, K] of events, of melodies, coefficients."""

    def step(
        composition: tf.Tensor, beat: tf.Tensor, action: tf.Tensor, leaps: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        step = MelodyStep(composition, beat, action, leaps, settings)
        return tf.stack(_event_counts(step), axis=1), step.next_leap_state

    @tf.function(jit_compile=True, autograph=False)
    def counts(compositions: tf.Tensor) -> list[tf.Tensor]:
        number, length = compositions.shape
        whole = MelodyStep(
            compositions,
            beat=tf.fill([number], length - 1),
            action=compositions[:, -1],
            leap_state=tf.zeros([number, LEAP_STATE_SIZE], tf.int32),
            settings=settings,
        )
        extrema = [whole.has_unique_maximum, whole.has_unique_minimum]
        # 0 / 0, the coefficient of a constant melody, is NaN.
        coefficients = [
            tf.cast(numerator, tf.float32) / tf.cast(denominator, tf.float32)
            for numerator, denominator in whole.autocorrelations
        ]
        return [
            scan_sum(step, compositions, len(_EVENT_COUNTS)),
            tf.cast(tf.stack(extrema, axis=1), tf.int32),
            tf.stack(coefficients, axis=1),
        ]

    return counts


def _event_counts(step: MelodyStep) -> list[tf.Tensor]:
    """0 or 1 for each of `_EVENT_COUNTS`. int32 [N] each."""
    kind = interval_kind(step)
    conditions = [
        ~step.is_in_key,
        step.notes_in_motif > 0,
        step.is_repeated_motif,
        (step.beat == 0) & (step.action == step.key.tonic_class),
        step.is_excessively_repeated,
        step.resolves_leap,
        step.doubles_leap,
        *(kind == INTERVAL_KINDS.index(name) for name in _INTERVAL_COUNTS),
    ]
    return [tf.cast(condition, tf.int32) for condition in conditions]
