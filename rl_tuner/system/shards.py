"""Shards: parts of something large, each in a file of its own, that follow in order."""

from __future__ import annotations

import io
import itertools
import os
import pathlib
from collections.abc import Iterator

from rl_tuner.errors import UserError
from rl_tuner.system.whole_files import open_regular

LONGEST = 1 << 24  # bytes of a line


def shard_names(stem: str, suffix: str, num_shards: int) -> list[str]:
    """The names of the files: `stem-00000-of-00010.suffix` and so on."""
    return [f"{stem}-{i:05}-of-{num_shards:05}{suffix}" for i in range(num_shards)]


def row_ranges(count: int, num_shards: int) -> list[tuple[int, int]]:
    """Where each shard of `count` rows begins and ends; sizes differ by one at most."""
    bounds = [count * i // num_shards for i in range(num_shards + 1)]
    return list(itertools.pairwise(bounds))


def line_ranges(path: pathlib.Path, num_shards: int) -> list[tuple[int, int]]:
    """Where each shard of a text file begins and ends, in bytes, lines being whole."""
    bounds = [0]
    with open(path, "rb", opener=open_regular) as file:
        size = os.fstat(file.fileno()).st_size
        for i in range(1, num_shards):
            wanted = max(size * i // num_shards, bounds[-1])
            if wanted:
                # To the end of the line that the byte before is in.
                file.seek(wanted - 1)
                whole_line(file, path)
            bounds.append(file.tell())
    return list(zip(bounds, [*bounds[1:], size], strict=True))


def read_lines(path: pathlib.Path, begin: int, end: int) -> Iterator[str]:
    """The lines between two bytes, without their ends."""
    with open(path, "rb", opener=open_regular) as file:
        file.seek(begin)
        while file.tell() < end:
            yield text_of(whole_line(file, path))


def whole_line(file: io.BufferedIOBase, path: pathlib.Path) -> bytes:
    """The next line, with its end; empty behind the last.

    Raises:
      UserError: it is too long.
    """
    line = file.readline(LONGEST)
    if len(line) == LONGEST:
        raise too_long(path)
    return line


def too_long(path: pathlib.Path) -> UserError:
    """What there is to say of a line of `LONGEST` bytes, as zeros have none but one."""
    return UserError(
        f"{path} has a line of more than {LONGEST >> 20} MiB; it must be text, a "
        "sequence a line"
    )


def text_of(line: bytes) -> str:
    """A line without its end; what is not UTF-8 becomes lone surrogates."""
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")
