"""Turns a folder of MIDI or ABC, or music21's folk tunes, into training data.

The melodies are quantized to sixteenths, transposed to C major or A minor,
deduplicated, split into training and evaluation by tune, and written as TFRecords of
SequenceExamples in Magenta's layout, with their counts and terms in dataset.json:

  note_rnn_create_dataset --output_dir=/tmp/note_rnn_data
  note_rnn_create_dataset --source=my_tunes --output_dir=/tmp/my_data

Files that cannot be read are reported with the reason and skipped.
"""

import functools
import os
import pathlib
import sys
from collections.abc import Callable, Iterable

from absl import flags

from rl_tuner.commands import cli, job_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "source",
    "music21",
    "Folder of MIDI files (.mid, .midi, .kar, .rmi, .smf) and .abc files, searched "
    "recursively, or one such file; or "
    "'music21': the folk tunes in the music21 package (O'Neill, Ryan, Aird, others).",
)
flags.DEFINE_string("output_dir", None, "Where to write the dataset.")
flags.DEFINE_float("eval_ratio", 0.1, "Share of the tunes kept for evaluation.")
flags.DEFINE_integer("num_shards", 4, "Files per split.")
flags.DEFINE_integer("seed", 0, "Decides the split and the order of the tunes.")
flags.DEFINE_bool(
    "include_noncommercial",
    False,
    "With --source=music21: take the Essen folksong collection too. Its terms allow "
    "non-commercial use only.",
)
flags.DEFINE_bool(
    "ignore_polyphonic_notes",
    False,
    "In MIDI tracks with chords keep the highest note, instead of skipping the track. "
    "In ABC the highest is always kept.",
)
flags.DEFINE_integer("min_steps", 32, "Skip melodies of fewer sixteenths.")
flags.DEFINE_integer("min_unique_pitches", 5, "Skip melodies of fewer pitches.")
flags.DEFINE_integer(
    "num_workers", 0, "Processes that read files; 0: one per processor."
)

job_flags.define_flags()


def main() -> None:
    """Reads the flags and makes the dataset."""
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    if not 0 < FLAGS.eval_ratio < 1:
        raise UserError(f"--eval_ratio={FLAGS.eval_ratio:g} must lie between 0 and 1")
    cli.check_at_least(
        num_shards=1,
        seed=0,
        min_steps=2,
        min_unique_pitches=1,
        num_workers=0,
    )
    output_dir = cli.writable_directory(FLAGS.output_dir)

    from melody_rnn.note_rnn import dataset
    from melody_rnn.note_rnn.melody_extraction import ExtractionRules

    config = dataset.DatasetConfig(
        source=FLAGS.source,
        include_noncommercial=FLAGS.include_noncommercial,
        eval_ratio=FLAGS.eval_ratio,
        num_shards=FLAGS.num_shards,
        seed=FLAGS.seed,
        extraction=ExtractionRules(
            ignore_polyphonic_notes=FLAGS.ignore_polyphonic_notes,
            min_steps=FLAGS.min_steps,
            min_unique_pitches=FLAGS.min_unique_pitches,
        ),
    )
    workers = FLAGS.num_workers or os.cpu_count() or 1
    description = dataset.create_dataset(
        config, output_dir, workers, _with_progress, _reader(output_dir)
    )
    print(dataset.summary_text(description))
    print(f"written to {output_dir}")


def _reader(output_dir: pathlib.Path) -> Callable[..., Iterable] | None:
    """What reads the files, if not processes of this machine."""
    if job_flags.is_local():
        return None
    from melody_rnn.note_rnn import tune_reading_jobs

    return functools.partial(
        tune_reading_jobs.read_files,
        shared_directory=output_dir,
        runner=FLAGS.runner,
        beam_options=FLAGS.beam_options,
    )


def _with_progress(reports: Iterable, num_files: int) -> Iterable:
    """Shows a bar, and each part that is damaged as it comes."""
    from tqdm import tqdm

    def _tell(line: str) -> None:  # files may hold control characters
        line = "".join(c if c.isprintable() else "?" for c in line)
        tqdm.write(line, file=sys.stderr)

    for report in tqdm(reports, "reading", num_files, unit=" files"):
        for name, reason in report.unreadable:
            _tell(f"skipped {name}: {reason}")
        for name, remark in report.ignored:
            _tell(f"read {name}: {remark}")
        yield report
    cli.load_tensorflow()  # to write records with; reading need not wait for it


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
