"""Figures of melodies."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence

import numpy as np

from figure_making import code_groups
from figure_making.figure import Command, Figure
from melody_rnn.table1 import TABLE1_ROWS
from rl_tuner.reports import tradeoff
from rl_tuner.reports.models import OPTIMUM, label
from rl_tuner.reports.tables import (
    POLICY_ROWS,
    comparison_table,
    format_figure,
    markdown_table,
)
from rl_tuner.runs import optimum

_METHOD = "rl_tuner/README.md"
_PICTURES = "checkpoints/note_rnn/pictures"
_TRADEOFF = (*code_groups.MELODIES, "rl_tuner/runs/optimum.py")
_SUMMARY_COLUMNS = ("kl", "task_reward", "entropy", "unique")


def _tradeoff(
    folder: str, algorithms: str, c: str, *more: str, steps: int = 300_000
) -> Command:
    return (
        *("rl_tuner_tradeoff", f"--output_dir={folder}", f"--algorithms={algorithms}"),
        *(f"--c={c}", "--seeds=5", f"--training_steps={steps}", *more),
    )


# What of a dozen settings raised the objective of Psi and G most, at c = 2: whole
# sequences that were just sampled, returns of all that follows, no discount.
_AT_THEIR_BEST = (
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
        _tradeoff("best", "psi,g", "1,2,5", reading, *_AT_THEIR_BEST),
        _tradeoff(
            *("all", "q,psi,g,pure_rl", "0.5,2", reading),
            "--beside=whole sequences=gradients/tradeoff.csv",
            "--beside=at its best=best/tradeoff.csv",
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


_PRIORS = ("chorales", "reels")


def _further_priors() -> tuple[Command, ...]:
    commands: list[Command] = [
        ("python", "{root}/tests/benchmarks/further_priors.py", "--output_dir=priors")
    ]
    for name in _PRIORS:
        model = f"--note_rnn_checkpoint_dir=priors/{name}/model/note_rnn"
        corrected = "--rules=corrected"
        commands += [
            _tradeoff(f"{name}_gradients", "reinforce", "1,2,5", corrected, model),
            _tradeoff(f"{name}_values", "q,psi,g", "1,2", corrected, model),
        ]
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
            if point["algorithm"] != "optimum"
        ]
        tables.append(f"{name.capitalize()}:\n\n{tradeoff.table(points)}")
    return "\n\n".join(tables)


_NETWORKS = ("note_rnn", "lookback_rnn", "attention_rnn")


def _networks() -> tuple[Command, ...]:
    return tuple(
        (
            *("rl_tuner_tradeoff", f"--output_dir={name}", "--algorithms=reinforce"),
            f"--note_rnn_checkpoint_dir={{root}}/checkpoints/{name}",
            *("--c=2", "--seeds=3", "--training_steps=300000"),
        )
        for name in _NETWORKS
    )


def _of_networks(folder: pathlib.Path) -> str:
    """Each model untuned and tuned, with the steps a second of its training."""
    heads = ("reward a token", "KL a token", "entropy", "unique, %", "steps/s")
    rows: list[Sequence[str]] = [["", *heads]]
    for name in _NETWORKS:
        stored = folder / name / "untuned" / "evaluation.json"
        untuned = json.loads(stored.read_text(encoding="utf-8"))["metrics"]
        keys = ("task_reward", "kl", "entropy", "unique")
        rows.append([name, *(format_figure(untuned[key]) for key in keys), "-"])
        points = tradeoff.read_all_points(folder / name / "tradeoff.csv")
        runs = [point for point in points if point["algorithm"] == "reinforce"]
        figures = [tradeoff.mean_figure(runs, key) for key in keys]
        speeds = [300_000 / float(run["seconds"]) for run in runs]
        rows.append([f"{name}, tuned", *figures, f"{np.median(speeds):,.0f}"])
    return markdown_table(rows)


# c, and the 1/c that its training begins with.
_BEGINNINGS = (("2", "0.02"), ("5", "1"), ("10", "0.1"))
_DISCOUNTS = ("0.5", "1")
_LONG = 16_000_000


def _distance() -> tuple[Command, ...]:
    trained = tuple(
        (
            *("rl_tuner_train", "--algorithm=reinforce", f"--seed={seed}"),
            *(f"--reward_scaler={1 / float(c):g}", f"--initial_reward_scaler={begin}"),
            *("--num_sequences=128", f"--training_steps={_LONG}"),
            *("--learning_rate=0.003", "--learning_rate_decay=1"),
            *(f"--output_every_nth={_LONG}", "--num_melodies=20000"),
            f"--output_dir=c{c}_seed{seed}",
        )
        for c, begin in _BEGINNINGS
        for seed in (0, 1)
    )
    values = tuple(
        (
            *("rl_tuner_tradeoff", "--algorithms=q,psi,g", "--c=2,5,10"),
            *("--training_steps=1000000", "--num_melodies=20000"),
            *(f"--discount_rate={rate}", f"--output_dir=discount_{rate}"),
        )
        for rate in _DISCOUNTS
    )
    return trained + values


def _of_distance(folder: pathlib.Path) -> str:
    """What each leaves at each c, and of REINFORCE what that rests on."""
    constants = [c for c, _ in _BEGINNINGS]
    rows: list[Sequence[str]] = [["", *(f"c = {c}" for c in constants)]]
    found: dict[str, list[dict[str, float]]] = {}
    for c in constants:
        paths = (folder / f"c{c}_seed{seed}" / "metrics.json" for seed in (0, 1))
        texts = [path.read_text(encoding="utf-8") for path in paths]
        found[c] = [json.loads(text)["after"] for text in texts]
    log_z = {
        c: [run["objective"] + run.get("gap", np.nan) for run in runs]
        for c, runs in found.items()
    }
    lines = {
        "REINFORCE": lambda run: run.get("gap", np.nan),
        "its effective samples, %": lambda run: run["effective_share"],
        "its unique melodies, %": lambda run: run["unique"],
        "log Z by it": lambda run: run["objective"] + run.get("gap", np.nan),
    }
    for name, figure in lines.items():
        cells = (
            ", ".join(format_figure(figure(run)) for run in found[c]) for c in found
        )
        rows.append([name, *cells])
    for rate in _DISCOUNTS:
        points = tradeoff.read_all_points(folder / f"discount_{rate}" / "tradeoff.csv")
        for algorithm in ("q", "psi", "g"):
            cells = (
                format_figure(max(log_z[c]) - float(point["objective"]))
                for c in constants
                for point in points
                if (point["algorithm"], point["c"]) == (algorithm, float(c))
            )
            rows.append([f"{label(algorithm)}, discount {rate}", *cells])
    return markdown_table(rows)


def _what_changes() -> tuple[Command, ...]:
    return (
        ("note_rnn_create_dataset", "--output_dir=data"),
        *(
            (
                *("rl_tuner_train", f"--rules={rules}", "--corpus_dir=data"),
                f"--output_dir={rules}",
            )
            for rules in ("paper", "corrected")
        ),
    )


def _of_changes(folder: pathlib.Path) -> str:
    """Both readings of the rules beside each other."""
    columns = {}
    for rules, words in (("paper", ""), ("corrected", ", corrected")):
        text = (folder / rules / "metrics.json").read_text(encoding="utf-8")
        metrics = json.loads(text)
        columns[f"untuned{words}"] = metrics["before"]
        columns[f"tuned{words}"] = metrics["after"]
    return comparison_table([*TABLE1_ROWS, *POLICY_ROWS], columns)


FIGURES = (
    Figure(
        name="what_changes",
        commands=_what_changes(),
        tables={"README.md": _of_changes},
        depends=(
            *code_groups.VALUE_LEARNING,
            *code_groups.MELODY_TASK,
            *code_groups.NOTE_RNN,
        ),
        pictures={
            "paper/curves.png": f"{_PICTURES}/curves.png",
            "paper/samples/before/piano_roll.png": f"{_PICTURES}/untuned.png",
            "paper/samples/after/piano_roll.png": f"{_PICTURES}/psi_paper.png",
            "corrected/samples/after/piano_roll.png": f"{_PICTURES}/psi_corrected.png",
        },
    ),
    Figure(
        name="distance_to_optimum",
        commands=_distance(),
        tables={_METHOD: _of_distance},
        depends=(*_TRADEOFF, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="frontier_paper_rules",
        commands=_frontier("paper"),
        tables={"README.md": _which_algorithm, _METHOD: _whole_table},
        depends=(*_TRADEOFF, *code_groups.NOTE_RNN),
        pictures={"all/tradeoff.png": f"{_PICTURES}/tradeoff.png"},
    ),
    Figure(
        name="frontier_at_equal_seconds",
        commands=_as_long(),
        tables={_METHOD: _table_of_as_long},
        depends=(*_TRADEOFF, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="frontier_corrected_rules",
        commands=_frontier("corrected"),
        tables={_METHOD: _whole_table},
        depends=(*_TRADEOFF, *code_groups.NOTE_RNN),
    ),
    Figure(
        name="further_priors",
        commands=_further_priors(),
        tables={_METHOD: _of_priors},
        depends=(
            *_TRADEOFF,
            *code_groups.PRETRAINING,
            "tests/benchmarks/further_priors.py",
        ),
    ),
    Figure(
        name="networks_tuned",
        commands=_networks(),
        tables={"melody_rnn/README.md": _of_networks},
        depends=(
            *code_groups.MELODIES,
            *code_groups.MELODY_NETWORKS,
            *code_groups.NOTE_RNN,
            "checkpoints/lookback_rnn/*.npz",
            "checkpoints/attention_rnn/*.npz",
        ),
    ),
)
