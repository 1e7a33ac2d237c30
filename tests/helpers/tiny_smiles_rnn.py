"""A SMILES RNN that is quick to sample, with all that a task needs to know of it."""

import numpy as np

from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.networks.sequence_rnn import SequenceRNN

MOLECULES = ("CCO", "CCN", "C1CC1", "CC(=O)O", "c1ccccc1", "CC=CC", "CCCCCC")


def tiny_smiles_rnn(start_token=True):
    """A model of 8 cells, not trained: now and then it makes a molecule."""
    vocabulary = Vocabulary.learn(MOLECULES)
    statistics = TrainingStatistics.measure(MOLECULES, vocabulary)
    metadata = {
        "vocabulary": vocabulary.to_json(),
        "statistics": statistics.to_json(),
        "start_token": start_token,
    }
    model = SequenceRNN(vocabulary.num_classes, (8,), metadata)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=v.shape) for v in model.get_weights()])
    return model
