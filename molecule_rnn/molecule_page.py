"""What a page shows of molecules: properties, the best ones, and some at random."""

from __future__ import annotations

import heapq
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from molecule_rnn.property_figure import plot_columns, plot_properties
from molecule_rnn.scoring.molecule_statistics import HISTOGRAMS
from molecule_rnn.scoring.scorer import parse_smiles
from molecule_rnn.structures import draw_svg
from molecule_rnn.task import MoleculeTask
from rl_tuner.metrics import Evaluation
from rl_tuner.reports.tables import format_figure
from rl_tuner.reports.web_page import Drawing, WebPage
from rl_tuner.scored_sequences import DIRECTORY_NAME, REWARD, STEM
from rl_tuner.sequence_ends import sequence_lengths
from rl_tuner.system.csv_shards import read_shards

_SHOWN = 24
# Lines of the best that are looked at, since the same molecule may be there often.
_CANDIDATES = 2000
_NO_FIGURES = ("smiles", "valid")


class _Molecule(NamedTuple):
    """A molecule and what is known of it, as numbers or texts by name."""

    smiles: str
    figures: Mapping[str, Any]


def add_molecules(
    page: WebPage,
    task: MoleculeTask,
    sequences: Mapping[str, np.ndarray],
    evaluations: Mapping[str, Evaluation],
    directory: pathlib.Path,
) -> None:
    """Adds them to a page: see `World.add_to_page`."""
    generated = {label: _molecules(task, rows) for label, rows in sequences.items()}
    page.heading("Properties")
    _add_histograms(page, generated, evaluations)
    label, newest = list(generated.items())[-1]
    scored = _best_of_run(directory)
    if scored:
        page.heading("The best of all that were scored while tuning")
        page.drawings(map(_drawing, scored))
    else:
        page.heading(f"The best of {len(sequences[label]):,} molecules")
        best = heapq.nlargest(_CANDIDATES, newest, key=lambda x: x.figures[REWARD])
        page.drawings(map(_drawing, _distinct(best)))
    for label, molecules in reversed(generated.items()):
        page.heading(f"A random sample: {label}")
        # They were sampled independently: the first are as good as any.
        page.drawings(map(_drawing, _distinct(molecules)))


def _molecules(task: MoleculeTask, sequences: np.ndarray) -> list[_Molecule]:
    """Those of sequences [N, T] that are molecules, with reward and components."""
    rewards = task.rewards(sequences)
    last = sequence_lengths(sequences, task.end_token) - 1
    columns = {REWARD: rewards[np.arange(len(last)), last].tolist()}
    columns |= task.scored_columns(sequences)
    rows = zip(*columns.values(), strict=True)
    named = (dict(zip(columns, row, strict=True)) for row in rows)
    return [_Molecule(row["smiles"], row) for row in named if row["valid"]]


def _best_of_run(directory: pathlib.Path) -> list[_Molecule]:
    """The best of what a run wrote; none where it wrote nothing."""
    rows = read_shards(directory / DIRECTORY_NAME, STEM)
    valid = (row for row in rows if row["valid"] == "1")
    best = heapq.nlargest(_CANDIDATES, valid, key=lambda row: float(row[REWARD]))
    return _distinct(_Molecule(row["smiles"], row) for row in best)


def _distinct(molecules: Iterable[_Molecule]) -> list[_Molecule]:
    """The first 24 that are not the same."""
    from rdkit import Chem

    found: dict[str, _Molecule] = {}
    for molecule in molecules:
        found.setdefault(Chem.MolToSmiles(parse_smiles(molecule.smiles)), molecule)
        if len(found) == _SHOWN:
            break
    return list(found.values())


def _drawing(molecule: _Molecule) -> Drawing:
    figures = {
        name: _text(name, value)
        for name, value in molecule.figures.items()
        if name not in _NO_FIGURES and value not in ("", None)
    }
    return Drawing(draw_svg(molecule.smiles), molecule.smiles, figures)


def _text(name: str, value: Any) -> str:
    return f"{int(value):,}" if name == "step" else format_figure(float(value))


def _add_histograms(
    page: WebPage,
    generated: Mapping[str, Sequence[_Molecule]],
    evaluations: Mapping[str, Evaluation],
) -> None:
    """What evaluations counted, and the components that they know nothing of."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "properties.png"
        plot_properties({k: [x.counts] for k, x in evaluations.items()}, path)
        page.picture(path, "how logP, QED, SA score and length are spread")
        known = (*_NO_FIGURES, *HISTOGRAMS)
        found = next((x[0].figures for x in generated.values() if x), {})
        names = [name for name in found if name not in known]
        columns = {
            label: {
                name: np.array([x.figures[name] for x in molecules], float)
                for name in names
            }
            for label, molecules in generated.items()
        }
        if names:
            plot_columns(columns, path)
            page.picture(path, f"how these are spread: {', '.join(names)}")
