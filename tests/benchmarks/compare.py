"""Runs the same work here and in Magenta 2.1.4, side by side on this machine.

  python tests/benchmarks/compare.py --output=comparison

Both sides tune the same Note RNN at the paper's setting, one update of 32 transitions
per five environment steps. Every measurement is repeated, ours and theirs in turn, and
the median counts. Magenta's environment is built by the first call and kept, see
tests/helpers/interop_environments.py. The share of the machine's limit is that of the
networks' floating-point operations a second in those of plain matrix products of the
same shapes, measured in the same run. Of molecules it is the share of the seconds that
RDKit alone takes for the same strings, and that with the products at their fastest.
--output gets comparison.md and comparison.json.
"""

import contextlib
import datetime
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import cli, model_flags
from rl_tuner.config import POLICY_GRADIENTS
from rl_tuner.errors import UserError
from rl_tuner.system import provenance

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "helpers"))
import compared_works  # noqa: E402
import interop_environments  # noqa: E402
import machine_limit  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "", "Folder for the table; nowhere by default.")
flags.DEFINE_integer("repeats", 5, "How often everything is measured.")
flags.DEFINE_list("algorithms", ["q", "psi", "g"], "Algorithms to train by.")
flags.DEFINE_bool("reference", True, "Whether Magenta is measured too.")

CAPACITY = 100_000  # of the replay memory


class Side:
    """A process that works on demand: ours or Magenta's."""

    def __init__(self, python, script, environment=None):
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as it
        self._process = subprocess.Popen(
            [str(python), str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
            text=True,
        )

    def ask(self, work, **arguments):
        """What the side's method `work` gives."""
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"work": work, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            print(self._said.read()[-4000:], file=sys.stderr)
            raise UserError(f"{self._process.args[1]} failed at {work}, see above")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends the process, which waits for the next line."""
        self._process.communicate()


def main() -> None:
    """Measures, prints and writes the table."""
    if FLAGS.repeats < 1:
        raise UserError(f"--repeats={FLAGS.repeats} must be at least 1")
    output = cli.writable_directory(FLAGS.output, "output") if FLAGS.output else None
    source = model_flags.path() or worlds.shipped_checkpoint(
        worlds.find_world("melody")
    )
    pythons = {"ours": (sys.executable, "rl_tuner_side.py")}
    if FLAGS.reference:
        magenta = interop_environments.magenta_bin() / "python"
        pythons["theirs"] = (
            magenta,
            "magenta_side.py",
            interop_environments.clean_environment(),
        )
    with tempfile.TemporaryDirectory() as name:
        rows = _measure(pythons, str(source.absolute()), pathlib.Path(name))
    result = {
        "command": "python tests/benchmarks/compare.py " + " ".join(sys.argv[1:]),
        "date": datetime.date.today().isoformat(),
        "machine": f"{_processor()}, {provenance.available_cores()} cores",
        "checkpoint": str(source),
        "repeats": FLAGS.repeats,
        "versions": provenance.versions(),
        "rows": rows,
    }
    table = as_markdown(result)
    print(f"\n{table}")
    if output:
        (output / "comparison.md").write_text(table)
        (output / "comparison.json").write_text(json.dumps(result, indent=1) + "\n")


def _measure(pythons, checkpoint, folder):
    """The rows of the table; what both sides read is written to `folder`."""
    with contextlib.ExitStack() as stack:
        sides = {
            name: stack.enter_context(Side(*python)) for name, python in pythons.items()
        }
        checkpoints, works = _prepare(sides, checkpoint, folder)
        rates, answers = _measure_rates(sides, works)
    rows = [_row(work, rates[work.label], answers[work.label]) for work in works]
    return rows + _start_up(pythons, checkpoints)


def _prepare(sides, checkpoint, folder):
    """Writes what the sides read, and has them compile; what each loads, and works."""
    _say("preparing: imports, graphs, compilation")
    files = sides["ours"].ask(
        "write_files",
        checkpoint=checkpoint,
        folder=str(folder),
        melodies=compared_works.CORPUS,
        window_steps=compared_works.WINDOW_STEPS,
    )
    checkpoints = {"ours": checkpoint, "theirs": files["magenta_checkpoint"]}
    own = list(POLICY_GRADIENTS)  # Magenta has none
    for name, side in sides.items():
        side.ask(
            "prepare",
            checkpoint=checkpoints[name],
            algorithms=FLAGS.algorithms + (own if name == "ours" else []),
            examples=files["examples"],
            window_steps=compared_works.WINDOW_STEPS,
        )
    molecules = sides["ours"].ask("prepare_molecules", algorithms=own)
    works = compared_works.melody_works(
        files, FLAGS.algorithms
    ) + compared_works.molecule_works(molecules["layers"])
    return checkpoints, works


def _measure_rates(sides, works):
    """Results a second, {label: {side: one a repeat}}, and {label: our answers}."""
    rates = {work.label: {name: [] for name in sides} for work in works}
    answers = {work.label: [] for work in works}
    for repeat in range(FLAGS.repeats):
        for work in works:
            _say(f"{repeat + 1} of {FLAGS.repeats}: {work.label}")
            for name, side in sides.items():
                amount = getattr(work, name)
                if not amount:
                    continue
                answer = side.ask(**work.request, amount=amount)
                results = answer.get("results", amount * work.units)
                rates[work.label][name].append(results / answer["seconds"])
                if name == "ours":
                    answers[work.label].append(answer)
    return rates, answers


def _row(work, rates, answers=()):
    """One row: medians, the ratio, the share of the limit."""
    row = {"label": work.label, "all": rates}
    row |= {name: statistics.median(x) for name, x in rates.items() if x}
    if answers and "rdkit_seconds" in answers[0]:
        return row | _shares_of_rdkit(work, answers)
    if work.products:
        a_result = machine_limit.operations(work.products) / _results(work)
        limit = machine_limit.fastest(work.products, provenance.available_cores())
        row |= {
            "operations_a_second": row["ours"] * a_result,
            "limit": limit,
            "share": row["ours"] * a_result / limit,
        }
    return row


def _shares_of_rdkit(work, answers):
    """Of the seconds, what RDKit alone takes, and that with the products."""
    alone = statistics.median(x["rdkit_seconds"] / x["seconds"] for x in answers)
    if not work.products:
        return {"rdkit": alone}
    cores = provenance.available_cores()
    rate = machine_limit.fastest(work.products, cores)
    of_token = machine_limit.operations(work.products) / work.products[0][0] / rate
    products = statistics.median(x["tokens"] * of_token / x["seconds"] for x in answers)
    return {"rdkit": alone, "rdkit_and_products": alone + products}


def _results(work):
    """Results that come of the products of a work."""
    return {"train": 5, "evaluate": compared_works.LIMIT_BATCH}.get(
        work.request["work"], 1
    )


def _start_up(pythons, checkpoints):
    """Rows of seconds to the first update, and of the peak memory."""
    seconds = {name: [] for name in pythons}
    memory = {name: [] for name in pythons}
    for repeat in range(min(3, FLAGS.repeats)):
        _say(f"start-up and memory, {repeat + 1}")
        for name, python in pythons.items():
            begin = time.perf_counter()
            with Side(*python) as side:
                side.ask("first_step", checkpoint=checkpoints[name])
                seconds[name].append(time.perf_counter() - begin)
                if not repeat:
                    answer = side.ask("full_memory", capacity=CAPACITY, amount=500)
                    memory[name].append(answer["bytes"] / 2**20)
    costs = {
        "Start of the process to the first update, s": seconds,
        "Peak memory with 100,000 transitions, MiB": memory,
    }
    return [
        _row(compared_works.Work(label, {}, 0, 0), cost)
        for label, cost in costs.items()
    ]


def as_markdown(result):
    """The table, with what it was measured by."""
    lines = [
        "| | here | Magenta 2.1.4 | ratio | share of the machine's limit |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in result["rows"]:
        theirs = row.get("theirs")
        is_cost = "/s" not in row["label"]
        ratio = theirs and (theirs / row["ours"] if is_cost else row["ours"] / theirs)
        cells = [
            row["label"],
            _number(row["ours"]),
            _number(theirs) if theirs else "",
            f"{_number(ratio)}x" if theirs else "",
            _share(row),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(
        [
            *lines,
            "",
            f"Medians of {result['repeats']}, {result['date']}, {result['machine']}: "
            f"`{result['command']}`",
            "",
        ]
    )


def _share(row):
    if "share" in row:
        return f"{row['share']:.0%} of {row['limit'] / 1e9:.0f} GFLOP/s"
    text = f"RDKit {row['rdkit']:.0%}" if "rdkit" in row else ""
    if "rdkit_and_products" in row:
        text += f", with the products {row['rdkit_and_products']:.0%}"
    return text


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line for line in file if line.startswith("model name")]
        return names[0].partition(":")[2].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    cli.run(main)
