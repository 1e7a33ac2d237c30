import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from molecule_rnn.scoring.rewards import (
    COMPONENT_TERMS,
    PAPER_WEIGHTS,
    RewardSettings,
    carbon_runs,
    parse_reward_components,
    parse_reward_weights,
    prefix_rewards,
    reward_terms,
)
from molecule_rnn.scoring.scoring_pool import Scores, ScoringPool
from rl_tuner.errors import UserError

PAPER = RewardSettings()
OWN = "scoring_components:heavy_atoms"


@pytest.fixture(scope="module")
def pool():
    with ScoringPool((*COMPONENT_TERMS, OWN), num_processes=0) as pool:
        yield pool


def rewards_along(pool, molecule, settings=PAPER):
    """The reward of each character of a molecule and of its end, and their terms."""
    prefixes = [molecule[:end] for end in range(1, len(molecule) + 1)] + [molecule]
    scores = pool.score(prefixes)
    lengths = np.arange(1, len(prefixes) + 1)
    ended = np.arange(len(prefixes)) == len(prefixes) - 1
    runs = [len(prefix) - len(prefix.rstrip("C")) for prefix in prefixes]
    runs[-1] = 0
    arguments = (scores, lengths, ended, np.array(runs), settings)
    return prefix_rewards(*arguments), reward_terms(*arguments)


def one(parsed, ended, length=50, run=0, values=(0, 0, 0, 0), settings=PAPER):
    """The reward of one prefix."""
    scores = Scores(COMPONENT_TERMS, np.array([parsed]), np.array([values], np.float32))
    rewards = prefix_rewards(
        scores, np.array([length]), np.array([ended]), np.array([run]), settings
    )
    assert rewards.shape == (1,)
    assert rewards.dtype == np.float32
    return rewards[0]


# logP, SA score and QED as RDKit 2026.9 gives them.
def test_every_prefix_of_ethanol_by_hand(pool):
    rewards, _ = rewards_along(pool, "CCO")
    by_hand = [
        5 + 3 * 0.6361 - 2 * 7.328415 + 50 * 0.359785,  # C
        5 + 3 * 1.0262 - 2 * 2.747568 + 50 * 0.372786,  # CC
        5 + 3 * -0.0014 - 2 * 1.980257 + 50 * 0.406808,  # CCO
        600 + 10 * (3 * -0.0014 - 2 * 1.980257 + 50 * 0.406808) - 200,  # 4 tokens
    ]
    np.testing.assert_allclose(rewards, by_hand, atol=5e-4)


def test_every_prefix_of_cycloheptane_by_hand(pool):
    """An open ring is no molecule; a ring of 7 costs."""
    rewards, _ = rewards_along(pool, "C1CCCCCC1")
    ring = 3 * 2.7307 - 2 * 1.0 + 5 * -1 + 50 * 0.408541
    by_hand = [10.24072, *[-5.0] * 7, 5 + ring, 600 + 10 * ring - 200]
    np.testing.assert_allclose(rewards, by_hand, atol=5e-4)


@pytest.mark.parametrize(
    ("term", "values", "value"),
    [
        ("log_p", (2.5, 0, 0, 0), 7.5),
        ("sa", (0, 3.0, 0, 0), -6.0),
        ("ring", (0, 0, -2, 0), -10.0),
        ("qed", (0, 0, 0, 0.5), 25.0),
    ],
)
def test_components_count_once_for_a_prefix_and_tenfold_at_the_end(term, values, value):
    assert one(True, False, values=values) == 5 + value
    assert one(True, True, values=values) == 600 + 10 * value
    assert one(False, False, values=values) == -5
    assert one(False, True, values=values) == 0
    for weight in (0.0, 2.0):
        settings = RewardSettings(weights={term: weight})
        expected = value * weight / PAPER_WEIGHTS[term]
        assert one(True, False, values=values, settings=settings) == 5 + expected


@pytest.mark.parametrize(
    ("length", "penalty"), [(1, 200), (18, 200), (19, 25), (27, 25), (28, 0), (120, 0)]
)
def test_short_molecules_pay_at_their_end_only(length, penalty):
    assert one(True, True, length=length) == 600 - penalty
    assert one(False, True, length=length) == -penalty
    assert one(True, False, length=length) == 5
    halved = RewardSettings(weights={"length": 100.0})
    assert one(False, True, length=length, settings=halved) == -penalty / 2
    limits = RewardSettings(very_short_length=2.0, short_length=3.0)
    expected = {1: 200}.get(length, 0)
    assert one(False, True, length=length, settings=limits) == -expected


def test_a_limit_itself_is_long_enough():
    limits = RewardSettings(very_short_length=2.0, short_length=3.0)
    costs = [-one(False, True, length, settings=limits) for length in (1, 2, 3)]
    assert costs == [200, 25, 0]


@pytest.mark.parametrize("run", [0, 1, 11, 12, 13, 40])
@pytest.mark.parametrize(("parsed", "ended"), [(True, True), (True, False), (0, 0)])
def test_carbon_after_more_than_eleven_pays_always(run, parsed, ended):
    """The 13th in a row is the first that follows more than 11."""
    penalty = 150 if run >= 13 else 0
    assert one(parsed, ended, run=run) == one(parsed, ended) - penalty
    limit = RewardSettings(carbon_limit=39.0)
    assert one(parsed, ended, run=run, settings=limit) == one(parsed, ended)


def test_carbon_is_punished_along_a_chain(pool):
    _, terms = rewards_along(pool, "C" * 14)
    assert terms["carbon"].tolist() == [0.0] * 12 + [-150.0] * 2 + [0.0]


def test_prefixes_may_earn_nothing(pool):
    everything, _ = rewards_along(pool, "CCO")
    for weights, share in (
        ({"prefix": 0.0}, everything[:-1] - 5),
        ({"prefix_score": 0.0}, 5.0),
        ({"prefix": 0.0, "prefix_score": 0.0}, 0.0),
    ):
        settings = RewardSettings(weights=weights)
        rewards, _ = rewards_along(pool, "CCO", settings)
        np.testing.assert_allclose(rewards[:-1], share, atol=1e-4)
        assert rewards[-1] == everything[-1]
        assert settings.scores_prefixes == (len(weights) == 1)


def test_own_component_counts_with_its_weight(pool):
    settings = RewardSettings(weights={OWN: 0.5}, components=[OWN])
    rewards, terms = rewards_along(pool, "CCO", settings)
    expected = np.array([1, 2, 3, 30]) * 0.5
    assert terms[OWN].tolist() == expected.tolist()
    np.testing.assert_allclose(
        rewards, rewards_along(pool, "CCO")[0] + expected, atol=1e-4
    )
    assert RewardSettings(components=(OWN,)).weight(OWN) == 1.0
    assert RewardSettings(components=(OWN,)).scored_components == (
        *COMPONENT_TERMS,
        OWN,
    )


def test_terms_add_up_and_can_be_switched_off(pool):
    rewards, terms = rewards_along(pool, "CC(=O)Oc1ccccc1C(=O)O")
    assert set(terms) == set(PAPER_WEIGHTS) - {"prefix_score"}
    np.testing.assert_allclose(rewards, sum(terms.values()), atol=1e-4)
    nothing = RewardSettings(weights=dict.fromkeys(PAPER_WEIGHTS, 0.0))
    assert nothing.scored_components == ()
    assert not rewards_along(pool, "CC(=O)Oc1ccccc1C(=O)O", nothing)[0].any()


def test_carbon_runs_are_counted_back_from_the_last_token():
    carbon = 3
    tokens = np.array(
        [
            [3, 3, 3, 1, 3],
            [3, 3, 3, 1, 3],
            [3, 3, 3, 1, 3],
            [1, 1, 1, 1, 1],
            [0, 3, 3, 3, 3],
        ]
    )
    lengths = np.array([3, 4, 5, 2, 5])
    assert carbon_runs(tokens, lengths, carbon).tolist() == [3, 0, 1, 0, 4]
    assert carbon_runs(tokens, lengths, None).tolist() == [0] * 5


def test_settings_survive_json():
    settings = RewardSettings({"qed": 100}, (OWN,), 10, 20.5, 7)
    again = RewardSettings.from_json(json.loads(json.dumps(settings.to_json())))
    assert again == settings
    assert hash(again) == hash(settings)
    assert again.weight("qed") == 100.0
    assert dataclasses.replace(again, carbon_limit=3).components == (OWN,)


def test_limits_are_those_of_the_training_set():
    statistics = {"very_short_length": 19, "short_length": 26.7, "carbon_limit": 9}
    settings = RewardSettings.for_training_set(
        statistics | {"mean_length": 45.3}, weights={"qed": 1.0}
    )
    assert settings == RewardSettings({"qed": 1.0}, (), 19, 26.7, 9)


def test_weights_are_read_from_text():
    assert parse_reward_weights("") == {}
    assert parse_reward_weights(" qed=100, log_p = 0,") == {"qed": 100, "log_p": 0}
    assert parse_reward_weights(f"{OWN}=-2", [OWN]) == {OWN: -2.0}
    assert parse_reward_components(f" {OWN}, ") == (OWN,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qed", "'qed' is not of the form term=number; the terms are valid, prefix"),
        ("drug=1", "unknown term 'drug'"),
        (f"{OWN}=1", f"unknown term '{OWN}'"),
        ("qed=1,qed=2", "two weights"),
        ("qed=nan", "not a finite number"),
        ("qed=much", "weight 'much' of term 'qed' is not a finite number"),
    ],
)
def test_bad_weights_are_refused(text, message):
    with pytest.raises(UserError, match=message) as raised:
        parse_reward_weights(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": {"drug": 1.0}}, "unknown term 'drug'"),
        ({"weights": {"qed": "1"}}, "weight of 'qed' is '1'"),
        ({"weights": {"qed": True}}, "must be a finite number"),
        ({"weights": {"qed": float("inf")}}, "must be a finite number"),
        ({"carbon_limit": None}, "carbon_limit is None"),
        ({"components": ("nowhere:score",)}, "cannot be imported"),
        ({"components": (OWN, OWN)}, "twice"),
        ({"components": ("qed",)}, "part of the reward anyway"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        RewardSettings(**arguments)


def test_settings_need_neither_rdkit_nor_tensorflow():
    """So that --help is quick."""
    program = (
        "import sys, molecule_rnn.scoring.rewards as r; r.RewardSettings({'qed': 1});"
        "print('rdkit' in sys.modules or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
