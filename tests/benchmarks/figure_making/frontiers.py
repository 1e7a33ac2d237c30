"""Reward against KL to the prior, by every algorithm, in both worlds."""

from __future__ import annotations

import csv
import json
import pathlib
from collections.abc import Sequence

from figure_making import code_groups
from figure_making.figure import Command, Figure
from melody_rnn.table1 import TABLE1_ROWS
from rl_tuner.reports import tradeoff
from rl_tuner.reports.models import OPTIMUM
from rl_tuner.reports.tables import POLICY_ROWS, markdown_table
from rl_tuner.runs import optimum

_METHOD = "rl_tuner/README.md"
_PICTURES = "checkpoints/note_rnn/pictures"
_OPTIMUM = ("rl_tuner/runs/optimum.py",)
_DEPENDS = (*code_groups.MELODIES, *_OPTIMUM)
_SUMMARY_COLUMNS = ("kl", "task_reward", "entropy", "unique")


def _tradeoff(
    folder: str,
    algorithms: str,
    c: str,
    *more: str,
    steps: int = 300_000,
    seeds: int = 5,
) -> Command:
    return (
        *("rl_tuner_tradeoff", f"--output_dir={folder}", f"--algorithms={algorithms}"),
        *(f"--c={c}", f"--seeds={seeds}", f"--training_steps={steps}", *more),
    )


# What of a dozen settings raised the objective of Psi and G most, at c = 2: whole
# sequences that were just sampled, returns of all that follows, no discount.
_WITH_TRACES = (
    *("--replay_mode=whole_sequence", "--trace_decay=1", "--discount_rate=1"),
    *("--terminal=zero", "--exploration_mode=boltzmann", "--num_sequences=32"),
    *("--train_every_nth=1024", "--minibatch_size=32", "--replay_capacity=32"),
    *("--learning_rate=0.002", "--target_network_update_rate=0.2"),
)


def _frontier(rules: str) -> tuple[Command, ...]:
    """The frontier of one reading of the rules: whole sequences, then all."""
    reading = f"--rules={rules}"
    return (
        _tradeoff("gradients", "reinforce,ppo,dap,dpg", "1,2,5", reading),
        _tradeoff("best", "psi,g", "1,2,5", reading, *_WITH_TRACES),
        _tradeoff(
            *("all", "q,psi,g,pure_rl", "0.5,2", reading),
            "--beside=whole sequences=gradients/tradeoff.csv",
            "--beside=with traces=best/tradeoff.csv",
        ),
    )


def _of_molecules() -> tuple[Command, ...]:
    """From a start token: all but three begin as the prior's own policy."""

    def along_c(folder: str, algorithms: str, *more: str) -> Command:
        task = ("--task=molecule", *more)
        return _tradeoff(folder, algorithms, "40,80", *task, steps=600_000, seeds=3)

    return (
        along_c("values", "q,psi,pure_rl", "--initial_values=prior"),
        along_c(
            *("all", "g,reinforce,ppo,dap,dpg"),
            "--beside=begun with log p as values=values/tradeoff.csv",
        ),
    )


# Steps of about as many seconds as 300,000 by G.
_AS_LONG = {"reinforce": 1_800_000, "ppo": 600_000, "dap": 1_800_000}


def _as_long() -> tuple[Command, ...]:
    return tuple(
        _tradeoff(f"{name}_as_long", name, "1,2,5", "--rules=paper", steps=steps)
        for name, steps in _AS_LONG.items()
    )


def _whole_table(folder: pathlib.Path) -> str:
    return tradeoff.table(tradeoff.read_all_points(folder / "all" / "tradeoff.csv"))


def _table_of_as_long(folder: pathlib.Path) -> str:
    """All of them against the same optima, the greatest that any of them tells."""
    read = [
        point
        for name in _AS_LONG
        for point in tradeoff.read_all_points(
            folder / f"{name}_as_long" / "tradeoff.csv"
        )
    ]
    optima = [point for point in read if point["algorithm"] == OPTIMUM]
    optima.sort(key=lambda point: float(point["objective"]))
    tuned = [point for point in read if point["algorithm"] in _AS_LONG]
    return tradeoff.table(optimum.distances(tuned, optima))


def _which_algorithm(folder: pathlib.Path) -> str:
    """The rows that a reader chooses an algorithm by."""
    points = tradeoff.read_all_points(folder / "gradients" / "tradeoff.csv")
    points += tradeoff.read_all_points(folder / "all" / "tradeoff.csv")
    rows = [["", "c", "KL a token", "reward a token", "entropy", "unique, %"]]
    wanted = (
        *(("reinforce", 5), ("reinforce", 2), ("ppo", 5), ("dap", 5)),
        *(("g", 0.5), ("psi", 0.5), ("q", 0.5), ("ppo", 2)),
    )
    for name, c in wanted:
        runs = [p for p in points if p["algorithm"] == name and p["c"] == c]
        figures = (tradeoff.mean_figure(runs, key) for key in _SUMMARY_COLUMNS)
        rows.append([f"`{name}`", f"{c:g}", *figures])
    return markdown_table(rows)


# What README recommends, at the KL that it names.
_HELD = ("reinforce", "2", "--target_kl=0.28")
_RULES = ("paper", "corrected")


def _at_target_kl() -> tuple[Command, ...]:
    more = ("--output_every_nth=50000", "--num_melodies=20000")
    return tuple(
        _tradeoff(rules, *_HELD, f"--rules={rules}", *more) for rules in _RULES
    )


def _held(folder: pathlib.Path) -> str:
    """What is held and earned, and what was earned a sixth before the end."""
    heads = ("KL a token", "reward a token", "50,000 steps before", "entropy")
    rows: list[Sequence[str]] = [["", *heads, "unique, %", "c"]]
    for rules in _RULES:
        points = tradeoff.read_all_points(folder / rules / "tradeoff.csv")
        runs = [point for point in points if point["algorithm"] == "reinforce"]
        before: list[tradeoff.Point] = []
        for path in sorted((folder / rules / "runs").glob("*/curves.csv")):
            with open(path, newline="", encoding="utf-8") as file:
                *_, point, _ = csv.DictReader(file)
            before.append({"task_reward": float(point["task_reward"])})
        figures = [tradeoff.mean_figure(runs, key) for key in _SUMMARY_COLUMNS]
        figures.insert(2, tradeoff.mean_figure(before, "task_reward"))
        rows.append([f"`--rules={rules}`", *figures, f"{runs[0]['c']:g}"])
    return markdown_table(rows)


def _held_by_table1(folder: pathlib.Path) -> str:
    """All that Table 1 counts, untuned and held, by both readings of the rules."""
    header, columns = ["Metric"], []
    for rules in _RULES:
        header += [f"untuned, {rules} rules", f"REINFORCE, {rules} rules"]
        folders = [folder / rules / "untuned"], (folder / rules / "runs").glob("*")
        for runs in folders:
            texts = [(path / "evaluation.json").read_text() for path in sorted(runs)]
            columns.append([json.loads(text)["metrics"] for text in texts])
    lines: list[Sequence[str]] = [header]
    shown = ("task_reward", "log_prior", "kl", "entropy", "unique")
    policy = [row for row in POLICY_ROWS if row.name in shown]
    for row in (*TABLE1_ROWS, *policy):
        cells = (tradeoff.mean_figure(runs, row.name) + row.unit for runs in columns)
        lines.append([row.label, *cells])
    return markdown_table(lines)


_PRIORS = ("chorales", "reels")


def _further_priors() -> tuple[Command, ...]:
    commands: list[Command] = [
        ("python", "{root}/tests/benchmarks/further_priors.py", "--output_dir=priors")
    ]
    flags = {
        name: (
            "--rules=corrected",
            f"--note_rnn_checkpoint_dir=priors/{name}/model/note_rnn",
        )
        for name in _PRIORS
    }
    for name, more in flags.items():
        commands += [
            _tradeoff(f"{name}_gradients", "reinforce", "1,2,5", *more),
            _tradeoff(f"{name}_values", "q,psi,g", "1,2", *more),
        ]
    for name, more in flags.items():
        commands.append(_tradeoff(f"{name}_held", *_HELD, *more))
    return tuple(commands)


def _of_priors(folder: pathlib.Path) -> str:
    tables = []
    for name in _PRIORS:
        points = [
            point
            for part in ("gradients", "values")
            for point in tradeoff.read_all_points(
                folder / f"{name}_{part}" / "tradeoff.csv"
            )
            if point["algorithm"] != OPTIMUM
        ]
        held = tradeoff.read_all_points(folder / f"{name}_held" / "tradeoff.csv")
        points += [
            # As many steps take as long as above.
            {**point, "algorithm": "REINFORCE, `--target_kl=0.28`", "seconds": ""}
            for point in held
            if point["algorithm"] != OPTIMUM
        ]
        tables.append(f"{name.capitalize()}:\n\n{tradeoff.table(points)}")
    return "\n\n".join(tables)


FIGURES = (
    Figure(
        name="frontier_of_molecules",
        commands=_of_molecules(),
        tables={"molecule_rnn/README.md": _whole_table},
        depends=(*code_groups.MOLECULES, *_OPTIMUM, *code_groups.SMILES_RNN),
        pictures={"all/tradeoff.png": "checkpoints/smiles_rnn/pictures/tradeoff.png"},
    ),
    Figure(
        name="frontier_paper_rules",
        commands=_frontier("paper"),
        tables={"README.md": _which_algorithm, _METHOD: _whole_table},
        depends=(*_DEPENDS, *code_groups.NOTE_RNN),
        pictures={"all/tradeoff.png": f"{_PICTURES}/tradeoff.png"},
    ),
    Figure(
        name="at_target_kl",
        commands=_at_target_kl(),
        tables={
            "README.md": _held,
            "checkpoints/note_rnn/MODEL_CARD.md": _held_by_table1,
        },
        depends=(*_DEPENDS, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="frontier_at_equal_seconds",
        commands=_as_long(),
        tables={_METHOD: _table_of_as_long},
        depends=(*_DEPENDS, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="frontier_corrected_rules",
        commands=_frontier("corrected"),
        tables={_METHOD: _whole_table},
        depends=(*_DEPENDS, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="further_priors",
        commands=_further_priors(),
        tables={_METHOD: _of_priors},
        depends=(
            *_DEPENDS,
            *code_groups.PRETRAINING,
            "tests/benchmarks/further_priors.py",
        ),
    ),
)
