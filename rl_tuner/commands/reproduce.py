"""Repeats the papers: Table 1, Figures 2 and 4, or Table 2, from one command.

Trains Q, Psi, G and rewards only (of molecules, Psi) at the paper's setting, measures
each and the untuned model, and writes table1.md, .csv and .json, figure2.png,
figure4.png, ten samples of each model and index.html, which shows all of it. With
--task=molecule these are table2.md and so on, curves.png, next_tokens.png and
properties.png. Runs are trained side by side; what was cut resumes with the runs that
are not finished when the same command is given again:

  rl_tuner_reproduce --output_dir=paper
  rl_tuner_reproduce --output_dir=paper --seeds=3 --steps=1000000 --reference_g_update
  rl_tuner_reproduce --output_dir=corrected --rules=corrected --c=0.5,1,2
  rl_tuner_reproduce --task=molecule --output_dir=molecules --algorithms=psi,q

--reference_g_update adds a model: G as the reference implementation updated it, beside
G with the Reward RNN frozen.
"""

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import cli, grid_flags, tuning_flags, world_flags

FLAGS = flags.FLAGS
PAPER_STEPS = 3_000_000

grid_flags.define_flags(constants=["0.5"], num_melodies=100_000)
flags.DEFINE_alias("steps", "training_steps")
FLAGS.set_default("training_steps", PAPER_STEPS)
flags.DEFINE_string(
    "corpus_dir",
    "",
    "What the model was trained on, as the task's create_dataset wrote it, to draw "
    "beside the models where the task can.",
)


def main() -> None:
    """Carries out what is not there yet, and writes the report."""
    corpus = None
    if FLAGS.corpus_dir:
        corpus = worlds.find_world(FLAGS.task).read_corpus(FLAGS.corpus_dir)
    finished = grid_flags.carry_out()
    from rl_tuner.runs import reproduction

    print(f"\n{reproduction.write_all(finished, corpus)}\n")
    print(f"{reproduction.PAGE_NAME} in {finished.directory} shows all of it")


def _define_flags(argv: list[str]) -> None:
    """The world's flags, with its paper's values."""
    tuning_flags.define_task_flags(argv)
    tuning_flags.set_defaults(world_flags.world_in(argv).paper_defaults())


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, _define_flags)


if __name__ == "__main__":
    console_entry()
