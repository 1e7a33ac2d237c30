import os
import pathlib

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

from rl_tuner.reports.tensorboard_curves import TensorBoardCurves


def test_points_are_written(tmp_path):
    curves = TensorBoardCurves(tmp_path, print)
    curves.write(10, {"a/b": 1.5, "c": 2.0})
    curves.write(20, {"a/b": 2.5})
    events = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    points = [
        (event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
        for event in events.Tensors("a/b")
    ]
    assert points == [(10, 1.5), (20, 2.5)]


def test_folder_may_have_a_name_of_any_encoding(tmp_path):
    folder = os.fsencode(tmp_path) + b"/r\xfcn"
    told = []
    TensorBoardCurves(pathlib.Path(os.fsdecode(folder)), told.append).write(1, {"a": 1})
    assert told == []
    assert len(os.listdir(folder)) == 1


def test_where_nothing_can_be_written_it_is_told_once(tmp_path):
    (tmp_path / "file").touch()
    told = []
    curves = TensorBoardCurves(tmp_path / "file", told.append)
    for step in (1, 2):
        curves.write(step, {"a": 1.0})
    assert len(told) == 1
    assert "TensorBoard's curves end at step 1" in told[0]
    assert "\n" not in told[0]
