import warnings

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rl_tuner.reports import drawing


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("best$_$v2", r"best\$_\$v2"),
        ("a $5 run", r"a \$5 run"),
        ("Größe ψ C♯", "Größe ψ C♯"),
        ("最好 1", r"\u6700\u597d 1"),
        ("bater\udceda", r"bater\udceda"),
        ("tab\tand\nline", "tab\\tand\nline"),
    ],
)
def test_any_name_is_drawn_as_it_stands(tmp_path, name, drawn):
    assert drawing.literal(name) == drawn
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.suptitle(drawing.literal(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing.write(figure, tmp_path / "a.png", dpi=50)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
