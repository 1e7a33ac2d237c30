"""Figures of melodies: what tuning changes, how far it comes, and other networks."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence

import numpy as np

from figure_making import code_groups
from figure_making.figure import Command, Figure
from melody_rnn.table1 import TABLE1_ROWS
from rl_tuner.reports import tradeoff
from rl_tuner.reports.models import label
from rl_tuner.reports.tables import (
    POLICY_ROWS,
    comparison_table,
    format_figure,
    markdown_table,
)

_METHOD = "rl_tuner/README.md"
_PICTURES = "checkpoints/note_rnn/pictures"


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


# c, the 1/c that its training begins with, the learning rate, and the steps.
_BEGINNINGS = (
    ("2", "0.02", "0.003", 16_000_000),
    ("5", "1", "0.003", 16_000_000),
    ("10", "0.1", "0.002", 24_000_000),
)
# The papers' discount, and none, for which the value after the last token must be 0.
_DISCOUNTS = {"0.5": (), "1": ("--terminal=zero",)}


def _distance() -> tuple[Command, ...]:
    trained = tuple(
        (
            *("rl_tuner_train", "--algorithm=reinforce", f"--seed={seed}"),
            *(f"--reward_scaler={1 / float(c):g}", f"--initial_reward_scaler={begin}"),
            *("--num_sequences=128", f"--training_steps={steps}"),
            *(f"--learning_rate={rate}", "--learning_rate_decay=1"),
            *(f"--output_every_nth={steps}", "--num_melodies=20000"),
            f"--output_dir=c{c}_seed{seed}",
        )
        for c, begin, rate, steps in _BEGINNINGS
        for seed in (0, 1)
    )
    values = tuple(
        (
            *("rl_tuner_tradeoff", "--algorithms=q,psi,g", "--c=2,5,10"),
            *("--training_steps=1000000", "--num_melodies=20000"),
            *(f"--discount_rate={rate}", *more, f"--output_dir=discount_{rate}"),
        )
        for rate, more in _DISCOUNTS.items()
    )
    return trained + values


def _of_distance(folder: pathlib.Path) -> str:
    """What each leaves at each c, and of REINFORCE what that rests on."""
    constants = [c for c, *_ in _BEGINNINGS]
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
        depends=(
            *code_groups.MELODIES,
            *code_groups.NOTE_RNN,
            "rl_tuner/runs/optimum.py",
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
