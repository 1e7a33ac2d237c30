import pathlib

import numpy as np
import pytest
import tensorflow as tf
from model_cards import checked_card

from melody_rnn.encoding import FIRST_NOTE, NUM_CLASSES
from rl_tuner.networks.sequence_rnn import SequenceRNN

_FOLDER = pathlib.Path(__file__).parents[3] / "checkpoints" / "note_rnn"


@pytest.fixture(scope="module")
def model():
    return SequenceRNN.load(_FOLDER)


def test_it_is_the_papers_network(model):
    assert (model.num_classes, model.layer_sizes) == (NUM_CLASSES, (100,))


def test_the_card_names_the_stored_figures(model):
    card, _ = checked_card(_FOLDER, model)
    for source in model.metadata["data"]["sources"]:
        assert source["source"].removeprefix("music21 ") in card


def test_it_plays_in_c_from_any_first_note(model):
    tokens = tf.constant(np.arange(NUM_CLASSES - 1).repeat(20), tf.int32)
    state, notes = model.initial_state(len(tokens)), []
    tf.random.set_seed(0)
    for _ in range(16):
        logits, state = model.step(tokens, state)
        tokens = tf.random.categorical(logits, 1, dtype=tf.int32)[:, 0]
        notes.append(tokens.numpy())
    pitches = np.concatenate(notes)
    pitches = (pitches[pitches >= FIRST_NOTE] - FIRST_NOTE) % 12
    assert np.isin(pitches, [0, 2, 4, 5, 7, 9, 11]).mean() > 0.9
    assert 0.35 < len(pitches) / (16 * len(tokens)) < 0.6
