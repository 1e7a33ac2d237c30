"""Where figures stand in documents: between two marks, which no reader sees."""

from __future__ import annotations

import re

_BLOCK = re.compile(
    r"<!-- figure: (?P<name>\S+) -->\n(?P<text>.*?)<!-- end of figure -->", re.DOTALL
)


def blocks(document: str) -> dict[str, str]:
    """What stands between the marks, by the figures' names.

    Raises:
      ValueError: a figure is there twice.
    """
    found: dict[str, str] = {}
    for match in _BLOCK.finditer(document):
        if match["name"] in found:
            raise ValueError(f"figure {match['name']} is there twice")
        found[match["name"]] = match["text"].strip("\n")
    return found


def with_block(document: str, name: str, text: str) -> str:
    """The document with another text between a figure's marks.

    Raises:
      ValueError: it has no such marks.
    """
    if name not in blocks(document):
        raise ValueError(
            f"there is no place for figure {name}; write <!-- figure: {name} --> and "
            "<!-- end of figure --> where it shall stand"
        )

    def replace(match: re.Match[str]) -> str:
        if match["name"] != name:
            return match[0]
        return f"<!-- figure: {name} -->\n{text}\n<!-- end of figure -->"

    return _BLOCK.sub(replace, document)
