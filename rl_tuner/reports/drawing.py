"""Figures: names of models and files as their text, and files written whole."""

from __future__ import annotations

import io
import pathlib
from typing import TYPE_CHECKING

from rl_tuner.system.whole_files import write_atomically

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure


def literal(text: str) -> str:
    r"""Text that matplotlib draws as it stands.

    It takes what stands between dollar signs for a formula. What its font has no glyph
    for, as Chinese, is written as in Python, \u6700: boxes would tell no two apart.
    """
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties())
    glyphs = font_manager.get_font(path).get_charmap()
    drawn = (
        char
        if char == "\n" or ord(char) in glyphs
        else char.encode("unicode_escape").decode()
        for char in text
    )
    return "".join(drawn).replace("$", r"\$")


def write(figure: Figure, path: str | os.PathLike, dpi: int) -> None:
    """Writes a figure as PNG; what is there already stays until it is whole."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    write_atomically(pathlib.Path(path), picture.getvalue())
