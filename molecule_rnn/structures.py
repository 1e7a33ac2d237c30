"""Generated molecules to look at: scores as CSV or SDF, and their structures drawn."""

from __future__ import annotations

import csv
import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.molecule_statistics import profile, profile_workers
from molecule_rnn.sdf import sd_text
from rl_tuner.system.whole_files import write_atomically

CSV_NAME = "molecules.csv"
PICTURE_NAME = "molecules.png"
SDF_NAME = "molecules.sdf"
COLUMNS = ("smiles", "valid", *COMPONENTS, "canonical")
# Of the picture: more cannot be told apart.
_MAX_DRAWN = 24
_PER_ROW = 4
_PANEL = (300, 240)


def write_structures(
    smiles: Sequence[str],
    directory: pathlib.Path,
    sdf: bool = False,
    own: Mapping[str, Sequence[float] | np.ndarray] | None = None,
) -> None:
    """Writes `molecules.csv`, and `molecules.png` if one of them is a molecule.

    The table has a line for each string, in their order. A string that is no molecule
    has no scores and is not in the picture, which shows the first 24 that are.
    With `sdf` those that are molecules go into `molecules.sdf` too, each named after
    its line in the table, the first being 1, with the columns as fields. `own` are
    further scores of each string, by the name of the column.
    """
    workers = profile_workers(len(smiles))
    try:
        profiles = profile(smiles, workers, (*COMPONENTS, "canonical"))
    finally:
        workers.close()
    text = io.StringIO()
    own = own or {}
    columns = (*COLUMNS[:-1], *own, COLUMNS[-1])
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    records: list[dict[str, Any]] = []
    for line, string in enumerate(smiles, 1):
        values = profiles[string]
        record: dict[str, Any] = {"smiles": string, "valid": int(values is not None)}
        if values is not None:
            record |= {name: values[name] for name in COMPONENTS}
            record |= {name: float(column[line - 1]) for name, column in own.items()}
            record["canonical"] = values["canonical"]
            records.append({"name": line, **record})
        table.writerow(record)
    if sdf:
        fields = [
            {k: v for k, v in record.items() if k != "valid"} for record in records
        ]
        text_of_sdf = sd_text((record["smiles"], record) for record in fields)
        write_atomically(directory / SDF_NAME, text_of_sdf.encode())
    write_atomically(directory / CSV_NAME, text.getvalue().encode())
    picture = directory / PICTURE_NAME
    picture.unlink(missing_ok=True)
    if records:
        drawn = records[:_MAX_DRAWN]
        legends = [legend(record) for record in drawn]
        write_atomically(
            picture, draw_grid([record["smiles"] for record in drawn], legends)
        )


def legend(values: Mapping[str, float]) -> str:
    """The scores of a molecule, briefly."""
    return "logP {log_p:.2f}  QED {qed:.2f}  SA {sa:.2f}".format(**values)


def draw_grid(smiles: Sequence[str], legends: Sequence[str]) -> bytes:
    """Draws molecules, four in a row, with a legend under each; returns a PNG."""
    width, height = _PANEL
    rows = -(-len(smiles) // _PER_ROW)
    columns = min(_PER_ROW, len(smiles))
    drawing = rdMolDraw2D.MolDraw2DCairo(width * columns, height * rows, width, height)
    options: Any = drawing.drawOptions()  # RDKit's stubs know no numbers here
    options.legendFontSize = 16
    options.padding = 0.08
    options.prepareMolsBeforeDrawing = False
    drawing.DrawMolecules(list(map(_prepared, smiles)), legends=list(legends))
    drawing.FinishDrawing()
    return drawing.GetDrawingText()


def draw_svg(smiles: str) -> str:
    """Draws a molecule: an `<svg>` element to stand in a page."""
    drawing = rdMolDraw2D.MolDraw2DSVG(*_PANEL)
    options: Any = drawing.drawOptions()
    options.padding = 0.08
    options.prepareMolsBeforeDrawing = False
    drawing.DrawMolecule(_prepared(smiles))
    drawing.FinishDrawing()
    _, _, element = drawing.GetDrawingText().partition("?>")
    return element.strip()


def _prepared(smiles: str) -> Chem.Mol:
    """A molecule with coordinates, and with alternating bonds where there are such."""
    molecule = Chem.MolFromSmiles(smiles)
    try:
        return rdMolDraw2D.PrepareMolForDrawing(molecule)
    except Chem.KekulizeException:
        return rdMolDraw2D.PrepareMolForDrawing(molecule, kekulize=False)
