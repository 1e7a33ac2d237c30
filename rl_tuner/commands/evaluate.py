"""Measures a tuned run or an untuned model: the metrics of Table 1, with their errors.

rl_tuner_evaluate
rl_tuner_evaluate --run_dir=rl_tuner_runs/psi_paper_rules_001
rl_tuner_evaluate --run_dir=my_run --rules=corrected --output_dir=measured
rl_tuner_evaluate --note_rnn_checkpoint_dir=my_note_rnn --num_melodies=10000

Where no model is named, the one that comes with --task is measured; a run by the task
that it was tuned for, but for the flags that are given.
Into --output_dir go metrics.md, metrics.csv and metrics.json, and evaluation.json with
the counts that they come from; with --page index.html too, one page of the run that
needs nothing else: the untuned model beside the tuned one, curves, and what both make.
"""

import functools

from absl import flags

from rl_tuner.commands import cli, model_flags, world_flags
from rl_tuner.errors import UserError
from rl_tuner.reports import models
from rl_tuner.runs import run_directory

FLAGS = flags.FLAGS

model_flags.define_run_flags("What an untuned model is measured by.")
flags.DEFINE_string(
    "corpus_dir",
    "",
    "What the model was trained on, as the task's create_dataset wrote it, to count "
    "what is copied from it.",
)
flags.DEFINE_string("output_dir", "", "Where to write; nowhere by default.")
flags.DEFINE_integer("num_melodies", 100_000, "Sequences to measure on.")
flags.DEFINE_alias("num_sequences", "num_melodies")
flags.DEFINE_integer("seed", 0, "The same seed measures the same sequences.")
flags.DEFINE_bool(
    "page",
    False,
    "Write a page of the model, index.html, into --output_dir; of a run beside the "
    "untuned model.",
)


def main() -> None:
    """Reads the flags, measures, and prints the table."""
    if not 1 <= FLAGS.num_melodies <= 10_000_000:
        raise UserError(f"--num_melodies={FLAGS.num_melodies} must be 1 to 10000000")
    if not 0 <= FLAGS.seed < 2**31:
        raise UserError(f"--seed={FLAGS.seed} must be 0 to {2**31 - 1}")
    if FLAGS.page and not FLAGS.output_dir:
        raise UserError("--page needs --output_dir; name a directory to write to")
    model = model_flags.named_model()
    run, world = model.run, model.world
    if run:
        task_settings = run.task_settings | world.given_settings(run.task_settings)
    else:
        task_settings = world.task_settings()
    output_dir = cli.writable_directory(FLAGS.output_dir) if FLAGS.output_dir else None
    corpus = world.read_corpus(FLAGS.corpus_dir) if FLAGS.corpus_dir else None

    cli.load_tensorflow()
    from rl_tuner.generation.diversity import Corpus
    from rl_tuner.generation.evaluation import evaluate_policy
    from rl_tuner.generation.evaluation import remarks as remarks_on
    from rl_tuner.generation.policy import Policy
    from rl_tuner.reports import comparison

    policy = model.policy()
    task = world.make_task(task_settings, policy.q_network)
    task.check_model(policy.q_network)
    publication = world.publication()
    name = models.model_of(run.config) if run else models.UNTUNED
    measure = functools.partial(
        evaluate_policy,
        task=task,
        num_sequences=FLAGS.num_melodies,
        seed=FLAGS.seed,
        corpus=None if corpus is None else Corpus(task.from_corpus(corpus)),
    )
    evaluation = measure(policy, reward_scaler=model.reward_scaler)
    if model.reward_scaler and run and run.config["target_kl"] is not None:
        evaluation.metrics["held_c"] = 1.0 / model.reward_scaler
    policies, evaluations = {name: policy}, {name: evaluation}
    if run and FLAGS.page:
        untuned = Policy.of_prior(policy.reward_rnn)
        policies = {models.UNTUNED: untuned, **policies}
        evaluations = {models.UNTUNED: measure(untuned), **evaluations}
    entries = comparison.compare(
        1.0 / model.reward_scaler if model.reward_scaler else float("nan"),
        {name: [found] for name, found in evaluations.items()},
        comparison.rows_of(task, evaluation),
        publication,
    )
    remarks = [
        f"{model.path}, measured on {FLAGS.num_melodies:,} sequences.",
        *remarks_on(task, FLAGS.num_melodies, evaluation.metrics),
        *task.remarks(),
    ]
    if output_dir:
        run_directory.write_evaluation(output_dir, evaluation)
        comparison.write_tables(
            output_dir / "metrics", "Metrics", remarks, {"": entries}, publication
        )
    if output_dir and FLAGS.page:
        from rl_tuner.runs import run_page

        measured = run_page.Measured(model.path, run, policies, evaluations, FLAGS.seed)
        run_page.write(output_dir, measured, world, task, entries, remarks)
    print(f"\n{comparison.as_markdown(entries, publication)}\n")
    print("\n".join([*remarks, *comparison.legend(entries, publication)]))


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, world_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
