"""All figures, by name."""

from __future__ import annotations

from figure_making import frontiers, melodies, molecules, reproductions, speed
from figure_making.figure import Figure

FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        *melodies.FIGURES,
        *frontiers.FIGURES,
        *molecules.FIGURES,
        *reproductions.FIGURES,
        *speed.FIGURES,
    )
}
