"""What is kept of each figure: how, of what code, where and when it was made."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from typing import Any

from figure_making.code_state import fingerprint
from figure_making.figure import ROOT, Figure

FOLDER = ROOT / "tests" / "benchmarks" / "figure_records"


@dataclasses.dataclass(frozen=True)
class Record:
    """How a figure was made.

    Attributes:
      commands: as one would type them, as `Figure.typed`.
      commit: of the repository.
      code: the fingerprint of what the figure depends on.
      machine: in words.
      date: the day, as 2026-11-26.
      seconds: that the commands took.
      tables: what stands in each document.
      pictures: SHA-256 of each, by where it lies in the repository.
    """

    commands: list[str]
    commit: str
    code: str
    machine: str
    date: str
    seconds: float
    tables: dict[str, str]
    pictures: dict[str, str]


def read(name: str) -> Record | None:
    """The record of a figure; None if it was never made."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return None
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Record(**fields)


def write(name: str, record: Record) -> None:
    """Keeps the record of a figure."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(dataclasses.asdict(record), indent=1, ensure_ascii=False) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


def current(figure: Figure) -> Record | None:
    """The record of a figure; None if its commands or their code are others now."""
    record = read(figure.name)
    if record is None or record.commands != figure.typed:
        return None
    return record if record.code == fingerprint(figure.depends) else None


def is_stale(figure: Figure) -> bool:
    """Whether its commands or their code have changed since, or it was never made."""
    return current(figure) is None


def checksum(path: pathlib.Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
