"""Pictures of melodies, be they of two bars or of a day."""

import matplotlib.axis
import matplotlib.image

from melody_rnn.notation import piano_roll


def test_long_melody_is_drawn_with_few_lines(tmp_path, monkeypatch):
    ticks = []
    real = matplotlib.axis.Axis.set_ticks
    monkeypatch.setattr(
        matplotlib.axis.Axis,
        "set_ticks",
        lambda self, places, *rest, **more: (
            ticks.append(len(list(places))),
            real(self, places, *rest, **more),
        )[1],
    )
    path = tmp_path / "roll.png"
    piano_roll.plot_piano_rolls([[14, 0, 16, 1] * 25_000], "long", path)
    assert max(ticks) <= 130
    assert matplotlib.image.imread(path).shape[1] == 9 * 120
