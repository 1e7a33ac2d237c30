import numpy as np
import pytest
from listening_study import save_run

from melody_rnn.listening.melody_maker import MelodyMaker
from melody_rnn.listening.sources import Judge
from melody_rnn.music_theory.rewards import rule_rewards
from melody_rnn.music_theory.settings import RULE_NAMES
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN


@pytest.fixture(name="directory", scope="module")
def _directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models")
    prior = SequenceRNN(38, (8,))
    prior.save(directory / "prior")
    SequenceRNN(35, (8,)).save(directory / "molecules")
    save_run(directory / "run", prior, {"rules": "corrected"})
    return directory


@pytest.fixture(name="maker", scope="module")
def _maker(directory):
    settings = {"rules": "corrected", "rule_weights": {"motif": 0.0}}
    return MelodyMaker(directory / "run", Judge("melody", settings))


def test_melodies_depend_on_the_seed_and_not_on_the_count(maker):
    few, more = maker.make(3, 16, 1.0, 7), maker.make(9, 16, 1.0, 7)
    assert few == more[:3]
    assert len({tuple(melody.classes) for melody in more}) > 1
    assert maker.make(3, 16, 1.0, 8) != few
    assert maker.make(3, 16, 0.2, 7) != few
    assert {len(melody.classes) for melody in more} == {16}


def test_rewards_are_those_of_the_rules_that_count(maker):
    melodies = maker.make(5, 16, 1.0, 1)
    classes = np.array([melody.classes for melody in melodies])
    expected = rule_rewards(classes, rules="corrected")
    for index, melody in enumerate(melodies):
        counting = [name for name in RULE_NAMES if name != "motif"]
        assert list(melody.rewards) == counting
        for name, values in melody.rewards.items():
            np.testing.assert_allclose(values, expected[name][index], atol=1e-4)


def test_what_makes_no_melodies_is_refused(directory):
    with pytest.raises(UserError, match="35 classes"):
        MelodyMaker(directory / "molecules", Judge("melody", {}))
    with pytest.raises(UserError, match="only melodies can be listened to"):
        MelodyMaker(directory / "prior", Judge("toy_task:CountingTask", {}))
