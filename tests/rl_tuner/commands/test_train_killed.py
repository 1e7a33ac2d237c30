"""Runs that are killed at random moments end as the run that was not."""

import functools
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest
from binaries import assert_refused, run_binary
from tiny_smiles_rnn import tiny_smiles_rnn

from rl_tuner.networks.sequence_rnn import SequenceRNN

pytestmark = pytest.mark.death

KILLS = 3  # of each of the settings below
KILLS_OF_OTHERS = 1  # of each other algorithm, in either world
PATIENCE = 3600.0  # seconds, on a machine that does other things too
SCRIPT = pathlib.Path(sys.executable).with_name("rl_tuner_train")


# A look at the clock every thousand steps, so that there are many saves to hit.
TASKS = {
    "melody": [
        "--training_steps=100000",
        "--output_every_nth=1000",
        "--replay_capacity=20000",
        "--num_melodies=100",
    ],
    "molecule": [
        "--training_steps=80000",
        "--output_every_nth=1000",
        "--algorithm=g",
        "--replay_capacity=2000",
        "--replay=prioritized",
        "--replay_mode=whole_sequence",
        "--trace_decay=0.9",
        "--num_melodies=20",
        "--max_length=12",
        "--num_sequences=20",
        "--train_every_nth=20",
        "--rounds_per_scoring=10",
        "--minibatch_size=16",
        "--write_scored",
    ],
    "melody by policy gradients": [
        "--training_steps=120000",
        "--output_every_nth=2000",
        "--num_melodies=100",
        "--algorithm=ppo",
        "--target_kl=0.2",
        "--num_best=4",
    ],
    "molecule by policy gradients": [
        "--training_steps=40000",
        "--output_every_nth=500",
        "--num_melodies=20",
        "--algorithm=reinforce",
        "--max_length=12",
        "--num_sequences=20",
        "--write_scored",
        "--diversity_filter",
    ],
}


_MOLECULES = [
    "--training_steps=20000",
    "--output_every_nth=1000",
    "--num_melodies=20",
    "--max_length=12",
    "--num_sequences=20",
]
_MOLECULES_BY_STEPS = [
    *_MOLECULES,
    "--replay_capacity=2000",
    "--train_every_nth=20",
    "--rounds_per_scoring=10",
    "--minibatch_size=16",
]
_MELODIES = [
    "--training_steps=40000",
    "--output_every_nth=1000",
    "--num_melodies=50",
]
TASKS |= {
    f"melody by {name}": [*_MELODIES, f"--algorithm={name}"]
    for name in ("q", "g", "pure_rl", "reinforce", "dap")
}
TASKS |= {
    f"molecule by {name}": [
        *_MOLECULES_BY_STEPS,
        f"--algorithm={name}",
        f"--initial_values={'median' if name == 'g' else 'prior'}",
    ]
    for name in ("q", "psi", "g", "pure_rl")
}
TASKS |= {
    f"molecule by {name}": [*_MOLECULES, f"--algorithm={name}"]
    for name in ("ppo", "dap")
}
_MAIN = ("melody", "molecule", *(name for name in TASKS if "gradients" in name))


def _command(task, prior, directory):
    return [
        str(SCRIPT),
        f"--task={task.split()[0]}",
        f"--note_rnn_checkpoint_dir={prior}",
        f"--output_dir={directory}",
        "--save_every_secs=0.1",
        *TASKS[task],
    ]


def _files(directory):
    """What the run left, but for TensorBoard's files, which hold the time."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "tensorboard" not in path.parts and path.name != ".lock"
    }


@pytest.fixture(name="whole", scope="class")
def _whole(request, tmp_path_factory):
    """The task, its prior, and all that an uncut run left."""
    directory, task = tmp_path_factory.mktemp(request.param), request.param
    is_melody = task.startswith("melody")
    prior = SequenceRNN(38, (8,)) if is_melody else tiny_smiles_rnn()
    prior.save(directory / "prior")
    command = _command(task, directory / "prior", directory / "uncut")
    subprocess.run(command, check=True, timeout=PATIENCE)
    return task, directory / "prior", _files(directory / "uncut")


def _assert_same(directory, files):
    ours = _files(directory)
    assert set(ours) == set(files)
    for name, data in files.items():
        assert ours[name] == data, name


def _until_saved(process, saves, known):
    """Waits until there is another save than those that are known."""
    started = time.monotonic()
    while process.poll() is None and time.monotonic() - started < PATIENCE:
        if set(saves.glob("step_*")) - known:
            break
        time.sleep(0.01)


class _Deaths:
    """What every algorithm must outlive."""

    def test_killed_runs_end_bit_by_bit_as_the_uncut(self, whole, tmp_path):
        task, prior, files = whole
        wanted = KILLS if task in _MAIN else KILLS_OF_OTHERS
        moments, directory, kills = random.Random(0), tmp_path / "cut", 0
        while True:
            # From within the first save on: earlier there is nothing to lose.
            known = set((directory / "saves").glob("step_*"))
            with subprocess.Popen(_command(task, prior, directory)) as process:
                if kills < wanted:
                    _until_saved(process, directory / "saves", known)
                    time.sleep(moments.uniform(0.0, 0.6))
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                code = process.wait(timeout=PATIENCE)
            if code == 0:
                break
            assert code == -signal.SIGKILL
        assert kills == wanted
        _assert_same(directory, files)

    def test_run_that_is_stopped_and_damaged_ends_bit_by_bit_as_the_uncut(
        self, whole, tmp_path
    ):
        task, prior, files = whole
        if task not in _MAIN:
            pytest.skip("its saves are as those of the others")
        directory = tmp_path / "cut"
        saves = directory / "saves"
        command = _command(task, prior, directory)

        def stop(number):
            """What a run that is asked to stop says; it must have saved."""
            known = set(saves.glob("step_*"))
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen(command, **pipes) as process:
                _until_saved(process, saves, known)
                process.send_signal(number)
                out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 128 + number
            last = max(saves.glob("step_*")).name.removeprefix("step_").lstrip("0")
            assert f"stopped at step {last}; --output_dir={directory} resumes" in out
            return err, last

        _, last = stop(signal.SIGTERM)
        newest = max(saves.glob("step_*")) / "arrays.npz"
        data = bytearray(newest.read_bytes())
        data[len(data) // 2] ^= 1
        newest.write_bytes(data)
        told, _ = stop(signal.SIGINT)
        assert f"{newest.parent} is damaged" in told
        assert f"resuming from step {last}" not in told

        settings = directory / "settings.json"
        text = settings.read_bytes()
        settings.write_bytes(text.replace(b'"seed": 0', b'"seed": 1'))
        refused = run_binary(SCRIPT.name, *command[1:], timeout=PATIENCE)
        assert_refused(refused, "settings.json is damaged")
        settings.write_bytes(text)

        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            next(line for line in process.stderr if "resuming from step" in line)
            second = run_binary(SCRIPT.name, *command[1:], timeout=PATIENCE)
            assert_refused(second, "another process is training")
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
        _assert_same(directory, files)

    def test_run_that_sleeps_and_is_moved_ends_bit_by_bit_as_the_uncut(
        self, whole, tmp_path
    ):
        task, prior, files = whole
        if task != "melody":
            pytest.skip("one is enough")
        directory = tmp_path / "cut"
        # Not under nohup, though the tests may run so.
        heeding = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
        command = _command(task, prior, directory)
        with subprocess.Popen(command, preexec_fn=heeding) as process:
            _until_saved(process, directory / "saves", set())
            process.send_signal(signal.SIGSTOP)
            time.sleep(5.0)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.5)
            process.send_signal(signal.SIGHUP)  # its terminal is closed
            assert process.wait(timeout=PATIENCE) == 128 + signal.SIGHUP
        moved = directory.rename(tmp_path / "elsewhere")
        subprocess.run(_command(task, prior, moved), check=True, timeout=PATIENCE)
        _assert_same(moved, files)


def _tasks(world):
    tasks = [name for name in TASKS if name.startswith(world)]
    return pytest.mark.parametrize("whole", tasks, indirect=True, scope="class")


# Classes, for each of which there is a process of its own.
@_tasks("melody")
class TestDeathsOfMelodies(_Deaths):
    pass


@_tasks("molecule")
class TestDeathsOfMolecules(_Deaths):
    pass
