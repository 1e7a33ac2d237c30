"""TextSource: a file of sequences as text, that shards read a part of each."""

from __future__ import annotations

import gzip
import itertools
import pathlib
import zlib
from collections.abc import Iterator

from rl_tuner.errors import UserError
from rl_tuner.system import shards
from rl_tuner.system.whole_files import open_regular


class TextSource:
    """A file with a sequence a line, in UTF-8; with .gz as well.

    A world whose files are of other kinds has a subclass.
    """

    def __init__(self, path: pathlib.Path):
        """Takes the file, which need not exist before it is read."""
        self.path = path

    @property
    def is_cut_by_bytes(self) -> bool:
        """Whether a part can be found without what is before it."""
        return not self.path.name.lower().endswith(".gz")

    def parts(self, number: int) -> list[tuple[int, int]]:
        """Where each of so many parts begins and ends, for `read`.

        Raises:
          UserError: it cannot be read.
        """
        if self.is_cut_by_bytes:
            return shards.line_ranges(self.path, number)
        return shards.row_ranges(sum(1 for _ in self.lines()), number)

    def read(self, begin: int, end: int) -> Iterator[str]:
        """The sequences of a part.

        Raises:
          UserError: it cannot be read.
        """
        if self.is_cut_by_bytes:
            return shards.read_lines(self.path, begin, end)
        return itertools.islice(self.lines(), begin, end)

    def lines(self) -> Iterator[str]:
        """All sequences.

        Raises:
          UserError: it cannot be read, or is damaged.
        """
        if self.is_cut_by_bytes:
            yield from shards.read_lines(self.path, 0, self.path.stat().st_size)
            return
        try:
            with (
                open(self.path, "rb", opener=open_regular) as stored,
                gzip.open(stored) as file,
            ):
                while line := shards.whole_line(file, self.path):
                    yield shards.text_of(line)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UserError(f"cannot read {self.path}: {reason}") from error
