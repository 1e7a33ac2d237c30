"""Environment steps a second over sequences side by side, and over larger batches.

  python tests/benchmarks/scaling.py --output=scaling

Three curves: more sequences, with one update of 32 for each five steps as ever; larger
batches with five sequences; and both, one update of 32 / 5 transitions a step for all
sequences. The first call compiles and does not count. --output gets scaling.png and
scaling.json.
"""

import datetime
import json
import sys
import time

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import cli, model_flags
from rl_tuner.system import provenance

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "", "Folder for the plot; nowhere by default.")
flags.DEFINE_list(
    "sequences", [5, 10, 20, 40, 80, 160, 320], "Sequences side by side to measure."
)
flags.DEFINE_list("batches", [32, 64, 128, 256, 512, 1024], "Batches to measure.")
flags.DEFINE_float("seconds", 2.0, "How long each point is measured.")
flags.DEFINE_integer("threads", 0, "Threads for each product; 0 is one for each core.")

MORE_SEQUENCES = "more sequences side by side"
LARGER_BATCHES = "larger batches"
BOTH = "both, in step"


def main() -> None:
    """Measures, prints, plots."""
    output = cli.writable_directory(FLAGS.output, "output") if FLAGS.output else None
    source = model_flags.path() or worlds.shipped_checkpoint(
        worlds.find_world("melody")
    )
    cli.load_tensorflow()
    import tensorflow as tf

    from rl_tuner.networks.sequence_rnn import SequenceRNN

    if FLAGS.threads:
        tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    prior = SequenceRNN.load(source)
    sequences, batches = map(int, FLAGS.sequences), map(int, FLAGS.batches)
    settings = [
        *((MORE_SEQUENCES, n, {"num_sequences": n}) for n in sequences),
        *((LARGER_BATCHES, n, {"minibatch_size": n}) for n in batches),
        *(
            (
                BOTH,
                n,
                {
                    "num_sequences": n,
                    "train_every_nth": n,
                    "minibatch_size": 32 * n // 5,
                },
            )
            for n in map(int, FLAGS.sequences)
        ),
    ]
    points = []
    for curve, number, config in settings:
        rate = steps_a_second(prior, config)
        points.append({"curve": curve, "x": number, "steps_a_second": rate})
        print(f"{curve:36}{number:6}{rate:12,.0f} steps/s", flush=True)
    result = {
        "command": "python tests/benchmarks/scaling.py " + " ".join(sys.argv[1:]),
        "date": datetime.date.today().isoformat(),
        "versions": provenance.versions(),
        "points": points,
    }
    if output:
        (output / "scaling.json").write_text(json.dumps(result, indent=1) + "\n")
        plot(points, output / "scaling.png")


def steps_a_second(prior, config) -> float:
    """Of training by Psi on the melody task with these changes of the config."""
    from melody_rnn.task import MelodyTask
    from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

    tuner = RLTuner(prior, MelodyTask(), RLTunerConfig(**config))
    number = max(2000, 4 * tuner.config.num_sequences)
    tuner.train(number, report_every=number)
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < FLAGS.seconds:
        tuner.train(number, report_every=number)
        done += number
    return done / (time.perf_counter() - begin)


def plot(points, path) -> None:
    """Draws the curves on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
    for curve, axis in ((MORE_SEQUENCES, 0), (BOTH, 0), (LARGER_BATCHES, 1)):
        chosen = [point for point in points if point["curve"] == curve]
        xs = [point["x"] for point in chosen]
        ys = [point["steps_a_second"] for point in chosen]
        axes[axis].loglog(xs, ys, marker="o", label=curve)
    axes[0].set_xlabel("sequences side by side")
    axes[1].set_xlabel("transitions an update")
    axes[0].set_ylabel("environment steps a second")
    for axis in axes:
        axis.grid(True, which="both", alpha=0.3)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    cli.run(main)
