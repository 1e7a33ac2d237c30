"""MelodyTask: melodies that should follow the rules of music theory."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from melody_rnn.encoding import (
    FIRST_NOTE,
    NUM_CLASSES,
    OUR_NOTES,
    QUARTERS_PER_MINUTE,
    NoteRange,
    class_to_pitch,
    stretches_in_notes,
)
from melody_rnn.music_theory.corpus_scan import checked_compositions
from melody_rnn.music_theory.melody_step import LEAP_STATE_SIZE
from melody_rnn.music_theory.rewards import corpus_rewards, step_rewards
from melody_rnn.music_theory.settings import MusicTheorySettings
from melody_rnn.music_theory.statistics import composition_stats
from melody_rnn.notation.audio import write_wav
from melody_rnn.notation.midi import write_midi
from melody_rnn.notation.piano_roll import plot_piano_rolls
from melody_rnn.table1 import TABLE1_ROWS, table1_metrics, table1_standard_errors
from rl_tuner.errors import UserError
from rl_tuner.metrics import Judgement, MetricRow
from rl_tuner.task import Task, Tokens

# Melodies of each model that can be heard.
NUM_AUDIBLE = 3
_PITCHES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
_READINGS = {
    "paper": "the papers' (class 0 a rest, class 1 a hold)",
    "corrected": "corrected (class 0 no event, class 1 note off); the paper's columns, "
    "which are printed for comparison, were counted under the other",
}


class MelodyTask(Task):
    """Melodies of sixteenth notes, rewarded by r_MT (Jaques et al. 2016, 3.2).

    A melody starts from zero states and a random priming note, or a primer that is read
    first; neither is part of it.
    """

    name = "melody"
    num_classes = NUM_CLASSES
    reward_state_size = LEAP_STATE_SIZE
    uses_autograph = False

    def __init__(
        self,
        rules: str = "paper",
        key: str = "C major",
        reward_mode: str = "music_theory_all",
        rule_weights: Mapping[str, float] | None = None,
        extra_rules: tuple[tuple[str, Callable[[Any], tf.Tensor]], ...] = (),
        num_notes_in_melody: int = 32,
        prime_with_all_notes: bool = False,
        primers: Sequence[Sequence[int]] | None = None,
        notes: NoteRange = OUR_NOTES,
    ):
        """Chooses what is rewarded.

        Args:
          rules: `paper` reads class 0 as the rest and class 1 as the hold, as the
            papers' rules do; `corrected` reads them as what they are.
          key: any major or minor key.
          reward_mode: which rules count; one of `music_theory_settings.MODES`.
          rule_weights: factors by rule name; 0 switches a rule off.
          extra_rules: pairs of a name and a function of a `MelodyStep`.
          num_notes_in_melody: events in a melody, a sixteenth each.
          prime_with_all_notes: the reference never draws the highest note when it
            primes or explores; True draws it too.
          primers: melodies [K, P] of classes; each new melody continues one of them
            at random, which is not part of it. None primes with a random note.
          notes: that the classes stand for, which are those of the model.

        Raises:
          UserError: a setting is unknown or makes no sense.
        """
        if not 1 <= num_notes_in_melody <= 4096:
            raise UserError(
                f"num_notes_in_melody is {num_notes_in_melody}; "
                "it must be at least 1 and at most 4096"
            )
        self.settings = MusicTheorySettings(
            rules=rules,
            key=key,
            mode=reward_mode,
            rule_weights=rule_weights or {},
            extra_rules=extra_rules,
            notes=notes,
        )
        self.notes, self.num_classes = notes, notes.num_classes
        self.max_length = num_notes_in_melody
        self.uses_log_prior = self.settings.uses_log_prior
        self._primers = None
        if primers is not None:
            self._primers = checked_compositions(primers, notes)
        self._drawn_classes = self.num_classes - (not prime_with_all_notes)

    def prime(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        """A random primer [N, P], or note [N] int32.

        Notes are drawn as `random_actions`.
        """
        if self._primers is None:
            return self.random_actions(batch_size, seed)
        chosen = tf.random.stateless_uniform(
            [batch_size], seed, minval=0, maxval=len(self._primers), dtype=tf.int32
        )
        return tf.gather(tf.constant(self._primers), chosen)

    def random_actions(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        """Uniform over all classes but the last, as in the reference, or over all.

        [N] int32; of the 38 classes of our notes that leaves 0..36.
        """
        return tf.random.stateless_uniform(
            [batch_size], seed, minval=0, maxval=self._drawn_classes, dtype=tf.int32
        )

    def reward(
        self,
        sequences: tf.Tensor,
        positions: tf.Tensor,
        actions: tf.Tensor,
        reward_state: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """r_MT(a, s), the sum of the rules that count: see `Task.reward`."""
        rewards, reward_state = step_rewards(
            sequences, positions, actions, reward_state, self.settings
        )
        return tf.reduce_sum(rewards, axis=1), reward_state

    def rewards(self, sequences: np.ndarray) -> np.ndarray:
        """r_MT of every event: [N, T] integers -> [N, T] float32."""
        return np.sum(list(corpus_rewards(sequences, self.settings).values()), axis=0)

    def metrics(self, sequences: np.ndarray) -> dict[str, float]:
        """The rows of Table 1 in Jaques et al. 2016: [N, T] integers -> name: value."""
        return self.judge(sequences).metrics

    def from_corpus(self, corpus: Sequence[Any]) -> Sequence[Any]:
        """Melodies of a dataset, of 48 to 83, in the classes of the model's notes.

        Of one with notes that the model has not, the stretches between these.
        """
        if self.notes == OUR_NOTES:
            return corpus
        return [
            np.array(stretch)
            for melody in corpus
            for stretch in stretches_in_notes(melody, self.notes)
        ]

    def judge(
        self, sequences: np.ndarray, corpus: Sequence[Tokens | str] | None = None
    ) -> Judgement:
        """Table 1 of melodies [N, T], with standard errors and the counts behind it."""
        del corpus
        stats = composition_stats(
            sequences, self.settings.rules, self.settings.key, self.notes
        )
        if stats["num_notes"]:  # what musicians would count
            share = 100 * stats["notes_not_in_key"] / stats["num_notes"]
            stats["percent_of_notes_not_in_key"] = share
        return Judgement(table1_metrics(stats), table1_standard_errors(stats), stats)

    def metric_rows(self) -> list[MetricRow]:
        """The rows of Table 1."""
        return list(TABLE1_ROWS)

    def remarks(self) -> list[str]:
        """How the rules were read, and what is wrong in the paper's table."""
        reading = _READINGS[self.settings.rules]
        return [
            f"The rules' reading of classes 0 and 1 is {reading}.",
            "In its Note RNN column the paper has two entries swapped, notes not in "
            "key and melodies starting with the tonic: its own checkpoint plays about "
            ".9% out of key. They stand here as they are printed there.",
            "Notes not in key are a share of all events, as in the paper, and many of "
            "these hold a note or are silent; the share of the notes themselves is "
            "among the counts: percent_of_notes_not_in_key.",
        ]

    def token_labels(self) -> list[str]:
        """The two special events, and pitches such as C4."""
        classes = range(FIRST_NOTE, self.num_classes)
        pitches = [class_to_pitch(token, self.notes) for token in classes]
        notes = [f"{_PITCHES[pitch % 12]}{pitch // 12 - 1}" for pitch in pitches]
        return ["no event", "note off", *notes]

    def write_samples(
        self,
        sequences: np.ndarray,
        directory: pathlib.Path,
        title: str,
        qpm: float = QUARTERS_PER_MINUTE,
        transpose: int = 0,
    ) -> None:
        """Writes each melody as MIDI, and the first four as one piano roll.

        Args:
          sequences: [N, T].
          directory: where to.
          title: of the picture.
          qpm: quarter notes a minute.
          transpose: semitones by which melodies are written higher than they are.
        """
        notes = NoteRange(
            self.notes.min_note + transpose, self.notes.max_note + transpose
        )
        for index, melody in enumerate(sequences):
            path = directory / f"melody_{index + 1:02}.mid"
            write_midi(melody, path, qpm=qpm, notes=notes)
        picture = directory / "piano_roll.png"
        plot_piano_rolls(sequences[:4], title, picture, notes)

    def remarks_on(self, sequences: np.ndarray) -> list[str]:
        """How many melodies [N, T] are silent, or begin so."""
        is_note = np.asarray(sequences) >= FIRST_NOTE
        silent = int((~is_note.any(axis=1)).sum())
        late = int((~is_note[:, 0]).sum()) - silent
        told = []
        if silent:
            told.append(f"{silent} of {len(is_note)} melodies are silent")
        if late:
            told.append(f"{late} of {len(is_note)} melodies begin with silence")
        if told:
            told[-1] += "; --write_first_note writes the note that each begins from"
        return told

    def write_audio(self, sequences: np.ndarray, directory: pathlib.Path) -> None:
        """Writes the first melodies as WAV files beside their MIDI files."""
        for index, melody in enumerate(sequences[:NUM_AUDIBLE]):
            path = directory / f"melody_{index + 1:02}.wav"
            write_wav(melody, path, notes=self.notes)

    def score_lines(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """The sum over a melody of what each rule gives, and of all: columns [N]."""
        rewards = corpus_rewards(self.from_lines(lines), self.settings)
        columns = {name: values.sum(axis=1) for name, values in rewards.items()}
        total: np.ndarray = sum(rewards.values(), np.float32(0))
        return {**columns, "task_reward": total.sum(axis=1)}
