import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.note_rnn import dataset as note_rnn_dataset
from melody_rnn.note_rnn import sequence_examples, training
from melody_rnn.note_rnn.config import CONFIG_DEFAULTS, TrainingConfig
from melody_rnn.note_rnn.training import EVAL_UNSCORED_STEPS, Data
from melody_rnn.note_rnn.windows import training_windows, whole_melodies
from rl_tuner.errors import UserError
from rl_tuner.formats.writing import export
from rl_tuner.networks.network import Network
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining import report as reports
from rl_tuner.pretraining import run
from rl_tuner.pretraining.scores import score_sequences
from rl_tuner.pretraining.trainer import SequenceTrainer
from rl_tuner.system.stop_request import Stopped

_ROOT = pathlib.Path(__file__).parents[3]
_CONFIG = TrainingConfig(
    layer_sizes=(12,),
    batch_size=8,
    window_steps=16,
    learning_rate=0.02,
    num_training_steps=24,
    eval_every=8,
    patience=100,
)


def _melodies(number, seed, steps=60):
    """Scales up and down with held notes: easy to learn, and no two the same."""
    rng = np.random.default_rng(seed)
    scale = np.array([14, 0, 16, 0, 18, 0, 19, 0, 21, 0, 19, 0, 18, 0, 16, 0])
    rolled = [np.roll(scale, 2 * rng.integers(8)) for _ in range(number)]
    return [np.resize(r, steps + rng.integers(9)).astype(np.int32) for r in rolled]


@pytest.fixture(scope="module")
def data():
    return Data(_melodies(20, 0), _melodies(6, 1), {"made": "by the test"})


def _train(config, data, directory):
    directory.mkdir(exist_ok=True)
    return run.train(config, training.corpus(config, data), directory)


@pytest.fixture(name="whole", scope="module")
def _whole(data, tmp_path_factory):
    """The folder of a finished run of `_CONFIG`, to read or copy, and its report."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, _train(_CONFIG, data, directory)


class _Cut(Exception):
    pass


def test_windows_are_pieces_of_melodies():
    rng = np.random.default_rng(0)
    melodies = [rng.integers(2, 38, n).astype(np.int32) for n in (3, 17, 40, 41, 200)]
    seen_starts = set()
    for batch in training_windows(melodies, 64, 16, 2, seed=1).take(40):
        assert batch.inputs.shape == batch.labels.shape == batch.weights.shape
        rows = zip(*(part.numpy() for part in batch), strict=True)
        for inputs, labels, weights in rows:
            np.testing.assert_array_equal(inputs[1:], labels[:-1])
            assert not weights[:2].any()
            number = 2 + int(weights[2:].sum())  # predictions up to the last weighted
            piece = [*inputs[:1], *labels[: max(number, 2)]]
            found = [
                (index, start)
                for index, melody in enumerate(melodies)
                for start in range(len(melody) - len(piece) + 1)
                if np.array_equal(melody[start : start + len(piece)], piece)
            ]
            assert found
            seen_starts.update(found)
            (index, start) = found[0]
            left = len(melodies[index]) - start - 1
            assert int(weights.sum()) == max(min(left, 16) - 2, 0)
    assert (4, 0) in seen_starts
    assert (4, 200 - 17) in seen_starts


def test_every_step_of_a_long_melody_is_seen_about_as_often():
    melody = np.arange(400, dtype=np.int32)
    seen = np.zeros(400)
    for batch in training_windows([melody], 128, 40, 0, seed=0).take(200):
        seen += np.bincount(batch.labels.numpy().ravel(), minlength=400)
    rate = seen[1:] / seen[1:].mean()
    assert rate.min() > 0.4
    assert rate.max() < 1.7


def test_batches_depend_on_seed_and_number_alone():
    melodies = _melodies(5, 0)
    whole = list(training_windows(melodies, 4, 8, 0, seed=5).take(6))
    later = list(training_windows(melodies, 4, 8, 0, seed=5, first_batch=4).take(2))
    other = next(iter(training_windows(melodies, 4, 8, 0, seed=6)))
    np.testing.assert_array_equal(whole[4].inputs, later[0].inputs)
    np.testing.assert_array_equal(whole[5].labels, later[1].labels)
    assert not np.array_equal(whole[0].inputs, other.inputs)
    assert not np.array_equal(whole[0].inputs, whole[1].inputs)


def test_evaluation_equals_a_melody_at_a_time():
    melodies = [*_melodies(7, 3), np.array([5, 6, 7], np.int32)]
    tf.random.set_seed(0)
    model = SequenceRNN(38, (9,))
    nats, right, number = 0.0, 0, 0
    for melody in melodies:
        logits = model.unroll(melody[np.newaxis, :-1])[0].numpy().astype(float)
        p = np.exp(logits - logits.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        for place in range(8, len(melody) - 1):
            nats -= np.log(p[place, melody[place + 1]])
            right += p[place].argmax() == melody[place + 1]
            number += 1
    score = score_sequences(model, melodies, 3, EVAL_UNSCORED_STEPS)
    assert score.num_predictions == number
    assert score.log_perplexity == pytest.approx(nats / number, rel=1e-5)
    assert score.accuracy == pytest.approx(right / number)
    scored = sum(
        float(tf.reduce_sum(b.weights)) for b in whole_melodies(melodies, 3, 8)
    )
    assert scored == number


def test_it_learns_and_reports(data, tmp_path, capsys):
    config = TrainingConfig(
        layer_sizes=(24,),
        batch_size=16,
        window_steps=24,
        learning_rate=0.03,
        num_training_steps=200,
        eval_every=40,
    )
    report = _train(config, data, tmp_path)
    scores = report["scores"]
    assert scores["note_rnn"]["accuracy"] > 0.9
    assert scores["note_rnn"]["log_perplexity"] < scores["unigram"]["log_perplexity"]
    assert len({score["num_predictions"] for score in scores.values()}) == 1
    out = capsys.readouterr().out
    assert re.search(
        r"step 40/200  loss [\d.]+  accuracy [\d.]+  perplexity [\d.]+  "
        r"[\d.]+ steps/s  at most 0:\d\d:\d\d left",
        out,
    )
    model = SequenceRNN.load(tmp_path / "note_rnn")
    assert model.metadata["evaluation"] == report
    assert model.metadata["data"] == {"made": "by the test"}
    stored = json.loads((tmp_path / "note_rnn" / "evaluation.json").read_text())
    assert stored == report
    again = score_sequences(model, data.evaluation, 128, EVAL_UNSCORED_STEPS)
    assert again.log_perplexity == pytest.approx(
        scores["note_rnn"]["log_perplexity"], rel=1e-5
    )
    assert "trigram" in reports.report_text(report, "on the eval tunes")
    curves = list((tmp_path / "logs").glob("*/events.out.tfevents.*"))
    assert {path.parent.name for path in curves} == {"train", "eval"}


@pytest.mark.parametrize("cut_at", [3, pytest.param(21, marks=pytest.mark.learning)])
def test_a_run_that_is_cut_goes_on_as_if_it_had_not_been(
    data, whole, tmp_path, monkeypatch, cut_at
):
    report = SequenceTrainer._report

    def cut(trainer, *figures):
        if trainer.step >= cut_at:
            raise _Cut
        report(trainer, *figures)

    monkeypatch.setattr(SequenceTrainer, "_report", cut)
    train = SequenceTrainer.train
    monkeypatch.setattr(
        SequenceTrainer, "train", lambda self, **more: train(self, 1, **more)
    )
    with pytest.raises(_Cut):
        _train(_CONFIG, data, tmp_path / "cut")
    monkeypatch.undo()
    resumed = _train(_CONFIG, data, tmp_path / "cut")
    assert resumed == whole[1]
    paths = [run / "note_rnn" for run in (whole[0], tmp_path / "cut")]
    for one, other in zip(
        *(SequenceRNN.load(path).get_weights() for path in paths), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_more_steps_go_on_with_a_finished_run(data, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "run")
    more = dataclasses.replace(_CONFIG, num_training_steps=32)
    assert _train(more, data, tmp_path / "run")["training_steps"] == 32


def test_another_seed_gives_another_model_and_is_no_continuation(data, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "one")
    other_seed = dataclasses.replace(_CONFIG, seed=1)
    assert _train(other_seed, data, tmp_path / "other")["scores"] != whole[1]["scores"]
    with pytest.raises(UserError, match=r"of other settings, .*: seed is 0, not 1"):
        _train(other_seed, data, tmp_path / "one")


def test_another_corpus_of_equal_counts_is_no_continuation(data, tmp_path):
    _train(_CONFIG, data, tmp_path)
    first = data.training[0].copy()
    first[-1] = 5 if first[-1] != 5 else 6
    other = dataclasses.replace(data, training=[first, *data.training[1:]])
    with pytest.raises(UserError, match=r"of other settings, .*: data_checksum is"):
        _train(_CONFIG, other, tmp_path)
    # A run of before there were checksums goes on.
    path = tmp_path / "training_config.json"
    settings = json.loads(path.read_text())
    del settings["data_checksum"]
    path.write_text(json.dumps(settings))
    _train(_CONFIG, data, tmp_path)


def test_it_stops_when_nothing_is_gained(data, tmp_path):
    config = dataclasses.replace(
        _CONFIG, learning_rate=1e-12, num_training_steps=1000, patience=2
    )
    assert _train(config, data, tmp_path)["training_steps"] <= 5 * config.eval_every


def test_the_learning_rate_falls_in_stairs(data, tmp_path):
    config = dataclasses.replace(
        _CONFIG, decay_steps=10, decay_rate=0.5, num_training_steps=16
    )
    trainer = SequenceTrainer(config, training.corpus(config, data), tmp_path)
    assert float(trainer._optimizer.learning_rate) == pytest.approx(0.02)
    trainer.train()
    assert float(trainer._optimizer.learning_rate) == pytest.approx(0.01)


def test_a_damaged_save_is_skipped_and_all_damaged_are_refused(
    data, whole, tmp_path, capsys
):
    shutil.copytree(whole[0], tmp_path / "other")
    saves = sorted((tmp_path / "other" / "checkpoints").iterdir())
    assert len(saves) == 2
    (saves[1] / "arrays.npz").write_bytes(b"damaged")
    report = _train(_CONFIG, data, tmp_path / "other")
    assert "arrays.npz has another checksum) and skipped" in capsys.readouterr().err
    assert report["scores"] == whole[1]["scores"]
    for path in (tmp_path / "other" / "checkpoints").glob("*/manifest.json"):
        path.write_bytes(b"damaged")
    with pytest.raises(UserError, match="every save in"):
        _train(_CONFIG, data, tmp_path / "other")


def test_it_stops_where_it_is_asked_to_and_goes_on(data, whole, tmp_path):
    asked = iter([False, False, True])
    (tmp_path / "cut").mkdir()
    trainer = SequenceTrainer(_CONFIG, training.corpus(_CONFIG, data), tmp_path / "cut")
    with pytest.raises(Stopped) as stopped:
        trainer.train(should_stop=lambda: next(asked))
    assert stopped.value.step == 3
    report = _train(_CONFIG, data, tmp_path / "cut")
    assert report["scores"] == whole[1]["scores"]
    one, other = (
        SequenceRNN.load(run / "note_rnn") for run in (whole[0], tmp_path / "cut")
    )
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_loss_that_is_not_finite_stops_behind_a_good_save(data, tmp_path):
    trainer = SequenceTrainer(_CONFIG, training.corpus(_CONFIG, data), tmp_path)
    trainer._save()
    trainer.model.variables[0].assign(trainer.model.variables[0] * np.nan)
    message = r"the loss is nan at step 1; try .* the last good save is .*step_0{12}$"
    with pytest.raises(UserError, match=message):
        trainer.train()


def test_magentas_files_are_read_by_pattern(data, tmp_path):
    for name, melodies in (("t", data.training), ("e", data.evaluation)):
        lists = [melody.tolist() for melody in melodies]
        sequence_examples.write_shards(tmp_path, name, lists, 38, 2)
    read = training.read_files(
        f"{tmp_path}/t.tfrecord*", f"{tmp_path}/e.tfrecord-00000*"
    )
    assert len(read.training) == len(data.training)
    np.testing.assert_array_equal(read.evaluation[1], data.evaluation[2])
    with pytest.raises(UserError, match="no file matches"):
        training.read_files(f"{tmp_path}/nothing*", f"{tmp_path}/e*")


def _run(module, *arguments):
    """Runs a binary as a user would; returns exit code, stdout and stderr lines."""
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, "-m", f"melody_rnn.commands.{module}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    lines = done.stderr.replace("\r", "\n").splitlines()
    return done.returncode, done.stdout, [line for line in lines if "load" not in line]


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("create_dataset", [], "--output_dir is missing"),
        ("create_dataset", ["--eval_ratio=2"], "--eval_ratio=2 must lie"),
        ("create_dataset", ["--num_shards=0"], "--num_shards=0 must be"),
        ("create_dataset", ["--seed=x"], "--seed"),
        ("create_dataset", ["--source=/nowhere"], "/nowhere does not exist"),
        ("train", [], "--output_dir is missing"),
        ("train", ["--layer_sizes=ten"], "--layer_sizes=ten must be"),
        ("train", ["--layer_sizes="], "--layer_sizes= must be"),
        ("train", ["--learning_rate=-1"], "learning_rate is -1.0; it must be above 0"),
        ("train", ["--learning_rate=nan"], "learning_rate is nan; it must be above 0"),
        ("train", ["--batch_size=0"], "batch_size is 0; it must be at least 1"),
        ("train", ["--unscored_steps=128"], "unscored_steps is 128; it must be below"),
        ("train", ["--sequence_example_file=a"], "go together"),
    ],
)
def test_a_bad_flag_is_one_line_and_exit_code_1(tmp_path, module, arguments, message):
    output = [] if message.startswith("--output_dir") else [f"--output_dir={tmp_path}"]
    code, _, lines = _run(module, *output, *arguments)
    assert code == 1
    assert len(lines) == 1
    assert message in lines[0]


def test_the_two_binaries_work_hand_in_hand(tmp_path):
    source, dataset, run = (tmp_path / name for name in ("abc", "dataset", "run"))
    source.mkdir()
    rng = np.random.default_rng(0)
    book = ""
    for number in range(12):
        music = "|".join(" ".join(rng.choice(list("CDEFGABc"), 16)) for _ in range(4))
        book += f"X:{number}\nM:4/4\nL:1/16\nK:C\n{music}|\n\n"
    (source / "book.abc").write_text(book + "X:99\nK:C\nC D =\nE\n")
    code, out, lines = _run(
        "create_dataset",
        f"--source={source}",
        f"--output_dir={dataset}",
        "--num_workers=1",
    )
    assert code == 0, lines
    assert "12 tunes in 12 families kept" in out
    assert any("book.abc X:99: wrong notation" in line for line in lines)
    assert note_rnn_dataset.read_description(dataset)["counts"]["unreadable"] == 1
    here = tmp_path / "here"  # the same bytes from another process
    here.mkdir()
    config = note_rnn_dataset.DatasetConfig(source=str(source))
    note_rnn_dataset.create_dataset(config, here)
    for path in here.iterdir():
        assert path.read_bytes() == (dataset / path.name).read_bytes()
    code, out, lines = _run(
        "train",
        f"--dataset_dir={dataset}",
        f"--output_dir={run}",
        "--layer_sizes=8,6",
        "--num_training_steps=3",
        "--batch_size=4",
    )
    assert code == 0, lines
    assert "trigram" in out
    assert SequenceRNN.load(run / "note_rnn").layer_sizes == (8, 6)
    code, _, lines = _run("train", f"--dataset_dir={source}", f"--output_dir={run}")
    assert code == 1
    assert len(lines) == 1
    assert "holds no finished dataset" in lines[0]


@pytest.mark.parametrize(
    "config",
    [
        "lookback_rnn",
        pytest.param("attention_rnn", marks=pytest.mark.learning),
        "mono_rnn",
    ],
)
def test_magentas_configs_train(data, tmp_path, config):
    defaults = CONFIG_DEFAULTS[config]
    tiny = {
        "config": config,
        "layer_sizes": (8,),
        "learning_rate": 0.02,
        "batch_size": 8,
        "window_steps": 20,
        "num_training_steps": 20,
        "eval_every": 10,
        "attn_length": 4 * ("attn_length" in defaults),
    }
    settings = TrainingConfig(**defaults | tiny)
    report = _train(settings, data, tmp_path)
    model = Network.load(tmp_path / config)
    num_classes = 130 if config == "mono_rnn" else 38
    assert model.num_classes == num_classes
    assert report["scores"][config]["perplexity"] < 0.8 * num_classes
    assert model.metadata["magenta_config"] == config
    kind = {"lookback_rnn": LookbackRNN, "attention_rnn": AttentionRNN}
    assert type(model) is kind.get(config, SequenceRNN)
    if config == "attention_rnn":
        assert model.attention_length == 4
    exported = export(model, "mag", tmp_path / "model.mag")
    assert f"--config={config}" in exported


def test_defaults_of_magentas_configs_are_magentas():
    """MELODY_RNN.md, sections 1 and 7."""
    attention = CONFIG_DEFAULTS["attention_rnn"]
    assert attention["attn_length"] == 40
    assert attention["clip_norm"] == 3
    for name in ("basic_rnn", "mono_rnn", "lookback_rnn", "attention_rnn"):
        config = TrainingConfig(config=name, **CONFIG_DEFAULTS[name])
        assert config.layer_sizes == (128, 128)
        assert (config.batch_size, config.learning_rate) == (128, 0.001)
        assert (config.dropout, config.decay_rate, config.l2) == (0.5, 1, 0)
        assert config.clip_each
        assert config.clip_norm == (3 if name == "attention_rnn" else 5)


@pytest.mark.parametrize("network", [SequenceRNN, LookbackRNN, AttentionRNN])
def test_dropout_leaves_out_a_share_of_outputs(network):
    model = network(38, (50,))
    tokens = np.random.default_rng(0).integers(0, 38, [4, 12])
    whole = model.unroll(tokens).numpy()
    none = model.unroll_with_dropout(tokens, 0.0, tf.constant([0, 1])).numpy()
    np.testing.assert_allclose(none, whole, atol=1e-6)
    seeds = [tf.constant([0, seed]) for seed in (1, 1, 2)]
    first, again, other = (model.unroll_with_dropout(tokens, 0.5, s) for s in seeds)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - whole).max() > 1e-3
    assert np.abs(first - other).max() > 1e-3
