"""The nine music-theory rules (Jaques et al. 2017, section 5) and simple bonuses.

A rule takes a `MelodyStep` and returns float32 [N], the reward of each melody's new
event. So does a rule of your own; name it in `MusicTheorySettings.extra_rules`.
"""

import tensorflow as tf

from melody_rnn.encoding import NUM_CLASSES
from melody_rnn.music_theory.melody_step import MelodyStep, is_any_of
from melody_rnn.music_theory.musical_key import SEMITONES

# The kinds of an event, as the interval rule sees it, and what each one is worth.
INTERVAL_REWARDS = {
    "other": 0.0,
    "hold": 0.075,
    "hold_after_tonic_or_fifth": 0.3,
    "rest": 0.05,
    "rest_after_tonic_or_fifth": 0.15,
    "in_key_third": 0.15,
    "in_key_fifth": 0.1,
    "second": 0.08,
    "third": 0.09,
    "fourth": 0.07,
    "fifth": 0.02,
    "sixth": 0.05,
    "seventh": -0.3,
    "over_an_octave": -1.0,
}
INTERVAL_KINDS = tuple(INTERVAL_REWARDS)
_KIND_OF_SEMITONES = {
    2: "second",
    4: "third",
    5: "fourth",
    7: "fifth",
    9: "sixth",
    11: "seventh",
} | {d: "over_an_octave" for d in range(SEMITONES + 1, NUM_CLASSES)}


def key(step: MelodyStep) -> tf.Tensor:
    """-1 for a note out of key."""
    return _worth(~step.is_in_key, -1.0)


def tonic(step: MelodyStep) -> tf.Tensor:
    """3 for the tonic at the start and four steps before the end, and for holding it.

    Three steps before the end only a hold counts, after that a hold or a rest.
    """
    from_end = step.length - step.beat
    wants_tonic = (step.beat == 0) | (from_end == 4)
    wants_hold = ~wants_tonic & (from_end == 3)
    wants_silence = ~wants_tonic & (from_end < 3)
    kept = (
        (wants_tonic & (step.action == step.key.tonic_class))
        | (wants_hold & (step.action == step.settings.hold))
        | (wants_silence & ~step.is_note)
    )
    return _worth(kept, 3.0)


def repeating(step: MelodyStep) -> tf.Tensor:
    """-100 for an event that is repeated excessively."""
    return _worth(step.is_excessively_repeated, -100.0)


def autocorrelation(step: MelodyStep) -> tf.Tensor:
    """-3 |coefficient| for each lag of 1 to 3 whose coefficient exceeds .15."""
    penalty = tf.zeros_like(step.beat, tf.float32)
    for numerator, denominator in step.autocorrelations:
        size = tf.abs(numerator)
        # In integers, since exactly .15 must not depend on rounding.
        exceeds = 20 * size > 3 * denominator
        quotient = _quotient(size, denominator)
        penalty += tf.where(exceeds, -3.0 * quotient, 0.0)
    return penalty


def motif(step: MelodyStep) -> tf.Tensor:
    """3 for a motif, and .3 more for each different note over three."""
    extra = tf.cast(step.notes_in_motif - 3, tf.float32)
    return tf.where(step.notes_in_motif > 0, 3.0 + 0.3 * extra, 0.0)


def repeated_motif(step: MelodyStep) -> tf.Tensor:
    """4 for a motif that was played before, and 1 more for each note over three."""
    extra = tf.cast(step.notes_in_motif - 3, tf.float32)
    return tf.where(step.is_repeated_motif, 4.0 + extra, 0.0)


def preferred_intervals(step: MelodyStep) -> tf.Tensor:
    """5 times what the interval from the previous note is worth."""
    worths = tf.constant(list(INTERVAL_REWARDS.values()))
    return 5.0 * tf.gather(worths, interval_kind(step))


def leaps(step: MelodyStep) -> tf.Tensor:
    """5 for resolving a leap of a fifth or more, -5 for leaping on the same way."""
    return _worth(step.resolves_leap, 5.0) + _worth(step.doubles_leap, -5.0)


def unique_extrema(step: MelodyStep) -> tf.Tensor:
    """At the end, 3 each for a highest and for a lowest note that occurs once."""
    highest = _worth(step.is_last & step.has_unique_maximum, 3.0)
    return highest + _worth(step.is_last & step.has_unique_minimum, 3.0)


def scale_bonus(step: MelodyStep) -> tf.Tensor:
    """Rewards going up the two octaves of the scale around the tonic, then again."""
    scale = step.key.two_octave_scale
    before = step.previous_event
    successor = [-1] * step.settings.notes.num_classes
    for note, following in zip(scale, (*scale[1:], scale[0]), strict=True):
        successor[note] = following
    is_next = step.action == tf.gather(tf.constant(successor), before)
    return (
        _worth(step.action == step.settings.hold, 0.1)
        + _worth((step.action > before) & (step.action < before + 3), 0.05)
        + _worth(is_any_of(step.action, scale), 0.01)
        + _worth(is_next, 0.8)
    )


def in_key_bonus(step: MelodyStep) -> tf.Tensor:
    """One over the number of classes in key, for an event in key."""
    return _worth(step.is_in_key, 1.0 / len(step.key.classes))


def non_repeating_bonus(step: MelodyStep) -> tf.Tensor:
    """.1 for an event that is not repeated excessively."""
    return _worth(~step.is_excessively_repeated, 0.1)


RULES = {
    "key": key,
    "tonic": tonic,
    "repeating": repeating,
    "autocorrelation": autocorrelation,
    "motif": motif,
    "repeated_motif": repeated_motif,
    "preferred_intervals": preferred_intervals,
    "leaps": leaps,
    "unique_extrema": unique_extrema,
    "scale_bonus": scale_bonus,
    "in_key_bonus": in_key_bonus,
    "non_repeating_bonus": non_repeating_bonus,
}


def interval_kind(step: MelodyStep) -> tf.Tensor:
    """What the new event is after the previous note.

    In-key fifths are fifths from the tonic or the fifth degree of the key; in-key
    thirds are thirds of the key's own size (major or minor) from the tonic or the
    third degree.

    Returns:
      int32 [N], indices into `INTERVAL_KINDS`.
    """
    index = {kind: i for i, kind in enumerate(INTERVAL_KINDS)}
    by_semitones = [
        index[_KIND_OF_SEMITONES.get(d, "other")] for d in range(NUM_CLASSES)
    ]
    degree = step.key.degree(step.previous_note)
    is_tonic, is_fifth = degree == 0, degree == step.key.fifth
    is_stable = is_tonic | is_fifth
    is_third = is_tonic | (degree == step.key.third)

    semitones = tf.minimum(step.interval, NUM_CLASSES - 1)
    kind = tf.gather(tf.constant(by_semitones), semitones)
    in_key_fifth = (semitones == step.key.fifth) & is_stable
    kind = tf.where(in_key_fifth, index["in_key_fifth"], kind)
    in_key_third = (semitones == step.key.third) & is_third
    kind = tf.where(in_key_third, index["in_key_third"], kind)
    for name in ("hold", "rest"):
        after = tf.where(is_stable, index[f"{name}_after_tonic_or_fifth"], index[name])
        kind = tf.where(step.action == getattr(step.settings, name), after, kind)
    return tf.where(step.has_previous_note, kind, index["other"])


def _worth(condition: tf.Tensor, value: float) -> tf.Tensor:
    return tf.where(condition, tf.constant(value, tf.float32), 0.0)


def _quotient(numerator: tf.Tensor, denominator: tf.Tensor) -> tf.Tensor:
    """Divides integers as floats; 0 / 0 is 0."""
    safe = tf.cast(tf.maximum(denominator, 1), tf.float32)
    return tf.cast(numerator, tf.float32) / safe
