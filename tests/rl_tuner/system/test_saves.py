import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.system import saves as training_state

ARRAYS = {"a/b": np.arange(6.0).reshape(2, 3), "n": np.array(7, np.int64)}


def test_save_comes_back_and_the_last_two_are_kept(tmp_path):
    assert training_state.load_latest(tmp_path) is None
    for step in (5, 10, 100):
        training_state.save(tmp_path, step, ARRAYS, {"curves": [{"loss": 0.1}]})
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "step_000000000010",
        "step_000000000100",
    ]
    saved = training_state.load_latest(tmp_path)
    assert saved.step == 100
    assert saved.record == {"curves": [{"loss": 0.1}]}
    assert set(saved.arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(saved.arrays[name], array)


@pytest.fixture(name="saves")
def _saves(tmp_path):
    training_state.save(tmp_path, 1, {"n": np.array(1)}, {})
    training_state.save(tmp_path, 2, ARRAYS, {"some": "record"})
    return tmp_path


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json"])
def test_every_damaged_byte_is_found(saves, name):
    path = saves / "step_000000000002" / name
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:size] for size in rng.integers(0, len(whole), 40)]
    for _ in range(200):
        flipped = bytearray(whole)
        flipped[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        damaged.append(bytes(flipped))
    for data in damaged:
        path.write_bytes(data)
        warnings = []
        saved = training_state.load_latest(saves, warnings.append)
        # White space in JSON may change without a change of what it says.
        if saved.step == 2:
            assert saved.record == {"some": "record"}
            assert not warnings
        else:
            assert saved.step == 1
            assert len(warnings) == 1
            assert "step_000000000002 is damaged" in warnings[0]


def test_all_damaged_is_refused(saves):
    for path in saves.glob("*/manifest.json"):
        path.write_text("")
    with pytest.raises(UserError, match=r"every save in .* is damaged"):
        training_state.load_latest(saves, lambda _: None)


def test_going_on_from_an_earlier_save_drops_the_damaged_one(saves):
    """It would count as one of the last two, and be found again and again."""
    (saves / "step_000000000002" / "arrays.npz").write_bytes(b"")
    assert training_state.load_latest(saves, lambda _: None).step == 1
    training_state.save(saves, 2, ARRAYS, {})
    assert training_state.load_latest(saves).step == 2
    (saves / "step_000000000002" / "arrays.npz").write_bytes(b"")
    training_state.save(saves, 1, ARRAYS, {})
    assert [path.name for path in saves.iterdir()] == ["step_000000000001"]


def test_save_that_was_cut_leaves_nothing_for_good(saves, monkeypatch):
    monkeypatch.setattr(training_state.os, "rename", _killed)
    monkeypatch.setattr(training_state.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(_Killed):
        training_state.save(saves, 3, ARRAYS, {})
    monkeypatch.undo()
    assert len(list(saves.iterdir())) == 3
    assert training_state.load_latest(saves).step == 2
    training_state.save(saves, 3, ARRAYS, {})
    assert len(list(saves.iterdir())) == 2


class _Killed(Exception):
    pass


def _killed(*_):
    raise _Killed


def test_save_under_the_name_of_another_is_found(saves):
    (saves / "step_000000000002").rename(saves / "step_000000000009")
    warnings = []
    assert training_state.load_latest(saves, warnings.append).step == 1
    assert "it is of step 2" in warnings[0]


def test_failing_save_leaves_the_last_one(saves):
    class Unsavable:
        def __array__(self, dtype=None, copy=None):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        training_state.save(saves, 3, {**ARRAYS, "x": Unsavable()}, {})
    assert training_state.load_latest(saves).step == 2
    assert len(list(saves.iterdir())) == 2


@pytest.mark.parametrize(
    ("algorithm", "mode"),
    [
        ("psi", "egreedy"),
        pytest.param("g", "boltzmann", marks=pytest.mark.learning),
    ],
)
def test_restored_run_goes_on_as_if_it_had_not_been_cut(tmp_path, algorithm, mode):
    prior = SequenceRNN(5, (6,))
    config = RLTunerConfig(
        algorithm=algorithm,
        exploration_mode=mode,
        reference_g_update=True,
        replay_capacity=210,  # wraps around
        exploration_steps=400,
    )
    uncut = RLTuner(prior, CountingTask(), config)
    uncut.train(250)
    training_state.save(tmp_path, uncut.step, uncut.state(), {})
    uncut.train(150)
    resumed = RLTuner(prior, CountingTask(), config)
    resumed.restore(training_state.load_latest(tmp_path).arrays)
    assert resumed.step == 250
    resumed.train(150)
    ours, theirs = resumed.state(), uncut.state()
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert ours[name].tobytes() == value.tobytes(), name
