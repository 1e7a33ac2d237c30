"""The shipped Lookback and Attention RNNs are what their cards say."""

import pathlib

import numpy as np
import pytest
from model_cards import checked_card

from melody_rnn.encoding import FIRST_NOTE
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from rl_tuner import SequenceRNN
from rl_tuner.generation.policy import Policy

_FOLDER = pathlib.Path(__file__).parents[3] / "checkpoints"
_KINDS = {"lookback_rnn": LookbackRNN, "attention_rnn": AttentionRNN}


@pytest.fixture(name="model", scope="module", params=_KINDS)
def _model(request):
    return _KINDS[request.param].load(_FOLDER / request.param)


def test_card_names_the_stored_figures(model):
    assert (model.num_classes, model.layer_sizes) == (38, (128, 128))
    card, report = checked_card(_FOLDER / model.metadata["magenta_config"], model)
    assert f"{report['eval_tunes']} to evaluate" in card
    for source in model.metadata["data"]["sources"]:
        assert source["source"].removeprefix("music21 ") in card


def _played(model):
    """Melodies from C5, and the share of notes that are those of two bars before."""
    begun = np.full([200, 1], FIRST_NOTE + 24)  # c5
    melodies = Policy.of_prior(model).generate(begun, 64, seed=1).sequences
    is_note = melodies[:, 32:] >= FIRST_NOTE
    return melodies, (melodies[:, 32:] == melodies[:, :-32])[is_note].mean()


def test_it_plays_in_c_and_comes_back_to_what_was_two_bars_ago(model):
    """As tunes of its corpus do; the Note RNN does so more seldom."""
    melodies, share = _played(model)
    pitches = (melodies[melodies >= FIRST_NOTE] - FIRST_NOTE) % 12
    assert np.isin(pitches, [0, 2, 4, 5, 7, 9, 11]).mean() > 0.9
    is_note = melodies[:, 32:] >= FIRST_NOTE
    assert share > 0.2
    assert _played(SequenceRNN.load(_FOLDER / "note_rnn"))[1] < 1 / 7
    others = np.roll(melodies, 1, axis=0)
    assert (melodies[:, 32:] == others[:, :-32])[is_note].mean() < 0.1
