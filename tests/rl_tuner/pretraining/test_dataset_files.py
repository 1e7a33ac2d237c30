import os
import pathlib

import pytest

from rl_tuner.errors import UserError
from rl_tuner.pretraining import dataset_files

_OLD = {"a.txt": b"old a", "b.txt": b"old b", "done.json": b"old"}
_NEW = {"a.txt": b"new a", "b.txt": b"new b", "done.json": b"new"}


class _Killed(BaseException):
    pass


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_new_files_replace_the_old(tmp_path):
    dataset_files.publish(tmp_path, _OLD, "done.json")
    dataset_files.publish(tmp_path, _NEW, "done.json")
    assert _content(tmp_path) == _NEW


def test_stale_files_go(tmp_path):
    dataset_files.publish(tmp_path, _OLD, "done.json")
    (tmp_path / "mine.md").write_text("not of the dataset")

    def write(folder):
        (folder / "a.txt").write_bytes(b"new a")
        (folder / "done.json").write_bytes(b"new")

    dataset_files.publish_folder(tmp_path, write, "done.json", ["*.txt"])
    assert sorted(_content(tmp_path)) == ["a.txt", "done.json", "mine.md"]


def test_a_cut_at_any_moment_leaves_the_old_dataset_none_or_the_new(
    tmp_path, monkeypatch
):
    """A description stands for a whole dataset, wherever the process ends."""
    moments = {"replace": os.replace, "unlink": pathlib.Path.unlink}
    outcomes = set()
    for cut_at in range(1, 20):
        folder = tmp_path / str(cut_at)
        folder.mkdir()
        dataset_files.publish(folder, _OLD, "done.json")
        left = [cut_at]

        def countdown(real, left=left):
            def call(*arguments, **keywords):
                left[0] -= 1
                if left[0] == 0:
                    raise _Killed
                return real(*arguments, **keywords)

            return call

        monkeypatch.setattr(os, "replace", countdown(moments["replace"]))
        monkeypatch.setattr(pathlib.Path, "unlink", countdown(moments["unlink"]))
        try:
            dataset_files.publish(folder, _NEW, "done.json")
        except _Killed:
            finished = False
        else:
            finished = True
        monkeypatch.undo()
        content = {k: v for k, v in _content(folder).items() if k in _OLD}
        if "done.json" in content:
            assert content in (_OLD, _NEW)
        outcomes.add(content.get("done.json"))
        dataset_files.publish(folder, _NEW, "done.json")  # and the next run mends it
        assert _content(folder) == _NEW
        if finished:
            break
    assert finished
    assert outcomes == {b"old", None, b"new"}


def test_remains_of_a_killed_run_are_cleared(tmp_path):
    remains = tmp_path / ".unfinished-abc"
    remains.mkdir()
    (remains / "a.txt").write_text("half")
    dataset_files.publish(tmp_path, _NEW, "done.json")
    assert _content(tmp_path) == _NEW


def test_a_full_disk_is_one_line(tmp_path):
    def write(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write to .*: No space left"):
        dataset_files.publish_folder(tmp_path, write, "done.json")
    assert not list(tmp_path.iterdir())
