"""The notebook runs from its first cell to its last, with less training."""

import json
import pathlib

import matplotlib
import numpy as np
import pytest

pytestmark = pytest.mark.docs

NOTEBOOK = pathlib.Path(__file__).parents[2] / "rl_tuner" / "rl_tuner.ipynb"
SMALL = {"STEPS = 300_000": "STEPS = 400", "MELODIES = 1_000": "MELODIES = 20"}


@pytest.mark.skipif(not NOTEBOOK.exists(), reason="the notebook is not here: Bazel")
def test_notebook_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells), "clear the outputs"
    source = "\n".join(
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
    )
    for long, short in SMALL.items():
        assert long in source
        source = source.replace(long, short)
    names = {"__name__": "__main__"}
    exec(compile(source, str(NOTEBOOK), "exec"), names)
    assert [point.step for point in names["progress"]][-1] == 400
    assert names["measured"]["untuned"]["kl"] == 0.0
    assert all(names["measured"][each]["kl"] > 0 for each in ("tuned", "with our rule"))
    shown = capsys.readouterr().out
    assert "{'motif': 3.0}" in shown
    # Its task counts motifs three times.
    plain, motifs = (names["task"], names["own_task"])
    motif_melody = np.array([[14, 16, 18, 14, 16, 18, 14, 16] * 4])
    assert motifs.rewards(motif_melody).sum() > plain.rewards(motif_melody).sum()
