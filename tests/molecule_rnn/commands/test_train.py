import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from binaries import assert_refused, run_binary

from molecule_rnn.smiles_rnn import dataset as smiles_dataset
from molecule_rnn.smiles_rnn import training
from molecule_rnn.smiles_rnn.config import TrainingConfig
from molecule_rnn.smiles_rnn.dataset import DatasetConfig, read_dataset
from molecule_rnn.smiles_rnn.source import find_source
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.smiles_rnn.training import token_sequences
from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.errors import UserError
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining import run
from rl_tuner.pretraining.trainer import SequenceTrainer

_CONFIG = TrainingConfig(
    layer_sizes=(16,),
    batch_size=8,
    learning_rate=0.03,
    num_training_steps=24,
    eval_every=8,
    patience=100,
)


@pytest.fixture(scope="module")
def dataset_dir(tmp_path_factory):
    """Chains of 3 to 12 carbons with a group at the end: easy to learn."""
    directory = tmp_path_factory.mktemp("dataset")
    groups = ("O", "N", "F", "Cl", "C#N", "C=O", "C(=O)O", "[NH3+]", "S", "OC")
    chains = [f"{'C' * n}{group}" for n in range(3, 13) for group in groups]
    source = directory / "source.smi"
    source.write_text("\n".join(chains))
    smiles_dataset.create_dataset(
        find_source(str(source)), DatasetConfig(eval_ratio=0.2), directory
    )
    return directory


@pytest.fixture(scope="module")
def dataset(dataset_dir):
    return read_dataset(dataset_dir)


def _train(config, dataset, directory):
    directory.mkdir(exist_ok=True)
    return run.train(config, training.corpus(config, dataset), directory)


@pytest.fixture(name="whole", scope="module")
def _whole(dataset, tmp_path_factory):
    """The folder of a finished run of `_CONFIG`, to read, and its report."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, _train(_CONFIG, dataset, directory)


class _Cut(Exception):
    pass


def test_what_the_network_reads():
    vocabulary = Vocabulary(["C", "O"])
    (random_token,) = token_sequences(["CCO"], vocabulary, start_token=False)
    (start_token,) = token_sequences(["CCO"], vocabulary, start_token=True)
    assert random_token.tolist() == [1, 1, 2, EOS]
    assert start_token.tolist() == [EOS, 1, 1, 2, EOS]


@pytest.mark.parametrize(
    "protocol",
    [pytest.param("start_token", marks=pytest.mark.learning), "random_token"],
)
def test_it_learns_to_write_molecules(dataset, tmp_path, protocol):
    config = dataclasses.replace(
        _CONFIG,
        layer_sizes=(32,),
        batch_size=16,
        num_training_steps=300,
        eval_every=75,
        protocol=protocol,
    )
    report = _train(config, dataset, tmp_path)
    scores = report["scores"]
    assert scores["smiles_rnn"]["perplexity"] < scores["unigram"]["perplexity"]
    begins = protocol == "start_token"
    predictions = sum(
        len(dataset.vocabulary.encode(s)) + begins for s in dataset.evaluation
    )
    assert {s["num_predictions"] for s in scores.values()} == {predictions}
    model = SequenceRNN.load(tmp_path / "smiles_rnn")
    metadata = model.metadata
    assert metadata["start_token"] is begins
    assert metadata["evaluation"] == report
    assert Vocabulary.from_json(metadata["vocabulary"]) == dataset.vocabulary
    assert TrainingStatistics.from_json(metadata["statistics"]) == dataset.statistics
    stored = json.loads((tmp_path / "smiles_rnn" / "evaluation.json").read_text())
    assert stored == report
    first = EOS if begins else dataset.vocabulary.encode("C")[0]
    drawn = Policy.of_prior(model).generate(np.full((100, 1), first), 24)
    written = dataset.vocabulary.decode(drawn.sequences)
    if not begins:
        written = ["C" + string for string in written]
    assert np.mean((drawn.sequences == EOS).any(axis=1)) > 0.8
    known = set(dataset.training + dataset.evaluation)
    assert np.mean([string in known for string in written]) > 0.7


@pytest.mark.parametrize("cut_at", [3, pytest.param(21, marks=pytest.mark.learning)])
def test_a_run_that_is_cut_goes_on_as_if_it_had_not_been(
    dataset, whole, tmp_path, monkeypatch, cut_at
):
    train = SequenceTrainer.train
    report = SequenceTrainer._report

    def cut(trainer, *figures):
        if trainer.step >= cut_at:
            raise _Cut
        report(trainer, *figures)

    monkeypatch.setattr(SequenceTrainer, "_report", cut)
    monkeypatch.setattr(
        SequenceTrainer,
        "train",
        lambda self, **how: train(self, report_every=1, **how),
    )
    with pytest.raises(_Cut):
        _train(_CONFIG, dataset, tmp_path / "cut")
    monkeypatch.undo()
    assert _train(_CONFIG, dataset, tmp_path / "cut") == whole[1]
    paths = [run / "smiles_rnn" for run in (whole[0], tmp_path / "cut")]
    for one, other in zip(
        *(SequenceRNN.load(path).get_weights() for path in paths), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_model_of_a_run_that_was_cut_can_be_used(dataset, tmp_path, monkeypatch):
    """Its vocabulary is with it from the first evaluation on."""

    def cut(*arguments):
        raise _Cut

    monkeypatch.setattr(run, "score_sequences", cut)
    with pytest.raises(_Cut):
        _train(_CONFIG, dataset, tmp_path)
    metadata = SequenceRNN.load(tmp_path / "smiles_rnn").metadata
    assert Vocabulary.from_json(metadata["vocabulary"]) == dataset.vocabulary
    assert metadata["start_token"] is False


def test_other_data_or_settings_are_no_continuation(dataset, tmp_path):
    short = dataclasses.replace(_CONFIG, num_training_steps=2, eval_every=1)
    _train(short, dataset, tmp_path)
    other = dataclasses.replace(short, protocol="start_token")
    with pytest.raises(UserError, match="protocol is random_token, not start_token"):
        _train(other, dataset, tmp_path)
    splits = dataset.description["splits"]
    other_splits = splits | {"eval": splits["eval"] | {"sha256": "0" * 64}}
    description = dataset.description | {"splits": other_splits}
    other_data = dataclasses.replace(dataset, description=description)
    with pytest.raises(UserError, match=r"holds runs of other settings, .*: data is"):
        _train(short, other_data, tmp_path)


def test_the_binary_trains(dataset_dir, tmp_path):
    result = run_binary(
        "smiles_rnn_train",
        *(f"--dataset_dir={dataset_dir}", f"--output_dir={tmp_path}"),
        *("--layer_sizes=8,6", "--num_training_steps=3", "--batch_size=4"),
        *("--protocol=start_token", "--seed=3"),
    )
    assert result.returncode == 0, result.stderr
    assert "trigram" in result.stdout
    model = SequenceRNN.load(tmp_path / "smiles_rnn")
    assert model.layer_sizes == (8, 6)
    assert model.metadata["training"]["seed"] == 3
    assert model.metadata["training"]["learning_rate"] == 0.01


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--protocol=none"], "unknown protocol 'none'; choose one of random_token"),
        (["--layer_sizes=ten"], "--layer_sizes=ten must be numbers of cells"),
        (["--max_eval_molecules=0"], "max_eval_molecules is 0; it must be at least 1"),
        (["--l2=-1"], "l2 is -1.0; it must be at least 0"),
        (["--dataset_dir=nowhere"], "holds no finished dataset"),
    ],
)
def test_a_bad_flag_is_one_line(tmp_path, flags, message):
    result = run_binary("smiles_rnn_train", f"--output_dir={tmp_path}", *flags)
    assert_refused(result, message)


@pytest.mark.parametrize("binary", ["train", "create_dataset"])
def test_help_waits_for_no_library(binary):
    code = (
        f"import sys; sys.argv = ['{binary}', '--help']\n"
        f"from molecule_rnn.commands.{binary} import console_entry\n"
        "try:\n"
        "    console_entry()\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "print(*{'tensorflow', 'keras', 'rdkit'}.intersection(sys.modules))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    *text, loaded = result.stdout.splitlines()
    assert "--output_dir" in "\n".join(text)
    assert not loaded
