import contextlib
import dataclasses
import itertools
import signal
import subprocess
import sys

import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.runs import resuming, training_run
from rl_tuner.runs.run_directory import RunSettings
from rl_tuner.system import saves
from rl_tuner.system.stop_request import Stopped, StopRequest
from rl_tuner.training import stretch

SETTINGS = RunSettings(
    "melody", {"rules": "paper"}, "/prior", 100, {"seed": 0}, {"num_samples": 3}
)


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"task_settings": {"rules": "corrected"}}, "--rules is corrected"),
        ({"prior": "/other"}, "--note_rnn_checkpoint_dir is /other"),
        ({"training_steps": 200}, "--training_steps is 200"),
        ({"config": {"seed": 7}}, "--seed is 7, but the run was begun with 0"),
        ({"outputs": {}}, "--num_samples is none"),
        (
            {"task_settings": {"rules": "paper", "scoring": "my.toml"}},
            "--scoring is my.toml, but the run was begun with none;",
        ),
    ],
)
def test_changed_flag_is_refused_with_both_values(change, flag):
    resuming.refuse_changes(SETTINGS, dataclasses.replace(SETTINGS), {})
    with pytest.raises(UserError, match=flag):
        resuming.refuse_changes(SETTINGS, dataclasses.replace(SETTINGS, **change), {})


def test_run_of_an_earlier_version_has_the_defaults_of_later_flags():
    now = dataclasses.replace(
        SETTINGS, config={"seed": 0, "replay": "uniform"}, prior_sha256="12"
    )
    resuming.refuse_changes(SETTINGS, now, {"replay": "uniform", "seed": 5})
    with pytest.raises(UserError, match=r"--replay is uniform, but .* prioritized"):
        resuming.refuse_changes(SETTINGS, now, {"replay": "prioritized"})


def test_other_weights_under_the_same_name_are_refused():
    begun = dataclasses.replace(SETTINGS, prior_sha256="a" * 64)
    asked = dataclasses.replace(SETTINGS, prior_sha256="b" * 64)
    with pytest.raises(UserError, match=r"model /prior has changed .*aaa, now bbb"):
        resuming.refuse_changes(begun, asked, {})


def test_other_contents_under_the_same_name_are_refused():
    begun = dataclasses.replace(SETTINGS, contents={"the module m.py": "a" * 64})
    asked = dataclasses.replace(SETTINGS, contents={"the module m.py": "b" * 64})
    resuming.refuse_changes(begun, dataclasses.replace(begun), {})
    resuming.refuse_changes(SETTINGS, asked, {})  # begun by an earlier version
    with pytest.raises(
        UserError, match=r"the module m.py has .* aaa.*, now bbb.*--res"
    ):
        resuming.refuse_changes(begun, asked, {})


def test_second_process_is_refused_until_the_first_ends(tmp_path):
    code = (
        "import pathlib, sys, time; from rl_tuner.runs import resuming; "
        "held = resuming.lock(pathlib.Path(sys.argv[1])); print('held', flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="another process is training"):
            resuming.lock(tmp_path)
        other.kill()
    resuming.lock(tmp_path).close()


def test_directory_that_was_set_aside_meanwhile_is_not_locked(tmp_path, monkeypatch):
    directory = tmp_path / "run"
    directory.mkdir()
    real_flock = resuming.fcntl.flock

    def flock_late(*args):
        resuming.set_aside(directory)
        directory.mkdir()
        real_flock(*args)

    monkeypatch.setattr(resuming.fcntl, "flock", flock_late)
    with pytest.raises(UserError, match=r"another process|cannot lock"):
        resuming.lock(directory)


def test_directory_is_set_aside_under_a_free_name(tmp_path):
    for number in (1, 2):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "kept").touch()
        aside = resuming.set_aside(tmp_path / "run")
        assert aside.name == f"run.set_aside_00{number}"
        assert (aside / "kept").exists()
        assert not (tmp_path / "run").exists()


def test_first_signal_is_noted_and_the_second_ends(request):
    # Jobs in the background begin deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with StopRequest() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        assert stop.signal_number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("before", "is_heard"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)]
)
def test_closed_terminal_is_a_request_but_not_under_nohup(request, before, is_heard):
    kept = signal.signal(signal.SIGHUP, before)
    request.addfinalizer(lambda: signal.signal(signal.SIGHUP, kept))
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop() == is_heard
    assert signal.getsignal(signal.SIGHUP) == before


def test_request_is_heard_at_once_where_nothing_is_to_be_saved(request):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with StopRequest() as stop:
        with stop.at_once():
            pass
        with pytest.raises(KeyboardInterrupt), stop.at_once():
            signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt), stop.at_once():  # asked before
            raise AssertionError


def test_run_that_is_stopped_while_the_prior_is_measured_ends_there(tmp_path):
    tuner, asked = _make_tuner(), []

    @contextlib.contextmanager
    def at_once():
        asked.append(True)
        raise KeyboardInterrupt
        yield

    outputs = _outputs(
        tmp_path, should_stop=lambda: bool(asked), stopping_at_once=at_once
    )
    with pytest.raises(Stopped, match="step 0"):
        training_run.run(tuner, SequenceRNN(5, (6,)), 100, outputs)


def _make_tuner():
    config = RLTunerConfig(replay_capacity=300, exploration_steps=500)
    prior = SequenceRNN(5, (6,))
    rng = np.random.default_rng(0)
    prior.set_weights([rng.normal(size=v.shape) for v in prior.get_weights()])
    return RLTuner(prior, CountingTask(), config)


@pytest.fixture(name="tuner", scope="module")
def _tuner():
    """Compiled once: `_train` brings it back to its start."""
    tuner = _make_tuner()
    return tuner, {name: np.array(value) for name, value in tuner.state().items()}


def _outputs(directory, **settings):
    return training_run.Outputs(directory, 150, 1, 1, "title", **settings)


def _train(tuner, directory, note=lambda _: None, **settings):
    """All of the run's state at its end."""
    directory.mkdir(exist_ok=True)
    tuner, start = tuner
    tuner.restore(start)
    outputs = _outputs(directory, **settings)
    training_run.train_and_save(tuner, 600, outputs, note)
    return {name: value.tobytes() for name, value in tuner.state().items()}


class _Interrupted(Exception):
    """A cut without a chance to save."""


def test_run_that_is_stopped_and_cut_ends_as_the_uncut(tuner, tmp_path, monkeypatch):
    uncut = _train(tuner, tmp_path / "uncut")
    monkeypatch.setattr(stretch, "_PART", 0.0)  # a look at the clock every round
    looks = itertools.count(1)
    with pytest.raises(Stopped) as stopped:
        _train(tuner, tmp_path / "cut", should_stop=lambda: next(looks) == 43)
    assert stopped.value.step == 43 * 5  # between two points of the curves

    def cut_at_450(progress):
        if progress.step == 450:
            raise _Interrupted

    with pytest.raises(_Interrupted):
        _train(tuner, tmp_path / "cut", cut_at_450, save_every=0.0)
    assert saves.load_latest(tmp_path / "cut" / "saves").step == 445
    monkeypatch.undo()
    # By a tuner that has seen nothing of the run, as after the end of a process.
    other = _make_tuner()
    resumed = _train((other, dict(other.state())), tmp_path / "cut")
    assert resumed == uncut
    for name in ("curves.csv", "q_network/weights.npz", "reward_rnn/weights.npz"):
        ours, theirs = (tmp_path / run / name for run in ("cut", "uncut"))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_run_whose_progress_nobody_reads_any_more_is_saved(tuner, tmp_path):
    def note(progress):
        if progress.step >= 200:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        _train(tuner, tmp_path / "run", note, save_every=1000.0)
    assert saves.load_latest(tmp_path / "run" / "saves").step >= 200


def test_failing_save_is_told_and_the_training_goes_on(
    tuner, tmp_path, monkeypatch, capsys
):
    real_save, failures = saves.save, iter([True, True])

    def save(*args):
        if next(failures, False):
            raise OSError(28, "No space left on device")
        real_save(*args)

    monkeypatch.setattr(saves, "save", save)
    _train(tuner, tmp_path / "run", save_every=0.0)
    told = capsys.readouterr().err
    assert told.count("cannot save step") == 2
    assert "No space left on device" in told
    assert saves.load_latest(tmp_path / "run" / "saves").step == 600
