"""Going on from a prior: its vocabulary, what that lacks, and what cannot be asked."""

import dataclasses

import numpy as np
import pytest

from molecule_rnn.smiles_rnn import dataset as smiles_dataset
from molecule_rnn.smiles_rnn import training, transfer
from molecule_rnn.smiles_rnn.config import TrainingConfig
from molecule_rnn.smiles_rnn.dataset import DatasetConfig, read_dataset
from molecule_rnn.smiles_rnn.source import find_source
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining import run

VOCABULARY = Vocabulary(["C", "N", "O", "Cl"], "atoms")
CONFIG = TrainingConfig(
    layer_sizes=(5,),
    batch_size=8,
    num_training_steps=3,
    eval_every=1,
    protocol="start_token",
)


@pytest.fixture(name="dataset", scope="module")
def _dataset(tmp_path_factory):
    """Chains that end in O or N, and some in a bromine, which the prior has not."""
    directory = tmp_path_factory.mktemp("focused")
    groups = ("O", "N", "Br")
    lines = [f"{'C' * n}{group}" for n in range(1, 21) for group in groups]
    source = directory / "source.smi"
    source.write_text("\n".join(lines))
    config = DatasetConfig(eval_ratio=0.3)
    smiles_dataset.create_dataset(find_source(str(source)), config, directory)
    return read_dataset(directory)


@pytest.fixture(name="prior", scope="module")
def _prior():
    metadata = {"vocabulary": VOCABULARY.to_json(), "start_token": True}
    return SequenceRNN(VOCABULARY.num_classes, (5,), metadata)


def test_set_is_written_in_the_priors_vocabulary(dataset):
    assert dataset.vocabulary.tokenizer == "characters"  # not the prior's
    focused, lacking = transfer.in_vocabulary(dataset, VOCABULARY)
    assert lacking == {"Br": 20}
    assert focused.vocabulary == VOCABULARY
    kept = focused.training + focused.evaluation
    known = dataset.training + dataset.evaluation
    assert sorted(kept) == sorted(s for s in known if "Br" not in s)
    assert focused.statistics.num_molecules == len(focused.training)
    assert "Br in 20" in transfer.summary_text(focused, lacking)


def test_set_of_other_tokens_is_refused(dataset):
    with pytest.raises(UserError, match=r"lacks C in 60, .* a training needs"):
        transfer.in_vocabulary(dataset, Vocabulary(["N", "S"], "atoms"))


def test_training_goes_on_from_the_prior(dataset, prior, tmp_path):
    focused, _ = transfer.in_vocabulary(dataset, VOCABULARY)
    report = run.train(CONFIG, training.corpus(CONFIG, focused, prior), tmp_path)
    scores = report["scores"]
    before = scores["what it began from"]["log_perplexity"]
    assert scores["smiles_rnn"]["log_perplexity"] < before
    tuned = SequenceRNN.load(tmp_path / "smiles_rnn")
    assert tuned.metadata["begun_from"] == prior.fingerprint()
    assert tuned.metadata["vocabulary"] == VOCABULARY.to_json()
    other = SequenceRNN(VOCABULARY.num_classes, (5,), prior.metadata)
    with pytest.raises(UserError, match="data is"):  # another prior's run
        run.train(CONFIG, training.corpus(CONFIG, focused, other), tmp_path)


def test_prior_is_the_best_model_where_learning_ruins_it(dataset, prior, tmp_path):
    ruinous = dataclasses.replace(CONFIG, learning_rate=50.0)
    focused, _ = transfer.in_vocabulary(dataset, VOCABULARY)
    run.train(ruinous, training.corpus(ruinous, focused, prior), tmp_path)
    best = SequenceRNN.load(tmp_path / "smiles_rnn")
    for found, given in zip(best.get_weights(), prior.get_weights(), strict=True):
        np.testing.assert_array_equal(found, given)


def test_prior_decides_what_the_network_is(prior, tmp_path):
    prior.save(tmp_path / "prior")
    settings = transfer.settings_from(tmp_path / "prior")
    assert settings["layer_sizes"] == (5,)
    assert settings["protocol"] == "start_token"
    transfer.check(TrainingConfig(**settings), settings)
    for change, named in (
        ({"layer_sizes": (6,)}, "--layer_sizes=6 .* 5;"),
        ({"protocol": "random_token"}, "--protocol=random_token .* start_token;"),
    ):
        with pytest.raises(UserError, match=named):
            transfer.check(TrainingConfig(**settings | change), settings)
    melodies = SequenceRNN(3, (2,))
    for metadata in ({}, {"vocabulary": "MelodyOneHotEncoding(48, 84)"}):
        melodies.metadata = metadata
        melodies.save(tmp_path / "melodies")
        with pytest.raises(UserError, match=r"/melodies is no model of molecules"):
            transfer.settings_from(tmp_path / "melodies")
