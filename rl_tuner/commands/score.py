"""Scores sequences that are given as text, a line each, millions of them.

rl_tuner_score --source=many/sequences-*.txt --output_dir=scored
rl_tuner_score --task=molecule --source=zinc.smiles --output_dir=scored --num_shards=50
rl_tuner_score --source=many/sequences-*.txt --output_dir=scored \
      --runner=DirectRunner \
      --beam_options="--direct_running_mode=multi_processing --direct_num_workers=8"

Melodies are numbers of classes with spaces between, as rl_tuner_generate --num_shards
writes them, and molecules are SMILES strings. Into --output_dir go scores-*.csv, in the
order of the lines, and summary.json; a sequence that has no number for a column has an
empty cell there, and no part in the mean. A cut run resumes where it was.
"""

import glob
import json
import pathlib

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import cli, job_flags, model_flags, world_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("task", worlds.default_task(), "What the sequences are of.")
flags.DEFINE_string(
    "source", "", "Text files, also with .gz; * and ? stand for anything."
)
flags.DEFINE_string("output_dir", "", "Where to write.")
flags.DEFINE_integer(
    "num_shards", 1, "Files that are written for each one of --source."
)
job_flags.define_flags()


def main() -> None:
    """Reads the flags and scores."""
    pattern = str(pathlib.Path(FLAGS.source).expanduser())
    sources = [pathlib.Path(name) for name in sorted(glob.glob(pattern))]
    if not FLAGS.source or not sources:
        raise UserError(f"--source={FLAGS.source} names no file")
    if not 1 <= FLAGS.num_shards <= 99_999:
        raise UserError(f"--num_shards={FLAGS.num_shards} must be 1 to 99999")
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    output_dir = cli.writable_directory(FLAGS.output_dir)
    world = worlds.find_world(FLAGS.task)
    settings = json.dumps(world.task_settings())
    model = model_flags.untuned_path(world)

    cli.load_tensorflow()
    from tqdm import tqdm

    from rl_tuner.runs import bulk_scoring

    with tqdm(total=FLAGS.num_shards * len(sources), unit=" shards") as bar:
        summary = bulk_scoring.score_shards(
            bulk_scoring.Scoring(
                FLAGS.task,
                settings,
                model.absolute(),
                json.dumps(world.source_settings()),
            ),
            sources,
            output_dir,
            FLAGS.num_shards,
            FLAGS.runner,
            FLAGS.beam_options,
            lambda _: bar.update(),
        )
    print(f"{summary['count']} sequences, in {output_dir}:")
    for line in bulk_scoring.summary_lines(summary):
        print(f"  {line}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, world_flags.define_score_flags)


if __name__ == "__main__":
    console_entry()
