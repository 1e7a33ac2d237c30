"""A dataset made on a Beam runner is, byte for byte, the one made here."""

import functools

import pytest
from beam_runner import RUNNER, needs_beam

from melody_rnn.note_rnn import tune_reading_jobs
from melody_rnn.note_rnn.dataset import DatasetConfig, create_dataset
from rl_tuner.errors import UserError

_HEAD = "M:4/4\nL:1/16\nK:C\n"


@pytest.fixture(name="folder")
def _folder(tmp_path):
    """Forty books of two tunes each, one of them a copy, and a file of no tune."""
    root = tmp_path / "tunes"
    root.mkdir()
    for book in range(40):
        text = ""
        for tune in range(2):
            notes = "CDEFGABc"[(book + tune) % 5 :] + "CEGc"[: 1 + book % 4]
            text += f"X:{tune}\nT:{tune}\n{_HEAD}" + "2".join(notes * 5) + "|\n\n"
        (root / f"{book:02}.abc").write_text(text)
    (root / "prose.abc").write_text("no tune here")
    return root


def _made(folder, output, runner):
    output.mkdir()
    read_files = None
    if runner:
        read_files = functools.partial(
            tune_reading_jobs.read_files, shared_directory=output, runner=runner
        )
    config = DatasetConfig(source=str(folder), eval_ratio=0.2, num_shards=3)
    create_dataset(config, output, read_files=read_files)
    return {path.name: path.read_bytes() for path in output.iterdir()}


@needs_beam
def test_beam_makes_the_same_files(folder, tmp_path):
    plain = _made(folder, tmp_path / "plain", None)
    on_beam = _made(folder, tmp_path / "on_beam", RUNNER)
    assert len(plain) == 7
    assert b"no tune: ABC" in plain["dataset.json"]
    assert on_beam == plain


def test_jobs_make_the_same_files_here(folder, tmp_path):
    plain = _made(folder, tmp_path / "plain", None)
    assert _made(folder, tmp_path / "jobs", "local") == plain


def test_no_runner_of_that_name(folder, tmp_path):
    with pytest.raises(UserError, match=r"--runner=Nobody"):
        _made(folder, tmp_path / "out", "Nobody")
