"""One event of each of N melodies, and the facts about it that rules share."""

import dataclasses
import functools

import tensorflow as tf

from melody_rnn.encoding import FIRST_NOTE
from melody_rnn.music_theory.musical_key import Key
from melody_rnn.music_theory.settings import MusicTheorySettings

MOTIF_LENGTH = 8  # events: the "bar" of the rules
LEAP = 7  # semitones, a fifth
STEPS_BETWEEN_LEAPS = 6
MAX_LAG = 3
LEAP_STATE_SIZE = 3  # direction of the open leap, the note it left, steps since

# Sums over melodies up to this length fit in 32 bits where there are so few classes.
_INT32_LENGTH = 64
_INT32_CLASSES = 38
_MOST_CLASSES = 256


@dataclasses.dataclass(frozen=True, eq=False)
class MelodyStep:
    """N melodies so far, the event that each one adds, and what follows from them.

    The N melodies may be at different beats. Every fact is computed at most once, and
    only if a rule asks for it; all are elementwise operations and reductions over
    [N, T], so the same code compiles into a training loop and scores a corpus.

    Attributes:
      composition: int32 [N, T], the events so far; entries from `beat` on are not
        looked at. T is the length of the whole melody.
      beat: int32 [N], the position of the new event, from 0.
      action: int32 [N], the new event.
      leap_state: int32 [N, 3], what the leap rule remembers; zeros at the start.
      settings: how to read the melody.
    """

    composition: tf.Tensor
    beat: tf.Tensor
    action: tf.Tensor
    leap_state: tf.Tensor
    settings: MusicTheorySettings

    @property
    def length(self) -> int:
        """Events in a whole melody (T)."""
        return self.composition.shape[1]

    @property
    def key(self) -> Key:
        """The key that the melody should be in."""
        return self.settings.parsed_key

    @functools.cached_property
    def positions(self) -> tf.Tensor:
        """The positions 0 to T - 1. int32 [1, T]."""
        return tf.range(self.length)[tf.newaxis]

    @functools.cached_property
    def is_past(self) -> tf.Tensor:
        """Which positions lie before the new event. bool [N, T]."""
        return self.positions < self.beat[:, tf.newaxis]

    @functools.cached_property
    def is_played(self) -> tf.Tensor:
        """Which positions are filled, the new event included. bool [N, T]."""
        return self.positions <= self.beat[:, tf.newaxis]

    @functools.cached_property
    def events(self) -> tf.Tensor:
        """The composition with the new event; 0 where nothing is yet. int32 [N, T]."""
        new = tf.where(self.is_played, self.action[:, tf.newaxis], 0)
        return tf.where(self.is_past, self.composition, new)

    @functools.cached_property
    def is_note(self) -> tf.Tensor:
        """Whether the new event is a note, not a rest or a hold. bool [N]."""
        return self.action >= FIRST_NOTE

    @functools.cached_property
    def is_last(self) -> tf.Tensor:
        """Whether the new event is the last one of the melody. bool [N]."""
        return self.beat == self.length - 1

    @functools.cached_property
    def is_in_key(self) -> tf.Tensor:
        """Whether the new event is in key; rests and holds are. bool [N]."""
        return is_any_of(self.action, self.key.classes)

    @functools.cached_property
    def previous_event(self) -> tf.Tensor:
        """The event before the new one, at first the tonic. int32 [N]."""
        before = tf.maximum(self.beat - 1, 0)
        event = tf.gather(self.composition, before, batch_dims=1)
        return tf.where(self.beat == 0, self.key.tonic_class, event)

    @functools.cached_property
    def previous_note(self) -> tf.Tensor:
        """The last note before the new event, -1 if there is none. int32 [N]."""
        is_note = self.is_past & (self.composition >= FIRST_NOTE)
        # Position and class in one number: a single reduction finds both.
        keyed = self.positions * _MOST_CLASSES + self.composition
        keyed = tf.where(is_note, keyed, -1)
        latest = tf.reduce_max(keyed, axis=1)
        return tf.where(latest < 0, -1, latest % _MOST_CLASSES)

    @functools.cached_property
    def has_previous_note(self) -> tf.Tensor:
        """Whether there is a note before the new event. bool [N]."""
        return self.previous_note >= 0

    @functools.cached_property
    def interval(self) -> tf.Tensor:
        """Semitones from the previous note, either way. int32 [N].

        Means nothing unless the new event is a note and has a previous one.
        """
        return tf.abs(self.action - self.previous_note)

    @functools.cached_property
    def is_excessively_repeated(self) -> tf.Tensor:
        """Whether the new event was played too often just before. bool [N].

        Walking back, past the same event and past rests and holds, how often did it
        occur? More than once is too often for a rest; for others more than four
        times, or six if a rest or hold of another kind broke the monotony.
        """
        action = self.action[:, tf.newaxis]
        is_same = self.composition == action
        is_special = self.composition < FIRST_NOTE
        ends_walk = self.is_past & ~is_same & ~is_special
        end = tf.reduce_max(tf.where(ends_walk, self.positions, -1), axis=1)
        is_walked = self.is_past & (self.positions > end[:, tf.newaxis])
        count = _count(is_walked & is_same)
        is_broken = tf.reduce_any(is_walked & is_special & ~is_same, axis=1)
        limit = tf.where(is_broken, 6, 4)
        return (count > limit) | ((self.action == self.settings.rest) & (count > 1))

    @functools.cached_property
    def autocorrelations(self) -> tuple[tuple[tf.Tensor, tf.Tensor], ...]:
        """The autocorrelation of the classes so far at lags 1, 2 and 3, as fractions.

        For each lag a numerator and a denominator, exact integers [N] scaled alike
        (so that a threshold can be compared exactly); their quotient is
        sum((x_t - mean) (x_{t+lag} - mean)) / (n variance). The denominator is 0
        for a constant melody, where the coefficient is undefined.
        """
        few = self.settings.notes.num_classes <= _INT32_CLASSES
        dtype = tf.int32 if few and self.length <= _INT32_LENGTH else tf.int64
        number = tf.cast(self.beat + 1, dtype)[:, tf.newaxis]
        events = tf.cast(self.events, dtype)
        total = tf.reduce_sum(events, axis=1, keepdims=True)
        centred = tf.where(self.is_played, number * events - total, 0)
        denominator = tf.reduce_sum(centred * centred, axis=1)
        return tuple(
            (tf.reduce_sum(centred[:, lag:] * centred[:, :-lag], axis=1), denominator)
            for lag in range(1, MAX_LAG + 1)
        )

    @functools.cached_property
    def motif_window(self) -> tf.Tensor:
        """The last eight events, the new one last. int32 [N, 8].

        Means nothing before the eighth event.
        """
        offsets = tf.range(1 - MOTIF_LENGTH, 1)[tf.newaxis]
        positions = tf.maximum(self.beat[:, tf.newaxis] + offsets, 0)
        return tf.gather(self.events, positions, batch_dims=1)

    @functools.cached_property
    def notes_in_motif(self) -> tf.Tensor:
        """Different notes in the last eight events; 0 if no motif. int32 [N].

        A motif has at least three, and needs eight events.
        """
        window = self.motif_window
        # Each note counts where it occurs first: no earlier event equals it.
        is_earlier = tf.constant(
            [[j < i for j in range(MOTIF_LENGTH)] for i in range(MOTIF_LENGTH)]
        )
        is_equal = window[:, :, tf.newaxis] == window[:, tf.newaxis]
        is_again = tf.reduce_any(is_equal & is_earlier, axis=2)
        distinct = _count((window >= FIRST_NOTE) & ~is_again)
        is_motif = (self.beat >= MOTIF_LENGTH - 1) & (distinct >= 3)
        return tf.where(is_motif, distinct, 0)

    @functools.cached_property
    def is_repeated_motif(self) -> tf.Tensor:
        """Whether the last eight events are a motif that was played before. bool [N].

        The earlier one must have ended before the last eight began.
        """
        starts = self.length - 2 * MOTIF_LENGTH + 1
        if starts <= 0:
            return tf.zeros_like(self.beat, tf.bool)
        last_start = self.beat + 1 - 2 * MOTIF_LENGTH
        matches = self.positions[:, :starts] <= last_start[:, tf.newaxis]
        for k in range(MOTIF_LENGTH):
            matches &= self.events[:, k : k + starts] == self.motif_window[:, k, None]
        return tf.reduce_any(matches, axis=1) & (self.notes_in_motif > 0)

    @functools.cached_property
    def _leap(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Whether a leap is resolved, whether one is doubled, and the next state."""
        opened, leapt_from, steps = tf.unstack(self.leap_state, axis=1)
        comparable = self.is_note & self.has_previous_note
        is_leap = comparable & (self.interval >= LEAP)
        direction = tf.sign(self.action - self.previous_note)
        opens = is_leap & (opened == 0)
        doubles = is_leap & (opened == direction)
        turns = is_leap & (opened == -direction)
        has_returned = opened * (self.action - leapt_from) <= 0
        returns = self.is_note & ~is_leap & (opened != 0) & has_returned
        resolves = returns | (turns & (steps > STEPS_BETWEEN_LEAPS))
        state = tf.stack(
            [
                tf.where(opens, direction, tf.where(turns | returns, 0, opened)),
                tf.where(opens, self.previous_note, leapt_from),
                tf.where(is_leap, 0, steps + 1),
            ],
            axis=1,
        )
        is_first = self.beat[:, tf.newaxis] == 0
        return resolves, doubles, tf.where(is_first, 0, state)

    @property
    def resolves_leap(self) -> tf.Tensor:
        """Whether the new event resolves the open leap. bool [N].

        It does by coming back to the note the leap left, or past it, in small steps,
        or by a leap the other way after more than six steps.
        """
        return self._leap[0]

    @property
    def doubles_leap(self) -> tf.Tensor:
        """Whether the new event leaps on the way the open leap went. bool [N]."""
        return self._leap[1]

    @property
    def next_leap_state(self) -> tf.Tensor:
        """What the leap rule will remember. int32 [N, 3]."""
        return self._leap[2]

    @functools.cached_property
    def has_unique_maximum(self) -> tf.Tensor:
        """Whether the highest class so far (rests included) occurs once. bool [N]."""
        events = tf.where(self.is_played, self.events, -1)
        return _count(events == tf.reduce_max(events, axis=1, keepdims=True)) == 1

    @functools.cached_property
    def has_unique_minimum(self) -> tf.Tensor:
        """Whether the lowest note so far occurs once. bool [N]."""
        is_note = self.events >= FIRST_NOTE
        notes = tf.where(is_note, self.events, tf.int32.max)
        lowest = tf.reduce_min(notes, axis=1, keepdims=True)
        return _count(is_note & (notes == lowest)) == 1


def is_any_of(classes: tf.Tensor, members: tuple[int, ...]) -> tf.Tensor:
    """Whether each class is a member. int32 [N] -> bool [N]."""
    return tf.reduce_any(classes[:, tf.newaxis] == tf.constant(members), axis=1)


def _count(condition: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(condition, tf.int32), axis=1)
