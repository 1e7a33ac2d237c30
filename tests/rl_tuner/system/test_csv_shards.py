"""Long tables in compressed files, written by runs that are cut."""

import csv
import gzip

import numpy as np
import pytest

from rl_tuner.errors import UserError
from rl_tuner.system import csv_shards
from rl_tuner.system.csv_shards import CsvShards, read_shards


@pytest.fixture(autouse=True)
def _short_shards(monkeypatch):
    monkeypatch.setattr(csv_shards, "LINES_A_SHARD", 10)


def _columns(first, last):
    texts = [f'C"{i}", \n' if i % 3 else "" for i in range(first, last)]
    numbers = [None if i % 5 == 0 else i / 7 for i in range(first, last)]
    return {"step": range(first, last), "text": texts, "number": numbers}


def _files(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def _copied(state):
    return {name: np.array(array) for name, array in state.items()}


def test_what_is_written_is_read(tmp_path):
    shards = CsvShards(tmp_path, "scored")
    for first in range(0, 35, 7):
        shards.add(_columns(first, first + 7))
    shards.flush()
    rows = list(read_shards(tmp_path, "scored"))
    assert [int(row["step"]) for row in rows] == list(range(35))
    assert [row["text"] for row in rows] == _columns(0, 35)["text"]
    assert rows[1]["number"] == "0.1428571"
    assert rows[5]["number"] == ""
    # As any other program reads them.
    with gzip.open(tmp_path / "scored-00003.csv.gz", "rt", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 5


@pytest.mark.parametrize("saved_at", [0, 1, 2, 3])
def test_files_of_a_run_that_was_cut_are_those_of_one_that_was_not(tmp_path, saved_at):
    batches = [(0, 7), (7, 9), (9, 31), (31, 34)]
    uncut = CsvShards(tmp_path / "uncut", "scored")
    cut = CsvShards(tmp_path / "cut", "scored")
    state = _copied(cut.state())
    for number, (first, last) in enumerate(batches):
        uncut.add(_columns(first, last))
        cut.add(_columns(first, last))
        cut.flush()
        if number + 1 == saved_at:
            state = _copied(cut.state())
    uncut.flush()
    # What the first process left half, and what it wrote after its last save.
    (tmp_path / "cut" / ".scored-00001.csv.gz.1.tmp").write_bytes(b"half")
    resumed = CsvShards(tmp_path / "cut", "scored")
    resumed.restore(state)
    for first, last in batches[saved_at:]:
        resumed.add(_columns(first, last))
    resumed.flush()
    ours, theirs = _files(tmp_path / "cut"), _files(tmp_path / "uncut")
    ours.pop(".scored-00001.csv.gz.1.tmp", None)
    assert ours == theirs


def test_a_run_that_saved_nothing_leaves_nothing_to_the_next(tmp_path):
    for number in (34, 5):
        shards = CsvShards(tmp_path, "scored")
        shards.add(_columns(0, number))
        shards.flush()
    assert len(list(read_shards(tmp_path, "scored"))) == 5


def test_missing_and_damaged_files_are_named(tmp_path):
    shards = CsvShards(tmp_path, "scored")
    shards.add(_columns(0, 25))
    state = _copied(shards.state())
    path = tmp_path / "scored-00001.csv.gz"
    whole = path.read_bytes()
    for damaged in (whole[:-9], b"no gzip", whole[:20] + b"?" + whole[21:]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"scored-00001\.csv\.gz is damaged"):
            list(read_shards(tmp_path, "scored"))
    path.unlink()
    with pytest.raises(UserError, match=r"scored-00001\.csv\.gz is missing, which"):
        CsvShards(tmp_path, "scored").restore(state)
