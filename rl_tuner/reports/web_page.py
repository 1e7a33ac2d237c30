"""One HTML page with everything inside it: tables, pictures, sound and files."""

from __future__ import annotations

import base64
import html
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rl_tuner.reports.comparison import Cell

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: .85rem; }
.wide { overflow-x: auto; }
td, th { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
.better { font-weight: bold; } .worse::after { content: "†"; }
small { color: #666; font-weight: normal; }
img { max-width: 100%; height: auto; } audio { vertical-align: middle; }
.melodies { display: grid; gap: 1rem 2rem;
            grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); }
.drawings { display: grid; gap: 1rem;
            grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.drawings figure { margin: 0; border: 1px solid #ddd; padding: .5rem; }
.drawings svg { display: block; width: 100%; height: auto; }
.drawings figcaption { font: .75rem/1.4 ui-monospace, monospace;
                       overflow-wrap: anywhere; }
.drawings table { width: 100%; font-size: .75rem; } .drawings td { padding: 0 .2rem; }
"""
PAGE_NAME = "index.html"
_MIME_TYPES = {
    ".png": "image/png",
    ".wav": "audio/wav",
    ".mid": "audio/midi",
    ".txt": "text/plain",
    ".csv": "text/csv",
}


class Drawing(NamedTuple):
    """Something drawn, with its figures.

    Attributes:
      svg: an `<svg>` element, without an XML declaration.
      caption: what stands below.
      figures: below that, by what they are called.
    """

    svg: str
    caption: str
    figures: Mapping[str, str]


class WebPage:
    """Collects the parts of a page, from top to bottom."""

    def __init__(self, title: str):
        self._title = title
        self._parts = [f"<h1>{html.escape(title)}</h1>"]

    def heading(self, text: str, level: int = 2) -> None:
        """Adds a heading."""
        self._parts.append(f"<h{level}>{html.escape(text)}</h{level}>")

    def paragraphs(self, texts: Iterable[str]) -> None:
        """Adds plain text."""
        self._parts += [f"<p>{html.escape(text)}</p>" for text in texts]

    def table(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Adds a table; the first row is its header."""
        header = "".join(f"<th>{html.escape(cell.figure)}</th>" for cell in rows[0])
        lines = [f"<tr>{header}</tr>"]
        for row in rows[1:]:
            cells = "".join(
                f'<td><span class="{cell.verdict}">{html.escape(cell.figure)}</span> '
                f"<small>{html.escape(cell.errors)}</small></td>"
                for cell in row
            )
            lines.append(f"<tr>{cells}</tr>")
        self._parts.append(
            '<div class="wide"><table>' + "\n".join(lines) + "</table></div>"
        )

    def picture(self, path: pathlib.Path, description: str) -> None:
        """Adds a picture."""
        self._parts.append(
            f'<p><img src="{_data_uri(path)}" alt="{html.escape(description)}"></p>'
        )

    def drawings(self, drawings: Iterable[Drawing]) -> None:
        """Adds drawings side by side."""
        self._parts.append('<div class="drawings">')
        for drawing in drawings:
            rows = "".join(
                f"<tr><td>{html.escape(name)}</td><td>{html.escape(figure)}</td></tr>"
                for name, figure in drawing.figures.items()
            )
            caption = html.escape(drawing.caption)
            self._parts.append(
                f"<figure>{drawing.svg}<figcaption>{caption}<table>{rows}</table>"
                "</figcaption></figure>"
            )
        self._parts.append("</div>")

    def samples(self, folders: dict[str, pathlib.Path]) -> None:
        """Adds what is in folders of samples, by their label.

        Pictures are shown, sounds can be played, and other files saved.
        """
        self._parts.append('<div class="melodies">')
        for label, folder in folders.items():
            self._parts.append(f"<section><h3>{html.escape(label)}</h3>")
            files = sorted(path for path in folder.iterdir() if path.is_file())
            for path in (path for path in files if path.suffix == ".png"):
                self.picture(path, f"{label}: {path.stem}")
            for path in (path for path in files if path.suffix == ".wav"):
                player = f'<audio controls src="{_data_uri(path)}"></audio>'
                self._parts.append(f"<p>{html.escape(path.stem)} {player}</p>")
            links = [
                '<a download="{0}" href="{1}">{0}</a>'.format(
                    html.escape(path.name), _data_uri(path)
                )
                for path in files
                if path.suffix in (".mid", ".txt", ".csv")
            ]
            self._parts.append(f"<p><small>{' '.join(links)}</small></p></section>")
        self._parts.append("</div>")

    def text(self, text: str) -> None:
        """Adds text as it is, line by line, folded away until it is asked for."""
        self._parts.append(
            f"<details><summary>show</summary><pre>{html.escape(text)}</pre></details>"
        )

    def write(self, path: pathlib.Path) -> None:
        """Writes the page."""
        head = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self._title)}</title><style>{_STYLE}</style></head>"
        )
        body = "\n".join(self._parts)
        path.write_text(f"{head}<body>\n{body}\n</body></html>\n", encoding="utf-8")


def _data_uri(path: pathlib.Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f"data:{_MIME_TYPES[path.suffix]};base64,{data}"
