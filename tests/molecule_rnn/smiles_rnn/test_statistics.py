import json
import statistics

import numpy as np
import pytest
import scipy.stats
from zinc import needs_zinc, zinc_smiles

from molecule_rnn.smiles_rnn.statistics import TrainingStatistics, longest_run
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.errors import UserError


def test_a_small_set_by_hand():
    smiles = ["CCCO", "CCN", "CCOCCC(CC)C", "O"]
    found = TrainingStatistics.measure(smiles, Vocabulary.learn(smiles))
    lengths = [5, 4, 12, 2]  # with the end of the sequence
    assert found.num_molecules == 4
    assert found.mean_length == pytest.approx(statistics.fmean(lengths))
    assert found.length_deviation == pytest.approx(statistics.pstdev(lengths))
    assert (found.min_length, found.max_length) == (2, 12)
    assert found.short_length == pytest.approx(5.75 - 2 * statistics.pstdev(lengths))
    assert found.very_short_length == 2  # 0.135 % of four are less than one
    assert found.carbon_limit == 3


def test_far_too_short_is_where_three_deviations_lie_in_a_normal_distribution():
    share = 100 * scipy.stats.norm.cdf(-3)
    lengths = np.random.default_rng(0).normal(50, 6, 40_000).round().astype(int)
    smiles = ["C" * (length - 1) for length in lengths]
    found = TrainingStatistics.measure(smiles, Vocabulary(["C"]))
    assert found.very_short_length == pytest.approx(50 - 3 * 6, abs=1.0)
    below = np.mean(lengths < found.very_short_length) * 100
    assert below <= share <= np.mean(lengths <= found.very_short_length) * 100


def test_the_carbon_of_chlorine_is_a_c_among_characters_only():
    smiles = ["CCCl"]
    runs = [
        TrainingStatistics.measure(smiles, Vocabulary.learn(smiles, t)).carbon_limit
        for t in ("characters", "atoms")
    ]
    assert runs == [3, 2]


def test_no_carbon_at_all():
    found = TrainingStatistics.measure(["O", "N"], Vocabulary(["O", "N"]))
    assert found.carbon_limit == 0


def test_runs():
    assert longest_run([1, 1, 2, 1, 1, 1], 1) == 3
    assert longest_run([1, 1, 2], 1) == 2
    assert longest_run([2, 2], 1) == 0
    assert longest_run([], 1) == 0


def test_a_run_does_not_reach_into_the_next_molecule():
    found = TrainingStatistics.measure(["OCC", "CCO"], Vocabulary(["C", "O"]))
    assert found.carbon_limit == 2


@needs_zinc
def test_zinc_gives_the_papers_limits():
    smiles = zinc_smiles(249_456)
    found = TrainingStatistics.measure(smiles, Vocabulary.learn(smiles))
    assert found.very_short_length == 19  # Jaques et al. 2017: 19
    assert found.carbon_limit == 11  # 11
    assert found.short_length == pytest.approx(27.08, abs=0.5)
    assert found.mean_length == pytest.approx(45.82, abs=0.6)
    assert found.length_deviation == pytest.approx(9.37, abs=0.1)
    assert found.max_length == 121  # the longest have no room for their end in 120


def test_json_and_back():
    found = TrainingStatistics.measure(["CCO", "CN"], Vocabulary(["C", "N", "O"]))
    assert (
        TrainingStatistics.from_json(json.loads(json.dumps(found.to_json()))) == found
    )
    for wrong in (None, {}, found.to_json() | {"mean_length": "long"}):
        with pytest.raises(UserError, match="no statistics of a training set"):
            TrainingStatistics.from_json(wrong)
