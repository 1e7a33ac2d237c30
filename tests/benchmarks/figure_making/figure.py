"""Figure: a table or a picture of a document, and how it comes about."""

from __future__ import annotations

import dataclasses
import pathlib
import shlex
from collections.abc import Callable, Mapping

ROOT = pathlib.Path(__file__).parents[3]

Command = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Figure:
    """What stands between two marks of a document, or beside it as a picture.

    Attributes:
      name: in the marks.
      commands: that make it, each resumable, run in the figure's folder; {root} in one
        is the repository's.
      tables: of each document, by its path from the root, what makes the Markdown
        between the marks from the figure's folder.
      depends: what it changes with: globs of modules and of other files, from the root.
      pictures: from where they lie in the folder to where they lie in the repository.
    """

    name: str
    commands: tuple[Command, ...]
    tables: Mapping[str, Callable[[pathlib.Path], str]]
    depends: tuple[str, ...]
    pictures: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def typed(self) -> list[str]:
        """Its commands as one would type them."""
        return [shlex.join(command) for command in self.commands]
