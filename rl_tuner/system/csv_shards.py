"""CsvShards: a long table in compressed files, which a resumed run continues."""

from __future__ import annotations

import csv
import gzip
import io
import pathlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.system.whole_files import write_atomically

LINES_A_SHARD = 10_000


class CsvShards:
    """Lines that go into `STEM-00000.csv.gz`, `STEM-00001.csv.gz` and so on.

    Each file but the last holds `LINES_A_SHARD` lines below its header, whenever the
    run was saved or cut: the files are the same as of a run that was not. A file is
    written whole or not at all.
    """

    def __init__(self, directory: pathlib.Path, stem: str):
        """Begins with no lines; nothing is touched before the first are written."""
        self._directory, self._stem = directory, stem
        self._num_full = 0
        self._header = ""
        self._lines: list[str] = []

    def add(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Adds lines, of columns by name; a float has seven digits, None no text.

        Always the same columns.

        Raises:
          OSError: a file that has become full cannot be written.
        """
        self._header = _line(columns)
        rows = zip(*columns.values(), strict=True)
        self._lines += [_line(map(_text, row)) for row in rows]
        while len(self._lines) >= LINES_A_SHARD:
            self._write(self._lines[:LINES_A_SHARD])
            self._num_full += 1
            del self._lines[:LINES_A_SHARD]

    def flush(self) -> None:
        """Writes the lines of the last file, which is written again when it grows."""
        if self._lines:
            self._write(self._lines)

    def state(self) -> LazyArrays:
        """What `restore` needs: the lines of the last file among it."""
        text = "".join([self._header, *self._lines])
        return LazyArrays(
            {
                "num_full": lambda: np.array(self._num_full, np.int64),
                "last": lambda: np.frombuffer(text.encode(), np.uint8),
            }
        )

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes to where `state` was taken, and makes the files what they were then.

        Raises:
          UserError: a file of earlier lines is not there any more.
        """
        self._num_full = int(state["num_full"])
        text = np.asarray(state["last"], np.uint8).tobytes().decode()
        lines = [] if not text else list(_records(text))
        self._header, self._lines = (lines[0], lines[1:]) if lines else ("", [])
        for number in range(self._num_full):
            if not self._path(number).is_file():
                raise UserError(
                    f"{self._path(number)} is missing, which the run wrote; restore it "
                    "from a copy, or start over with --restart"
                )
        self._delete_from(self._num_full)
        self.flush()

    def _write(self, lines: Sequence[str]) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        text = "".join([self._header, *lines])
        # Without the time: the same lines are the same bytes.
        data = gzip.compress(text.encode(), mtime=0)
        write_atomically(self._path(self._num_full), data)
        # Of a run that was cut before it saved them.
        self._delete_from(self._num_full + 1)

    def _delete_from(self, first: int) -> None:
        for path, number in _shards(self._directory, self._stem):
            if number >= first:
                path.unlink()

    def _path(self, number: int) -> pathlib.Path:
        return self._directory / f"{self._stem}-{number:05}.csv.gz"


def read_shards(directory: pathlib.Path, stem: str) -> Iterator[dict[str, str]]:
    """The lines of all files of a table, in order; none where there are no files.

    Raises:
      UserError: a file is damaged.
    """
    for path, _ in _shards(directory, stem):
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)
        except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
            raise UserError(
                f"{path} is damaged: {error}; restore it from a copy"
            ) from error


def _shards(directory: pathlib.Path, stem: str) -> list[tuple[pathlib.Path, int]]:
    """The files that there are, in order, with their numbers."""
    pattern = re.compile(rf"{re.escape(stem)}-(\d+)\.csv\.gz")
    found = [(path, pattern.fullmatch(path.name)) for path in directory.glob("*.gz")]
    return sorted((path, int(match[1])) for path, match in found if match)


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _records(text: str) -> Iterator[str]:
    """The lines of a table as they were added, a line break in a cell among them."""
    return map(_line, csv.reader(io.StringIO(text, newline="")))


def _text(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return f"{value:.7g}"
    return value
