import pathlib

import numpy as np
import pytest
from model_cards import checked_card
from rdkit import Chem, RDLogger

from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN

_CHECKPOINTS = pathlib.Path(__file__).parents[3] / "checkpoints"
# How much of what they write is valid at least: a random first character is mostly none
# that the rest makes sense after, and the last is small.
_VALID = {"smiles_rnn": 0.8, "smiles_rnn_paper": 0.2, "smiles_rnn_zinc250k": 0.6}
_SAMPLES = 300


@pytest.fixture(scope="module", params=_VALID)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return SequenceRNN.load(_CHECKPOINTS / name)


def test_the_paper_has_100_cells_over_35_classes():
    model = SequenceRNN.load(_CHECKPOINTS / "smiles_rnn_paper")
    assert (model.num_classes, model.layer_sizes) == (35, (100,))


def test_it_is_small_enough_to_ship(name):
    files = (_CHECKPOINTS / name).iterdir()
    assert sum(file.stat().st_size for file in files) < 5_000_000


def test_a_world_can_be_made_of_its_metadata(name, model):
    vocabulary = Vocabulary.from_json(model.metadata["vocabulary"])
    assert vocabulary.num_classes == model.num_classes
    statistics = TrainingStatistics.from_json(model.metadata["statistics"])
    assert statistics.very_short_length < statistics.short_length
    assert model.metadata["start_token"] is (name != "smiles_rnn_paper")


def test_the_card_names_the_stored_figures(name, model):
    card, report = checked_card(_CHECKPOINTS / name, model)
    assert f"{report['training_molecules']:,} to train on" in card
    assert f"{model.metadata['statistics']['short_length']:.2f}" in card


def test_it_writes_molecules(name, model):
    vocabulary = Vocabulary.from_json(model.metadata["vocabulary"])
    rng = np.random.default_rng(0)
    primers = rng.integers(1, vocabulary.num_classes - 1, (_SAMPLES, 1))
    if model.metadata["start_token"]:
        primers[:] = EOS
    drawn = Policy.of_prior(model).generate(primers, 120, seed=1).sequences
    assert (drawn == EOS).any(axis=1).mean() > 0.95
    RDLogger.DisableLog("rdApp.*")
    written = vocabulary.decode(drawn)
    molecules = [Chem.MolFromSmiles(string) for string in written]
    valid = [bool(m and m.GetNumAtoms()) for m in molecules]
    assert np.mean(valid) > _VALID[name]
    assert len(set(written)) > 0.9 * _SAMPLES
