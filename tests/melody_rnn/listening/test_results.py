import collections
import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from melody_rnn.listening import results
from melody_rnn.listening.votes import Vote, votes_csv


def vote(first, second, rating, number=1):
    return Vote(number, 1, 0.0, first, second, "m1", "m2", rating)


def test_a_vote_scores_both_melodies():
    votes = [vote("a", "b", 1), vote("b", "a", 2), vote("a", "c", 3)]
    assert results.scores_by_model(votes, "abc") == {
        "a": [5, 2, 3],
        "b": [1, 4],
        "c": [3],
    }


def test_wins_and_their_binomial_error():
    votes = [vote("a", "b", r) for r in (1, 2, 2, 3, 4)] + [vote("b", "a", 5)]
    a, b, c = results.model_results(votes, "abc")
    assert (a.wins, a.ties, a.losses) == (4, 1, 1)
    assert (b.wins, b.ties, b.losses) == (1, 1, 4)
    deviation = pytest.approx(stats.binom(5, 0.8).std())
    assert a.error == deviation
    assert b.error == deviation
    assert (c.wins, c.ties, c.losses, c.error) == (0, 0, 0, 0.0)
    assert math.isnan(c.mean_score)


@pytest.mark.parametrize(
    "votes", [[], [vote("a", "b", 3)], [vote("a", "b", 3), vote("b", "c", 3)]]
)
def test_nothing_and_ties_are_no_difference(votes):
    kruskal = results.kruskal_wallis(votes, "abc")
    assert math.isnan(kruskal.p)
    assert not kruskal.is_significant
    for pair in results.pair_results(votes, "abc"):
        assert pair.p_holm == 1.0
        assert pair.more_ratings is None


def test_mirrored_votes_keep_the_level_that_kruskal_wallis_does_not():
    rng = np.random.default_rng(3)
    found = collections.Counter()
    for _ in range(200):
        votes = [vote("a", "b", rating) for rating in rng.integers(1, 6, 60)]
        result = results.kruskal_wallis(votes, "ab")
        found["scipy"] += result.p < 0.05
        found["mirrored"] += result.is_significant
    assert found["mirrored"] / 200 < 0.1 < found["scipy"] / 200


def test_mirrored_p_is_that_of_scipys_permutation_test():
    rng = np.random.default_rng(4)
    models = [("a", "b"), ("c", "a"), ("b", "c")] * 8
    votes = [
        vote(*pair, rating)
        for pair, rating in zip(models, rng.integers(1, 6, 24), strict=True)
    ]

    def h(signs):
        mirrored = [
            v if sign > 0 else dataclasses.replace(v, rating=6 - v.rating)
            for v, sign in zip(votes, signs, strict=True)
        ]
        return stats.kruskal(*results.scores_by_model(mirrored, "abc").values())[0]

    # Of one sample, "samples" permutes by signs.
    theirs = stats.permutation_test(
        (np.ones(24),),
        h,
        permutation_type="samples",
        alternative="greater",
        n_resamples=1999,
        rng=rng,
        vectorized=False,
    )
    ours = results.kruskal_wallis(votes, "abc")
    assert ours.h == pytest.approx(theirs.statistic)
    assert ours.p_mirrored == pytest.approx(theirs.pvalue, abs=0.05)


def test_direct_comparisons_are_tested_by_signs():
    votes = [vote("a", "b", r) for r in (1, 2, 3, 4)] + [vote("b", "a", 5)] * 6
    votes += [vote("a", "c", 5)] * 20
    pair = next(p for p in results.pair_results(votes, "abc") if {p.a, p.b} == {*"ab"})
    wins = pair.direct if pair.a == "a" else pair.direct[::-1]
    assert wins == (8, 1, 1)
    assert pair.p_direct == stats.binomtest(8, 9).pvalue


def test_holm_is_what_r_says():
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"), worked by hand as well:
    # 4 * .005, 3 * .01, 2 * .03, then 1 * .04 raised to what stands before it.
    assert results.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert results.holm([0.6, 0.7]) == [1.0, 1.0]
    assert results.holm([]) == []


def test_as_many_ratings_as_foretold_settle_it_as_often_as_foretold():
    rng = np.random.default_rng(5)
    # Of two levels only, so that ties matter: without them it would take a third more.
    levels, likes = [2, 4], ([0.4, 0.6], [0.6, 0.4])
    a, b = (np.repeat(levels, np.round(np.array(p) * 100).astype(int)) for p in likes)
    ratings = results.more_ratings(a, b, num_votes=0, num_models=2)
    # Of two models, each rating scores each once.
    found = 0
    for _ in range(800):
        x, y = (rng.choice(levels, ratings, p=p) for p in likes)
        found += stats.mannwhitneyu(x, y).pvalue < results.SIGNIFICANCE
    assert found / 800 == pytest.approx(results.POWER, abs=0.06)


def test_more_models_take_more_ratings():
    a, b = [3, 4, 5, 4] * 5, [2, 3, 4, 3] * 5
    two = results.more_ratings(a, b, num_votes=0, num_models=2)
    four = results.more_ratings(a, b, num_votes=0, num_models=4)
    assert four > 2 * two  # half of the scores a rating, and a stricter level
    assert results.more_ratings(a, b, two - 5, 2) == 5
    assert results.more_ratings(a, b, two + 5, 2) == 1
    assert results.more_ratings(a, a, 20, 2) is None
    nearly = [1, 2, 3, 4, 5] * 200
    assert results.more_ratings([*nearly, 4], [*nearly, 3], 1001, 2) is None


def test_csv_has_numbers_for_raters_and_both_scores():
    lines = votes_csv([vote("a", "b", 2, number=7)]).splitlines()
    assert lines == [
        "number,rater,rated_at,first_model,second_model,first_melody,second_melody,"
        "rating,first_score,second_score",
        "7,1,0.0,a,b,m1,m2,2,4,2",
    ]
