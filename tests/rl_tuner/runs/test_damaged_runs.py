"""Cut, flipped and missing files of a tuning run: the right result, or one line."""

import dataclasses
import pathlib
import shutil

import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.reports import tables
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.runs import resuming, training_run
from rl_tuner.runs.run_directory import RunSettings

NUM_FLIPS = 200
STEPS = 240


class _Cut(Exception):
    """The end of a process."""


class Runs:
    """Runs of one tuner, which is compiled once and brought back to its start."""

    def __init__(self):
        prior = SequenceRNN(5, (6,))
        rng = np.random.default_rng(0)
        prior.set_weights([rng.normal(size=v.shape) for v in prior.get_weights()])
        config = RLTunerConfig(
            replay="prioritized", replay_capacity=100, exploration_steps=200
        )
        self.tuner = RLTuner(prior, CountingTask(), config)
        self.start = dict(self.tuner.state())
        self.settings = RunSettings(
            task="toy",
            task_settings={},
            prior="prior",
            training_steps=STEPS,
            config=dataclasses.asdict(config),
            outputs={"output_every_nth": 60},
            prior_sha256=prior.fingerprint(),
        )

    def go_on(self, directory, cut_after=None, moved_to=None):
        """What the binary does: begins, or goes on from what is there.

        It is cut after a step, or moved to another place.
        """
        directory.mkdir(exist_ok=True)
        self.tuner.restore(self.start)

        def note(progress):
            if progress.step != cut_after:
                return
            if not moved_to:
                raise _Cut
            directory.rename(moved_to)

        with resuming.begin_or_go_on(directory, self.settings, {}):
            outputs = training_run.Outputs(directory, 60, 1, 1, "toy", save_every=0.0)
            training_run.train_and_save(self.tuner, STEPS, outputs, note)

    def result(self, directory):
        """Everything that the run has come to."""
        names = ["curves.csv"]
        names += [
            f"{network}/{name}"
            for network in ("q_network", "reward_rnn")
            for name in ("config.json", "weights.npz")
        ]
        files = {name: (directory / name).read_bytes() for name in names}
        state = {k: v.tobytes() for k, v in self.tuner.state().items()}
        return files | state


@pytest.fixture(name="runs", scope="module")
def _runs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "plot_curves", lambda *_: None)  # a second each
        yield Runs()


@pytest.fixture(name="uncut", scope="module")
def _uncut(runs, tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "uncut"
    runs.go_on(directory)
    return runs.result(directory)


@pytest.fixture(name="whole", scope="module", params=["while it trains", "at its end"])
def _whole(request, runs, tmp_path_factory):
    """A run that was cut, with two saves."""
    directory = tmp_path_factory.mktemp("runs") / "cut"
    if request.param == "at its end":  # all is written but what says so
        runs.go_on(directory)
    else:
        with pytest.raises(_Cut):
            runs.go_on(directory, cut_after=180)
    assert len(list((directory / "saves").iterdir())) == 2
    return directory


def _files(directory):
    return sorted(
        path.relative_to(directory)
        for path in directory.rglob("*")
        if path.is_file() and path.stat().st_size
    )


def _right_or_refused(runs, uncut, whole, directory, damage):
    """Goes on with a damaged copy; returns the refusal, or None."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(whole, directory)
    damage()
    try:
        runs.go_on(directory)
    except UserError as error:
        refusal = str(error)
    else:
        assert runs.result(directory) == uncut
        return None
    assert "\n" not in refusal
    assert str(directory) in refusal
    return refusal


def test_whole_run_goes_on_to_the_right_result(runs, uncut, whole, tmp_path):
    run = tmp_path / "run"
    assert _right_or_refused(runs, uncut, whole, run, lambda: None) is None


def test_run_that_is_moved_while_it_trains_says_so(runs, uncut, tmp_path):
    directory, moved = tmp_path / "run", tmp_path / "moved"
    with pytest.raises(UserError, match="was moved or deleted while it was written"):
        runs.go_on(directory, cut_after=120, moved_to=moved)
    runs.go_on(moved)
    assert runs.result(moved) == uncut


def test_flipped_bits(runs, uncut, whole, tmp_path, capsys):
    rng = np.random.default_rng(0)
    files, run = _files(whole), tmp_path / "run"
    counts = {"refused": 0, "skipped": 0}
    for turn in range(NUM_FLIPS // 2):  # of each of the two runs
        path = run / files[turn % len(files)]

        def flip(path=path):
            data = bytearray(path.read_bytes())
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
            path.write_bytes(bytes(data))

        refusal = _right_or_refused(runs, uncut, whole, run, flip)
        told = capsys.readouterr().err
        if refusal:
            counts["refused"] += 1
            assert "settings.json is damaged" in refusal
        elif "skipped" in told:
            counts["skipped"] += 1
            assert "saves" in path.parts
    assert counts["refused"] > 2
    assert counts["skipped"] > 10


def test_cut_and_missing_files(runs, uncut, whole, tmp_path):
    run = tmp_path / "run"
    for name in _files(whole):
        size = (whole / name).stat().st_size
        for length in (0, size // 2, size - 1, None):

            def cut(path=run / name, length=length):
                if length is None:
                    path.unlink()
                else:
                    path.write_bytes(path.read_bytes()[:length])

            refusal = _right_or_refused(runs, uncut, whole, run, cut)
            # The last byte is the end of a line.
            needed = name == pathlib.Path("settings.json") and length != size - 1
            assert bool(refusal) == needed, (name, length, refusal)


def test_all_saves_damaged_is_refused(runs, uncut, whole, tmp_path):
    run = tmp_path / "run"

    def damage():
        for path in run.glob("saves/*/arrays.npz"):
            path.write_bytes(path.read_bytes()[:-1])

    refusal = _right_or_refused(runs, uncut, whole, run, damage)
    assert "every save" in refusal
    assert "--restart" in refusal
