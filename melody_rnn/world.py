"""MelodyWorld: melodies, their flags and models; imports no TensorFlow."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from melody_rnn.encoding import ALL_NOTES
from melody_rnn.music_theory.musical_key import SEMITONES
from melody_rnn.music_theory.settings import (
    MODES,
    READINGS,
    MusicTheorySettings,
    parse_own_rules,
    parse_rule_weights,
)
from melody_rnn.priming import (
    define_primer_flags,
    define_priming_flags,
    in_notes,
    primer_files,
    read_primer,
    settings_from_flags,
    take_primers,
    transposed,
)
from rl_tuner.errors import UserError
from rl_tuner.world import World

if TYPE_CHECKING:
    from rl_tuner.formats.model_format import ModelFormat
    from rl_tuner.networks.sequence_rnn import SequenceRNN
    from rl_tuner.reports.publication import Publication
    from rl_tuner.task import Task

FLAGS = flags.FLAGS


class MelodyWorld(World):
    """Melodies by the rules of music theory, and models of Magenta's."""

    name = "melody"
    shipped_checkpoint = "note_rnn"
    is_default = True

    def define_task_flags(self) -> None:
        """Defines the flags that choose what a melody is rewarded for."""
        flags.DEFINE_string(
            "rules",
            "paper",
            f"How the rules read classes 0 and 1, one of {', '.join(READINGS)}: "
            "'paper' takes 0 for a rest and 1 for a hold, as the papers' rules do, "
            "which punishes held notes; 'corrected' reads them as what they are.",
        )
        flags.DEFINE_string(
            "key", "C major", "Any key, e.g. 'A minor', 'Am' or 'D dorian'."
        )
        flags.DEFINE_string(
            "reward_mode", "music_theory_all", f"One of {', '.join(MODES)}."
        )
        flags.DEFINE_string(
            "rule_weights",
            "",
            "Factors of single rules, 0 switches one off: key=2,motif=0.",
        )
        flags.DEFINE_string(
            "rule",
            "",
            "Rules of your own: my_module:my_rule,... each a function of a MelodyStep "
            "in TensorFlow, which is compiled, or of a list of classes in plain "
            "Python, which is slower.",
        )
        flags.DEFINE_integer(
            "num_notes_in_melody", 32, "Events in a melody, a sixteenth each."
        )
        flags.DEFINE_bool(
            "prime_with_all_notes",
            False,
            "Draw the highest note too in priming and exploring; the reference never "
            "does.",
        )
        define_priming_flags()

    def define_generate_flags(self) -> None:
        """Defines the flags of priming; Magenta's names."""
        define_primer_flags()
        flags.DEFINE_bool(
            "transpose_primer",
            True,
            "Transpose the primer to the model's key and notes, and what is generated "
            "back, as melody_rnn_generate does.",
        )
        flags.DEFINE_float(
            "qpm",
            None,
            "Quarter notes a minute of what is written; by default those of "
            "--primer_midi, else 80.",
        )
        flags.DEFINE_bool(
            "write_first_note",
            False,
            "Without a primer: write the random note too that each melody begins from. "
            "Without it a melody that holds the note begins with silence.",
        )

    def task_settings(self) -> dict[str, Any]:
        """The arguments of `MelodyTask` that the flags give.

        Raises:
          UserError: one is unknown or makes no sense.
        """
        return self._settings_of_flags(parse_own_rules(FLAGS.rule))

    def given_settings(self, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of `World`; --rule_weights knows the rules of the run."""
        rules = FLAGS.rule or ",".join((run or {}).get("rule", ()))
        return self.only_given(self._settings_of_flags(parse_own_rules(rules)))

    def _settings_of_flags(self, own_rules: Mapping[str, str]) -> dict[str, Any]:
        """Those, with rules of a user's own, {name: path}, beside the nine."""
        settings = {
            "rules": FLAGS.rules,
            "key": FLAGS.key,
            "reward_mode": FLAGS.reward_mode,
            "rule_weights": parse_rule_weights(FLAGS.rule_weights, list(own_rules)),
            "rule": list(own_rules.values()),
            "num_notes_in_melody": FLAGS.num_notes_in_melody,
            "prime_with_all_notes": FLAGS.prime_with_all_notes,
            **settings_from_flags(),
        }
        # Refuses bad values now, before TensorFlow takes its seconds.
        MusicTheorySettings(
            rules=FLAGS.rules,
            key=FLAGS.key,
            mode=FLAGS.reward_mode,
            rule_weights=settings["rule_weights"],
            # Their names are what is checked here; the functions come later.
            extra_rules=tuple((name, str) for name in own_rules),
        )
        return settings

    def make_task(self, settings: dict[str, Any], model: Any = None) -> Task:
        """The `MelodyTask` of these settings, for the notes of the model."""
        from melody_rnn import own_rules
        from melody_rnn.encoding import OUR_NOTES
        from melody_rnn.magenta.configurations import notes_of

        settings = dict(settings)
        notes = OUR_NOTES if model is None else notes_of(model)
        primers = take_primers(settings)
        if primers is not None:
            primers = [in_notes(primer, notes) for primer in primers]
        return own_rules.make_task(primers=primers, notes=notes, **settings)

    def files_of(self, settings: dict[str, Any]) -> list[pathlib.Path]:
        """Those of the primers."""
        return primer_files(settings)

    def policy_gradient_settings(self) -> dict[str, Any]:
        """A c that leaves variety: at the papers' it becomes a few melodies alone."""
        return {"reward_scaler": 0.5}

    def publication(self) -> Publication:
        """Table 1 and the figures of Jaques et al. 2016."""
        from melody_rnn.publication import MelodyPublication

        return MelodyPublication()

    def read_corpus(self, directory: str) -> list[Any]:
        """The training tunes that note_rnn_create_dataset wrote, each [steps] ints."""
        from melody_rnn.encoding import NUM_CLASSES
        from melody_rnn.note_rnn.sequence_examples import read_melodies

        paths = sorted(pathlib.Path(directory).glob("training_melodies.tfrecord-*"))
        if not paths:
            raise UserError(
                f"no training_melodies.tfrecord-* in --corpus_dir={directory}; name "
                "what note_rnn_create_dataset wrote"
            )
        return read_melodies(paths, NUM_CLASSES)

    def run_label(self, settings: dict[str, Any]) -> str:
        """How the rules are read: that is what one hears."""
        return f"{settings['rules']} rules"

    def primers_from_flags(self, num_outputs: int) -> list[list[int]] | None:
        """The melody to continue, once for each output; None without one."""
        if FLAGS.primer_midi and FLAGS.primer_melody:
            raise UserError("give --primer_midi or --primer_melody, not both")
        if not FLAGS.primer_midi and not FLAGS.primer_melody:
            return None
        primer = read_primer(FLAGS.primer_midi, FLAGS.primer_melody, ALL_NOTES)
        return [primer] * num_outputs

    def fit_primers(
        self, primers: list[list[int]], task: Task
    ) -> tuple[list[list[int]], dict[str, Any]]:
        """The primers in the model's key, and back when melodies are written.

        As in melody_rnn_generate, a model of all notes takes them as they are.
        """
        from melody_rnn.task import MelodyTask

        assert isinstance(task, MelodyTask)
        notes = task.notes
        if not FLAGS.transpose_primer or notes == ALL_NOTES:
            return [in_notes(primers[0], notes, ALL_NOTES)] * len(primers), {}
        primer, amount = transposed(primers[0], notes, task.settings.parsed_key)
        # By octaves nearer, where MIDI has no such notes.
        back = amount
        while notes.max_note - back > ALL_NOTES.max_note:
            back += SEMITONES
        while notes.min_note - back < ALL_NOTES.min_note:
            back -= SEMITONES
        if amount:
            print(
                f"the primer is transposed by {amount:+} semitones to the model's key, "
                f"and what is written by {-back:+}"
            )
        return [primer] * len(primers), {"transpose": -back}

    def writes_beginnings(self) -> bool:
        """Whether the random first notes are written."""
        given = FLAGS.primer_midi or FLAGS.primer_melody
        if FLAGS.write_first_note and given:
            raise UserError(
                "--write_first_note writes random notes, and a primer takes their "
                "place; drop one of them"
            )
        return bool(FLAGS.write_first_note)

    def write_settings(self) -> dict[str, Any]:
        """The tempo to write melodies at."""
        from melody_rnn.notation.midi import check_tempo, read_tempo

        if FLAGS.qpm is None:
            return {"qpm": read_tempo(FLAGS.primer_midi)} if FLAGS.primer_midi else {}
        check_tempo(FLAGS.qpm, "--qpm=")
        return {"qpm": FLAGS.qpm}

    def define_model_flags(self) -> None:
        """Defines the flag that says which notes a model's classes are."""
        flags.DEFINE_integer(
            "min_note",
            None,
            "MIDI pitch of that model's lowest note class; by default what its bundle "
            "says, 0 where it has 130 classes and 48 otherwise.",
        )
        flags.DEFINE_integer(
            "attn_length",
            None,
            "Outputs that attention reaches back to, in that model; by default what "
            "its graph says, else 40. No variable of a checkpoint shows it.",
        )
        flags.DEFINE_bool(
            "lookback_error",
            None,
            "Whether that model is a lookback_rnn of before 2016-10-28, whose inputs "
            "Magenta wrote one block too early; by default whether its weights show "
            "it.",
        )

    def apply_model_flags(self, model: SequenceRNN) -> None:
        """Sets up what --min_note, --attn_length and --lookback_error say."""
        from melody_rnn.magenta import configurations

        is_melody_rnn = configurations.is_melody_rnn(model.architecture())
        changed: dict[str, Any] = {}
        if FLAGS.attn_length is not None:
            changed["attention_length"] = FLAGS.attn_length
        if FLAGS.lookback_error is not None:
            changed["has_old_error"] = FLAGS.lookback_error
        if changed and not is_melody_rnn:
            raise UserError(
                "--attn_length and --lookback_error are for models with attention and "
                f"lookback, which this is not: {model.in_words()}"
            )
        if FLAGS.min_note is not None:
            self._set_min_note(model)
            if is_melody_rnn:
                changed["min_note"] = FLAGS.min_note
        if changed:
            try:
                model.set_up_as(**changed)
            except ValueError as error:
                raise UserError(
                    f"the flags do not suit the model, {model.in_words()}: {error}"
                ) from error

    def _set_min_note(self, model: SequenceRNN) -> None:
        """Notes the range that --min_note gives in the model's metadata."""
        from melody_rnn.magenta import configurations

        given = configurations.range_from(FLAGS.min_note, model.num_classes)
        if not 0 <= given[0] <= given[1] <= 127:
            raise UserError(
                f"--min_note={FLAGS.min_note} makes the model's {model.num_classes} "
                f"classes the notes {given[0]} to {given[1]}; they must be in 0 to 127"
            )
        model.metadata[configurations.RANGE_KEY] = given

    def formats(self) -> list[ModelFormat]:
        """Magenta's."""
        from melody_rnn.magenta import formats

        return [
            formats.MagentaCheckpoint(),
            formats.MagentaBundle(),
            formats.MagentaJs(),
        ]
