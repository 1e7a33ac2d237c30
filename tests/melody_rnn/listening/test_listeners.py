"""Two hundred simulated raters with planted preferences, forty at a time."""

import collections
import concurrent.futures
import csv
import io
import itertools

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("flask", reason="flask is missing: pip install '.[listen]'")

from listening_study import Browser, Listener, make_study, serve, stored_ratings

from melody_rnn.listening import results
from melody_rnn.listening import study as study_module
from melody_rnn.listening.study import Study

WORTH = {"mle": 0.0, "g": 0.5, "q": 1.1, "psi": 1.1}
NUM_RATERS, SITTING = 200, 6


@pytest.fixture(name="listened", scope="module")
def _listened(tmp_path_factory):
    """The raters, the store, and the exported CSV."""
    directory = tmp_path_factory.mktemp("listeners")
    store, catalogue = make_study(directory, WORTH, num_melodies=10)
    with pytest.MonkeyPatch.context() as patch, serve(store, catalogue) as port:
        patch.setattr(study_module, "_LEAST_TRIALS", SITTING)
        listeners = [
            Listener(port, store.path, f"rater {number}", WORTH)
            for number in range(NUM_RATERS)
        ]
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            list(pool.map(lambda listener: listener.sit(SITTING + 1), listeners))
        exported = Browser(port).get("/results.csv")
    return listeners, store, list(csv.DictReader(io.StringIO(exported)))


def test_no_vote_is_lost(listened):
    listeners, store, rows = listened
    acknowledged = {}
    for listener in listeners:
        assert len(listener.acknowledged) == SITTING  # then there was a rest
        acknowledged |= listener.acknowledged
    assert len(acknowledged) == NUM_RATERS * SITTING
    assert stored_ratings(store.path) == acknowledged
    assert len(rows) == len(acknowledged)


def test_every_pair_of_models_got_as_many_trials_in_either_order(listened):
    _, _, rows = listened
    orders = collections.Counter(
        (row["first_model"], row["second_model"]) for row in rows
    )
    each = len(rows) // 6
    for a, b in itertools.combinations(WORTH, 2):
        assert orders[a, b] + orders[b, a] == each
        # Five standard deviations of a fair coin.
        assert abs(orders[a, b] - each / 2) < 5 * np.sqrt(each / 4)


def test_no_rater_heard_a_pair_of_melodies_twice(listened):
    _, _, rows = listened
    heard = {
        (row["rater"], frozenset([row["first_melody"], row["second_melody"]]))
        for row in rows
    }
    assert len(heard) == len(rows)


def test_statistics_are_scipys_on_the_exported_csv(listened):
    _, store, rows = listened
    scores = collections.defaultdict(list)
    for row in rows:
        scores[row["first_model"]].append(int(row["first_score"]))
        scores[row["second_model"]].append(int(row["second_score"]))
    votes, models = Study(store).votes(), list(WORTH)
    h, p = stats.kruskal(*(scores[model] for model in models))
    ours = results.kruskal_wallis(votes, models)
    assert (ours.h, ours.p, ours.degrees_of_freedom) == (h, p, 3)
    pairs = results.pair_results(votes, models)
    assert len(pairs) == 6
    for pair in pairs:
        u, p = stats.mannwhitneyu(scores[pair.a], scores[pair.b])
        assert (pair.u, pair.p) == (u, p)
    for model in results.model_results(votes, models):
        wins = sum(score > 3 for score in scores[model.name])
        losses = sum(score < 3 for score in scores[model.name])
        assert (model.wins, model.losses) == (wins, losses)
        assert model.wins + model.ties + model.losses == len(scores[model.name])
        deviation = stats.binom(wins + losses, wins / (wins + losses)).std()
        assert model.error == pytest.approx(deviation)


def test_planted_preferences_are_recovered(listened):
    _, store, _ = listened
    votes, models = Study(store).votes(), list(WORTH)
    assert results.kruskal_wallis(votes, models).p < 1e-10
    wins = {each.name: each.wins for each in results.model_results(votes, models)}
    assert wins["mle"] < wins["g"] < min(wins["q"], wins["psi"])
    for pair in results.pair_results(votes, models):
        assert WORTH[pair.a] >= WORTH[pair.b]
        if WORTH[pair.a] > WORTH[pair.b]:
            assert pair.p_holm < 1e-6
            assert pair.more_ratings == 0
        else:  # equal ones differ by chance, but hardly by that much
            assert pair.p > 1e-4
