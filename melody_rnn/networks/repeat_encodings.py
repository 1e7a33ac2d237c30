"""The encodings of lookback_rnn and attention_rnn, whose labels may repeat an event."""

from __future__ import annotations

import tensorflow as tf

from melody_rnn.encoding import FIRST_NOTE
from melody_rnn.networks.encodings import BAR, Encoding, OneHotEncoding

HISTORY = 2 * BAR  # events that are remembered
NUM_REPEATS = 2  # labels: one bar ago, two bars ago, in this order, after all others
_NEVER = -1e9  # the logit of what does not mean an event


class RepeatEncoding(Encoding):
    """An encoding whose last two labels repeat an event.

    What it remembers begins with the last 32 events, oldest first, 0 where there was
    none, which means no event as in Magenta; then how many events there were.
    """

    def __init__(self, num_events: int, min_note: int):
        """As of `Encoding`."""
        super().__init__(num_events, min_note)
        self.num_labels = num_events + NUM_REPEATS
        self.state_size = HISTORY + 1

    def advance(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`."""
        event = tf.cast(tokens, tf.float32)[:, tf.newaxis]
        count = state[:, HISTORY : HISTORY + 1] + 1.0
        return tf.concat([state[:, 1:HISTORY], event, count], axis=1)

    def event_logits(self, logits: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`."""
        # Own labels are the events, turned; the gradient of tf.gather would be slow.
        turned = -self.own_labels()[0]
        own = tf.roll(logits[:, : self.num_events], turned, axis=1)
        parts = [own]
        for repeat, distance in enumerate((BAR, 2 * BAR)):
            meant = tf.cast(state[:, HISTORY - distance], tf.int32)
            is_meant = tf.one_hot(meant, self.num_events, True, False, dtype=tf.bool)
            label = self.num_events + repeat
            parts.append(tf.where(is_meant, logits[:, label : label + 1], _NEVER))
        return tf.reduce_logsumexp(tf.stack(parts), axis=0)

    def labels(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`: a repeat where there is one, that of two bars first."""
        tokens = tf.cast(tokens, tf.int32)
        count = state[:, HISTORY]
        label = tf.gather(self.own_labels(), tokens)
        for repeat, distance in enumerate((BAR, 2 * BAR)):
            is_same = self._repeats(tokens, state, distance)
            label = tf.where(is_same, self.num_events + repeat, label)
        is_early_hold = (count < 2 * BAR) & (tokens == 0)
        return tf.where(is_early_hold, self.num_events + 1, label)

    def _repeats(
        self, tokens: tf.Tensor, before: tf.Tensor, distance: int
    ) -> tf.Tensor:
        """Whether events are those of some steps ago; not where there was none yet."""
        then = before[:, HISTORY - distance]
        is_there = before[:, HISTORY] >= distance
        return is_there & (tf.cast(tokens, tf.float32) == then)

    def _repeat_flags(self, tokens: tf.Tensor, before: tf.Tensor) -> list[tf.Tensor]:
        """Whether events repeat one bar ago, and two, [N, 1] float32 each."""
        return [
            tf.cast(self._repeats(tokens, before, distance), tf.float32)[:, tf.newaxis]
            for distance in (BAR, 2 * BAR)
        ]


class LookbackEncoding(RepeatEncoding):
    """That of Magenta's lookback_rnn.

    The last event, those that followed it one and two bars ago, the place in the bar as
    bits, and whether it repeated.
    """

    _BITS = 5

    def __init__(self, num_events: int, min_note: int, has_old_error: bool = False):
        """Takes which events there are.

        Args:
          num_events: how many.
          min_note: as of `Encoding`.
          has_old_error: whether the two blocks of what followed are written one block
            too early, as Magenta did until 2016-10-28.
        """
        super().__init__(num_events, min_note)
        self.has_old_error = has_old_error
        self.input_size = 3 * num_events + self._BITS + NUM_REPEATS

    def inputs(
        self, tokens: tf.Tensor, before: tf.Tensor, after: tf.Tensor
    ) -> tf.Tensor:
        """As of `Encoding`."""
        blocks = [
            tf.one_hot(tf.cast(event, tf.int32), self.num_events)
            for event in (tokens, after[:, HISTORY - BAR], after[:, 0])
        ]
        if self.has_old_error:
            last, one_bar_ago, two_bars_ago = blocks
            blocks = [
                tf.maximum(last, one_bar_ago),
                two_bars_ago,
                tf.zeros_like(last),
            ]
        bits = counter_bits(after[:, HISTORY], self._BITS)
        flags = self._repeat_flags(tokens, before)
        return tf.concat([*blocks, bits, *flags], axis=1)

    def own_labels(self) -> list[int]:
        """As of `Encoding`: the events themselves."""
        return list(range(self.num_events))


class KeyEncoding(RepeatEncoding):
    """That of Magenta's attention_rnn, `KeyMelodyEncoderDecoder`.

    The note that sounds, the melody's direction, the place in the bar, what it repeats,
    and the major keys that it may be in.
    """

    _BITS = 7
    _RECENT = 3  # different notes
    _MAJOR = (0, 2, 4, 5, 7, 9, 11)

    def __init__(self, num_events: int, min_note: int):
        """As of `Encoding`."""
        super().__init__(num_events, min_note)
        self.input_size = num_events - FIRST_NOTE + 4 + 2 + self._BITS + 1 + 2 * 12
        # Sounding note (0: silence), attack, direction, recent notes, oldest first
        # (0: none), notes so far by pitch class.
        self._fields = (1, 1, 1, self._RECENT, 12)
        self.state_size += sum(self._fields)

    def advance(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`."""
        event = tf.cast(tokens, tf.float32)[:, tf.newaxis]
        sounding, attack, direction, recent, histogram = self._split(state)
        is_note, is_hold = event >= FIRST_NOTE, event == 0
        previous = recent[:, -1:]
        # A note off leaves the attack as it is.
        attack = tf.where(is_note, 1.0, tf.where(is_hold, 0.0, attack))
        moves = is_note & (previous > 0) & (event != previous)
        direction = tf.where(moves, tf.sign(event - previous), direction)
        sounding = tf.where(is_note, event, tf.where(is_hold, sounding, 0.0))
        recent = tf.where(is_note, self._with_recent(recent, event), recent)
        return tf.concat(
            [
                super().advance(tokens, state),
                sounding,
                attack,
                direction,
                recent,
                histogram + self._pitch_classes(event),
            ],
            axis=1,
        )

    def inputs(
        self, tokens: tf.Tensor, before: tf.Tensor, after: tf.Tensor
    ) -> tf.Tensor:
        """As of `Encoding`."""
        sounding, attack, direction, recent, histogram = self._split(after)
        if self.min_note == 0:  # MIDI pitch 0 is no note there
            sounding = tf.where(sounding == FIRST_NOTE, 0.0, sounding)
        sounds = tf.cast(sounding > 0, tf.float32)
        note = tf.cast(sounding[:, 0], tf.int32) - FIRST_NOTE
        count = after[:, HISTORY]
        recent_histogram = tf.add_n(
            [self._pitch_classes(note) for note in tf.split(recent, self._RECENT, 1)]
        )
        return tf.concat(
            [
                tf.one_hot(note, self.num_events - FIRST_NOTE),
                sounds,
                1.0 - sounds,
                attack,
                direction,
                *self._repeat_flags(tokens, before),
                counter_bits(count, self._BITS),
                tf.cast(count % BAR == 0, tf.float32)[:, tf.newaxis],
                self._best_keys(histogram),
                self._best_keys(recent_histogram),
            ],
            axis=1,
        )

    def own_labels(self) -> list[int]:
        """As of `Encoding`: notes come first, then no event and note off."""
        num_notes = self.num_events - FIRST_NOTE
        return [num_notes, num_notes + 1, *range(num_notes)]

    def _split(self, state: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(state[:, HISTORY + 1 :], self._fields, axis=1)

    def _with_recent(self, recent: tf.Tensor, note: tf.Tensor) -> tf.Tensor:
        """The last three different notes, with one more."""
        first, second, third = tf.split(recent, self._RECENT, axis=1)
        is_second, is_third = note == second, note == third
        kept = tf.where(is_second | is_third, first, second)
        last = tf.where(is_third, second, third)
        return tf.concat([kept, last, note], axis=1)

    def _pitch_classes(self, events: tf.Tensor) -> tf.Tensor:
        """One-hot pitch classes of notes; zeros of what is none: [N, 1] -> [N, 12]."""
        event = tf.cast(events[:, 0], tf.int32)
        pitch_class = (event - FIRST_NOTE + self.min_note) % 12
        return tf.one_hot(tf.where(event >= FIRST_NOTE, pitch_class, -1), 12)

    def _best_keys(self, histogram: tf.Tensor) -> tf.Tensor:
        """The major keys that have most of the notes, all that tie: [N, 12]."""
        has = [[float((note - k) % 12 in self._MAJOR) for k in range(12)]
               for note in range(12)]  # fmt: skip
        scores = tf.matmul(histogram, tf.constant(has))
        best = tf.reduce_max(scores, axis=1, keepdims=True)
        return tf.cast(scores == best, tf.float32)


ENCODINGS: dict[str, type[Encoding]] = {
    "onehot": OneHotEncoding,
    "lookback": LookbackEncoding,
    "key": KeyEncoding,
}


def counter_bits(count: tf.Tensor, number: int) -> tf.Tensor:
    """The lowest bits of counts, lowest first, 1 or -1: [N] -> [N, number] float32."""
    powers = tf.constant([2**bit for bit in range(number)])
    bits = tf.cast(count, tf.int32)[:, tf.newaxis] // powers % 2
    return tf.cast(2 * bits - 1, tf.float32)
