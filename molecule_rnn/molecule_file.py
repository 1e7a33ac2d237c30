"""MoleculeFile: SMILES strings in files as people have them, line by line.

With names behind them or in a table with any separator, with a header or without,
packed by gzip, in UTF-8, UTF-16 or, but for the SMILES, in anything else.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import dataclasses
import gzip
import io
import itertools
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, cast

from rl_tuner.errors import UserError
from rl_tuner.system import shards
from rl_tuner.system.text_source import TextSource
from rl_tuner.system.whole_files import open_regular

PLAIN = (".smi", ".smiles", ".txt")
TABLES = (".csv", ".tsv")
SMILES_COLUMNS = (
    "smiles",
    "canonical_smiles",
    "isomeric_smiles",
    "canonical smiles",
    "smile",
    "structure",
)
_SEPARATORS = (",", ";", "\t", "|")
# Behind a SMILES string: none of these can be a part of it.
_BEHIND = re.compile(r"[\s,;]")
# What other columns before that of SMILES are called, where no ending says table.
_BEFORE = re.compile(r"^$|id$|id[_ ]|name|title|index|number|mol|compound|^#")
_WORDS = " "  # of a header whose fields are words
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_LINE = 1 << 16  # characters: more is no line of molecules
_MAX_RECORD_LINES = 8  # lines that one quoted record of a table may span


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a source.

    Attributes:
      number: of the line, from 1.
      text: the SMILES string on it, or what there is instead of one.
      problem: why there is no SMILES string; empty if there is one.
      molecule: canonical SMILES, by which other spellings of it are found; empty until
        RDKit has read it.
    """

    number: int
    text: str
    problem: str = ""
    molecule: str = ""


class MoleculeFile(TextSource):
    """A list of molecules: lines with a SMILES string first, or a table of them.

    A table is what is called .csv or .tsv, or begins with a header that names a column
    of SMILES. Its separator is the one by which its header has such a column.
    """

    def __init__(self, path: pathlib.Path, column: str = "", name: str = ""):
        """Takes the file.

        Args:
          path: of the file.
          column: of a table, the name of the column of SMILES; empty: a usual name.
          name: that the format is told by, where it is not the path's: of a file within
            a zip archive, which the path then is of.
        """
        super().__init__(path)
        self.column = column
        self.name = name or str(path)

    @property
    def is_cut_by_bytes(self) -> bool:
        """Whether a part can be found without what is before it."""
        if self.name.lower().endswith(".gz") or suffix(self.name) in TABLES:
            return False
        with contextlib.ExitStack() as stack:
            beginning = self._open(stack).read(_MAX_LINE)
        if beginning.startswith(_UTF16) or b"\r" in beginning.replace(b"\r\n", b""):
            return False
        header = beginning.partition(b"\n")[0]
        return self._header(header.decode("utf-8-sig", "surrogateescape")) is None

    def read(self, begin: int, end: int) -> Iterator[str]:
        """The strings of a part; "" of a line that is too long or damaged."""
        if not self.is_cut_by_bytes:
            return itertools.islice(self.lines(), begin, end)
        # A byte order mark is no part of the first molecule.
        texts = shards.read_lines(self.path, begin, end)
        return (
            _text(_first_field(Line(1, text.removeprefix("\ufeff")))) for text in texts
        )

    def lines(self) -> Iterator[str]:
        """The strings of all lines that are no header; "" of what is damaged."""
        return map(_text, self.numbered_lines())

    def numbered_lines(self) -> Iterator[Line]:
        """Every line that is no header.

        Raises:
          UserError: the file cannot be read, is damaged or has no such column.
        """
        try:
            with contextlib.ExitStack() as stack:
                # Bytes that are no text become lone surrogates, found line by line.
                text = io.TextIOWrapper(
                    self._open(stack),
                    encoding=self._encoding(),
                    errors="surrogateescape",
                )
                yield from self._molecules(_numbered(text, self.path))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UserError(f"cannot read {self.path}: {reason}") from error
        except UnicodeError as error:
            raise UserError(f"cannot read {self.path}: it is damaged UTF-16") from error

    def _molecules(self, lines: Iterator[Line]) -> Iterator[Line]:
        first = next(lines, None)
        if suffix(self.name) in TABLES:
            separator = self._separator(first.text if first else "")
        else:
            if first is None:
                return
            found = self._header(first.text)
            if found is None:
                yield from map(_first_field, itertools.chain([first], lines))
                return
            separator = found
        rest = itertools.chain([first] if first else [], lines)
        yield from self._table(rest, separator)

    def _open(self, stack: contextlib.ExitStack) -> IO[bytes]:
        stored = open(self.path, "rb", opener=open_regular)  # noqa: SIM115 - the stack
        file: IO[bytes] = stack.enter_context(stored)
        if self.name != str(self.path):
            archive = stack.enter_context(zipfile.ZipFile(stored))
            file = stack.enter_context(archive.open(self.name))
        if self.name.lower().endswith(".gz"):
            return cast(IO[bytes], stack.enter_context(gzip.open(file, "rb")))
        return file

    def _encoding(self) -> str:
        with contextlib.ExitStack() as stack:
            is_utf16 = self._open(stack).read(2) in _UTF16
        # A byte order mark is no part of the first molecule.
        return "utf-16" if is_utf16 else "utf-8-sig"

    def _header(self, text: str) -> str | None:
        """How the fields of a header are separated; None if the line is none."""
        if not any(name in text.lower() for name in self._wanted):
            return None
        for separator in (*_SEPARATORS, _WORDS):
            names = _names(text, separator)
            is_table = suffix(self.name) in TABLES or _BEFORE.search(names[0])
            if any(name in names[: None if is_table else 1] for name in self._wanted):
                return separator
        return None

    def _separator(self, header: str) -> str:
        """Of a table: that by which the header has the column, or most columns."""
        found = self._header(header)
        if found not in (None, _WORDS):
            return cast(str, found)
        return max(_SEPARATORS, key=lambda s: len(_names(header, s)))

    @property
    def _wanted(self) -> Sequence[str]:
        return [self.column.lower()] if self.column else SMILES_COLUMNS

    def _table(self, lines: Iterator[Line], separator: str) -> Iterator[Line]:
        records = _records(lines, separator)
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
        for name in self._wanted:
            if name in names:
                return names.index(name)
        shown = ", ".join(header[:20])
        raise UserError(
            f"{self.path} has no column {' or '.join(self._wanted)}; name one of its "
            f"columns with --smiles_column: {shown!r:.200}"
        )


def suffix(name: str) -> str:
    """The ending of a file's name, without .gz, in small letters."""
    return pathlib.PurePath(name.lower().removesuffix(".gz")).suffix


def _text(line: Line) -> str:
    return "" if line.problem else line.text


def _names(header: str, separator: str) -> list[str]:
    """The names of columns, in small letters."""
    if separator == _WORDS:
        fields = header.split()
    else:
        try:
            fields = next(csv.reader([header], delimiter=separator, strict=True), [])
        except csv.Error:
            fields = []
    return [field.strip().strip('"').lower() for field in fields or [""]]


def _numbered(text: io.TextIOBase, path: pathlib.Path) -> Iterator[Line]:
    """The lines of a text, without their ends.

    Raises:
      UserError: one is so long that it is no text.
    """
    number = 0
    while line := text.readline(_MAX_LINE):
        number += 1
        if len(line) < _MAX_LINE or line.endswith("\n"):
            yield Line(number, line.rstrip("\n"))
            continue
        length = len(line)
        while (rest := text.readline(_MAX_LINE)) and not rest.endswith("\n"):
            length += len(rest)
            if length >= shards.LONGEST:
                raise shards.too_long(path)
        yield Line(number, line[:80], f"more than {_MAX_LINE} characters")


def _first_field(line: Line) -> Line:
    """The line with the SMILES string at its beginning as its text."""
    if line.problem:
        return line
    text = line.text.strip()
    if text.startswith('"'):
        text = text[1:].partition('"')[0].strip()
    text = _BEHIND.split(text, maxsplit=1)[0]
    if not text:
        return dataclasses.replace(line, problem="empty")
    return dataclasses.replace(line, text=text)


def _records(
    lines: Iterator[Line], separator: str
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
        if separator == _WORDS:
            yield first, first.text.split()
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
            yield first, next(csv.reader([text], delimiter=separator, strict=True), [])
        except csv.Error as error:
            ahead[:0] = record[1:]
            yield dataclasses.replace(first, problem=f"no table row: {error}"), None


def _is_open(record: list[Line]) -> bool:
    return sum(line.text.count('"') for line in record) % 2 == 1
