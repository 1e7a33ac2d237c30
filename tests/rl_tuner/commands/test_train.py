"""The main job and generation, as commands."""

import csv
import json

import numpy as np
import pytest
from binaries import assert_refused, run_binary

from melody_rnn import MelodyTask
from rl_tuner import RLTuner, RLTunerConfig, SequenceRNN


@pytest.fixture(name="prior_dir", scope="module")
def _prior_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("prior")
    SequenceRNN(38, (8,)).save(directory)
    return directory


@pytest.fixture(name="run_dir", scope="module")
def _run_dir(tmp_path_factory, prior_dir):
    directory = tmp_path_factory.mktemp("run") / "run"
    result = run_binary(
        "rl_tuner_train",
        f"--note_rnn_checkpoint_dir={prior_dir}",
        f"--output_dir={directory}",
        "--training_steps=2001",
        "--output_every_nth=500",
        "--num_samples=3",
        "--num_melodies=100",
        "--rule_weights=motif=2,leaps=0",
        is_new=True,
    )
    assert result.returncode == 0, result.stderr
    assert "| Notes excessively repeated" in result.stdout
    return directory


def test_run_leaves_all_that_it_promises(run_dir):
    for folder in ("before", "after"):
        names = {path.name for path in (run_dir / "samples" / folder).iterdir()}
        melodies = {f"melody_0{number}.mid" for number in (1, 2, 3)}
        assert names == melodies | {"piano_roll.png"}
    assert (run_dir / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((run_dir / "tensorboard").glob("events.out.tfevents.*"))
    with open(run_dir / "curves.csv", newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps == [0, 500, 1000, 1500, 2000, 2005]
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert set(metrics) == {"before", "after"}
    assert metrics["before"]["kl"] == 0.0 < metrics["after"]["kl"]
    settings = json.loads((run_dir / "settings.json").read_text())
    assert settings["task_settings"]["rule_weights"] == {"motif": 2.0, "leaps": 0.0}


def test_in_python_it_is_the_same_run(run_dir, prior_dir):
    task = MelodyTask(rule_weights={"motif": 2.0, "leaps": 0.0})
    tuner = RLTuner(SequenceRNN.load(prior_dir), task, RLTunerConfig(algorithm="psi"))
    tuner.train(2001)
    with np.load(run_dir / "q_network" / "weights.npz") as weights:
        for name, ours in tuner.q_network.weight_arrays().items():
            np.testing.assert_array_equal(ours, weights[name], err_msg=name)
    with open(run_dir / "curves.csv", newline="") as file:
        *_, last = csv.DictReader(file)
    assert float(last["epsilon"]) == pytest.approx(0.1)


def test_reward_rnn_is_the_prior_and_the_q_network_is_not(run_dir, prior_dir):
    prior, reward_rnn, q_network = (
        np.load(path / "weights.npz")
        for path in (prior_dir, run_dir / "reward_rnn", run_dir / "q_network")
    )
    for name in prior.files:
        assert prior[name].tobytes() == reward_rnn[name].tobytes()
    assert any((prior[name] != q_network[name]).any() for name in prior.files)


def test_generate_continues_a_primer(run_dir, tmp_path):
    pretty_midi = pytest.importorskip("pretty_midi")
    result = run_binary(
        "rl_tuner_generate",
        f"--run_dir={run_dir}",
        f"--output_dir={tmp_path}",
        "--num_outputs=2",
        "--num_steps=40",
        "--primer_melody=[60, -2, 64, -1]",
    )
    assert result.returncode == 0, result.stderr
    for name in ("melody_01.mid", "melody_02.mid"):
        notes = pretty_midi.PrettyMIDI(str(tmp_path / name)).instruments[0].notes
        assert [note.pitch for note in notes[:2]] == [60, 64]
        # 80 quarters a minute: a sixteenth takes 3/16 of a second.
        np.testing.assert_allclose(
            [(note.start, note.end) for note in notes[:2]],
            [(0.0, 0.375), (0.375, 0.5625)],
            atol=2e-3,
        )


def test_run_is_not_written_over(run_dir, prior_dir):
    result = run_binary(
        "rl_tuner_train",
        f"--note_rnn_checkpoint_dir={prior_dir}",
        f"--output_dir={run_dir}",
    )
    assert_refused(result, "holds a finished run")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--algorithm=sarsa"], "unknown algorithm 'sarsa'; choose one of q, psi"),
        (["--algorithm=sarsa", "--replay=uniform"], "unknown algorithm 'sarsa'"),
        (["--training_steps=-5"], "--training_steps=-5 must be at least 1"),
        (["--training_steps=many"], "--training_steps=many"),
        (["--discount_rate=7"], "discount_rate is 7.0"),
        (["--reward_scaler=nan"], "reward_scaler is nan"),
        (["--rules=swapped"], "unknown rules 'swapped'"),
        (["--rule_weights=keys=2"], "unknown rule 'keys'"),
        (["--task=chess"], "unknown --task=chess; choose one of melody"),
        (["--num_best=4"], "--num_best does nothing for psi; it is for reinforce"),
        (["--algorithm=ppo", "--lowest_share=0.2"], "--lowest_share does nothing for"),
        (["--algorithm=dap", "--replay=uniform"], "--replay does nothing for dap"),
        (["--no_such_flag"], "no_such_flag"),
        (["left over"], "unexpected argument 'left over'"),
        (["--output_dir=/proc/nothing"], "--output_dir=/proc/nothing"),
    ],
)
def test_bad_flags_are_refused_in_one_line(flags, message, tmp_path):
    assert_refused(run_binary("rl_tuner_train", *flags, cwd=tmp_path), message)


def test_bad_checkpoints_are_refused_in_one_line(tmp_path):
    (tmp_path / "corrupt.ckpt").write_bytes(b"\0" * 1000)
    SequenceRNN(35, (8,)).save(tmp_path / "molecules")
    for flag, message in (
        ("--note_rnn_checkpoint_dir=nowhere", "no checkpoint at nowhere"),
        ("--note_rnn_checkpoint_file=corrupt.ckpt", "cannot read the checkpoint"),
        ("--checkpoint_file=corrupt.ckpt", "cannot read the checkpoint"),
        ("--note_rnn_checkpoint_dir=molecules", "35 classes but the task 'melody'"),
    ):
        assert_refused(run_binary("rl_tuner_train", flag, cwd=tmp_path), message)


def test_help_is_worth_reading(tmp_path):
    result = run_binary("rl_tuner_train", "--help", cwd=tmp_path)
    assert result.returncode == 0
    for word in ("Tunes a sequence model", "--algorithm", "--rules", "--num_sequences"):
        assert word in result.stdout
