import csv

import numpy as np
import pytest
import tensorflow as tf
from tiny_smiles_rnn import MOLECULES, tiny_smiles_rnn

from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.rewards import RewardSettings
from molecule_rnn.scoring.scorer import parse_smiles
from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import Vocabulary
from molecule_rnn.world import MoleculeWorld
from rl_tuner.errors import UserError
from rl_tuner.scored_task import Prefixes

VOCABULARY = Vocabulary.learn(MOLECULES)
LIMITS = {"very_short_length": 4, "short_length": 6, "carbon_limit": 3}
T = 10


def _task(**settings):
    reward = RewardSettings(**LIMITS)
    settings = {"reward": reward, "max_length": T, "num_processes": 0, **settings}
    return MoleculeTask(VOCABULARY, **settings)


def _expected(smiles, length, ended):
    """The reward of Jaques et al. 2017, section 6, written down once more."""
    molecule = parse_smiles(smiles)
    reward = 0.0
    if molecule is not None:
        values = {k: float(c.function(molecule)) for k, c in COMPONENTS.items()}
        worth = 3 * values["log_p"] - 2 * values["sa"] + 5 * values["ring"]
        worth += 50 * values["qed"]
        reward = 600 + 10 * worth if ended else 5 + worth
    elif not ended:
        reward = -5.0
    if ended:
        reward -= 200 if length < 4 else 25 if length < 6 else 0
    run = len(smiles) - len(smiles.rstrip("C"))
    at_end_token = length > len(smiles)
    return reward - (150 if run > 4 and not at_end_token else 0)


def _padded(*strings):
    rows = [VOCABULARY.encode(s) for s in strings]
    return np.array([row + [0] * (T - len(row)) for row in rows], np.int32)


def test_rewards_of_every_prefix_are_the_papers():
    strings = ["CCO", "CC(", "C1CC1", "CCCCCC", "", "c1ccccc1CC", "CC=CCC(=O)"]
    rewards = _task().rewards(_padded(*strings))
    for string, row in zip(strings, rewards, strict=True):
        steps = min(len(string) + 1, T)
        expected = [
            _expected(string[: t + 1], t + 1, t + 1 == steps) for t in range(steps)
        ]
        np.testing.assert_allclose(row[:steps], expected, rtol=1e-5)
        assert (row[steps:] == 0).all()


def test_only_whole_molecules_are_scored_where_prefixes_earn_nothing():
    weights = {"prefix": 0.0, "prefix_score": 0.0}
    task = _task(reward=RewardSettings(weights=weights, **LIMITS))
    asked = []
    start = task._pool.start
    task._pool.start = lambda strings: asked.extend(strings) or start(strings)
    rewards = task.rewards(_padded("CCO", "CCCCCC"))
    expected = [_expected("CCO", 4, True), _expected("CCCCCC", 7, True)]
    np.testing.assert_allclose([rewards[0, 3], rewards[1, 6]], expected, rtol=1e-5)
    np.testing.assert_array_equal(rewards[0, :3], 0.0)
    np.testing.assert_array_equal(rewards[1, :6], [0, 0, 0, 0, -150, -150])
    assert set(asked) == {"", "CCO", "CCCCCC"}


def test_what_follows_a_prefix_does_not_matter():
    task = _task()
    tokens = _padded("CCOCC", "CCNCC")
    tokens[:, 3:] = VOCABULARY.num_classes - 1
    lengths, ended = np.array([3, 3], np.int32), np.array([False, False])
    rewards = task.start_scoring(Prefixes(tokens, lengths, ended))()
    assert rewards == pytest.approx(
        [_expected("CCO", 3, False), _expected("CCN", 3, False)]
    )


def test_priming_is_that_of_the_protocol():
    random = _task().prime(4000, tf.constant([1, 2])).numpy()
    counts = np.bincount(random, minlength=VOCABULARY.num_classes)
    # Neither the end nor the last class; the others alike.
    assert counts[0] == counts[-1] == 0
    assert counts[1:-1].min() > 0.7 * 4000 / (VOCABULARY.num_classes - 2)
    start = _task(protocol="start_token").prime(7, tf.constant([1, 2]))
    np.testing.assert_array_equal(start, np.zeros(7))


def test_metrics_and_samples(tmp_path):
    task = _task()
    sequences = _padded("CCO", "CC(", "CCO", "C1CC1")
    metrics = task.metrics(sequences)
    assert metrics["percent_valid"] == 75.0
    assert {"mean_qed", "mean_log_p"} <= {row.name for row in task.metric_rows()}
    task.write_samples(sequences, tmp_path, "title")
    with open(tmp_path / "molecules.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["smiles"] for row in rows] == ["CCO", "CC(", "CCO", "C1CC1"]
    assert [row["valid"] for row in rows] == ["1", "0", "1", "1"]
    assert (tmp_path / "molecules.png").is_file()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "first"}, "unknown protocol 'first'; choose one of random_token"),
        ({"max_length": 0}, "max_length is 0"),
    ],
)
def test_nonsense_settings_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        _task(**settings)


@pytest.mark.parametrize("start_token", [True, False])
def test_world_makes_the_task_of_a_model(start_token):
    model = tiny_smiles_rnn(start_token)
    task = MoleculeWorld().make_task({"reward_weights": {"qed": 7.0}}, model)
    assert task.vocabulary == VOCABULARY
    assert task.protocol == ("start_token" if start_token else "random_token")
    assert task.reward_settings.weight("qed") == 7.0
    # From a start token prefixes are not rewarded, nor is being valid on its own.
    assert task.reward_settings.scores_prefixes != start_token
    assert task.reward_settings.weight("valid") == (0.0 if start_token else 600.0)
    statistics = model.metadata["statistics"]
    assert task.reward_settings.carbon_limit == statistics["carbon_limit"]
    assert task.reward_settings.short_length == statistics["short_length"]
    other = "random_token" if start_token else "start_token"
    with pytest.raises(UserError, match=f"trained for --protocol={task.protocol}, not"):
        MoleculeWorld().make_task({"protocol": other}, model)
    del model.metadata["vocabulary"]
    with pytest.raises(UserError, match="the model is none of molecules"):
        MoleculeWorld().make_task({}, model)
