import functools
import math

import numpy as np
import pytest

from melody_rnn.music_theory import rewards as music_theory
from melody_rnn.music_theory.statistics import composition_stats
from melody_rnn.table1 import (
    PAPER_TABLE1,
    TABLE1_ROWS,
    table1_metrics,
    table1_standard_errors,
)

NAMES = [row.name for row in TABLE1_ROWS]


@functools.cache
def melodies():
    """Random walks, so that events of a melody hang together."""
    random = np.random.default_rng(0)
    walks = 18 + random.integers(-4, 5, (1500, 32)).cumsum(axis=1)
    # Where leaps are doubled, others are resolved: the two counts go together.
    walks[1000:1300] = np.resize([2, 9, 16, 10, 4, 2], 32)
    walks[random.random(walks.shape) < 0.2] = 0
    # A third of them quicker to repeat: clusters that a binomial error would miss.
    walks[:500, ::2] = walks[:500, :1]
    walks[500:700, 16:] = walks[500:700, :16]  # and some repeated motifs
    return walks.clip(0, 37)


def by_hand(compositions):
    """Table 1 from rewards and numpy: numerators and denominators per melody."""
    rewards = music_theory.rule_rewards(compositions)
    ones = np.ones(len(compositions))
    steps = ones * compositions.shape[1]
    centred = compositions - compositions.mean(axis=1, keepdims=True)
    variance = centred.var(axis=1)
    resolved = (rewards["leaps"] > 0).sum(axis=1)
    leaps = (rewards["leaps"] != 0).sum(axis=1)
    notes = np.where(compositions < 2, 99, compositions)
    highest = compositions == compositions.max(axis=1, keepdims=True)
    lowest = notes == notes.min(axis=1, keepdims=True)
    table = {
        "notes_excessively_repeated": ((rewards["repeating"] < 0).sum(1), steps),
        "notes_not_in_key": ((rewards["key"] < 0).sum(1), steps),
        "notes_in_motif": ((rewards["motif"] > 0).sum(1), steps),
        "notes_in_repeated_motif": ((rewards["repeated_motif"] > 0).sum(1), steps),
        "melodies_starting_with_tonic": (compositions[:, 0] == 14, ones),
        "melodies_with_unique_max": (highest.sum(1) == 1, ones),
        "melodies_with_unique_min": (lowest.sum(1) == 1, ones),
        "leaps_resolved": (resolved, leaps),
    }
    for lag in (1, 2, 3):
        products = (centred[:, lag:] * centred[:, :-lag]).sum(axis=1)
        coefficient = products / compositions.shape[1] / variance
        table[f"autocorrelation_lag_{lag}"] = (coefficient, ones)
    return table


def scale(name):
    return 1 if name.startswith("autocorrelation") else 100


def test_metrics_against_numpy():
    expected = {
        name: scale(name) * np.sum(top) / np.sum(bottom)
        for name, (top, bottom) in by_hand(melodies()).items()
    }
    figures = table1_metrics(composition_stats(melodies()))
    assert list(figures) == NAMES
    assert figures == pytest.approx(expected, abs=1e-5)


def test_standard_errors_against_the_bootstrap():
    errors = table1_standard_errors(composition_stats(melodies()))
    assert list(errors) == NAMES
    random = np.random.default_rng(1)
    drawn = random.integers(0, len(melodies()), (2000, len(melodies())))
    for name, (top, bottom) in by_hand(melodies()).items():
        ratios = np.asarray(top)[drawn].sum(1) / np.asarray(bottom)[drawn].sum(1)
        # 2,000 draws know a standard deviation to about 1.6%.
        assert errors[name] == pytest.approx(scale(name) * ratios.std(), rel=0.08), name
        assert errors[name] > 0


def test_share_of_melodies_has_the_binomial_error():
    stats = composition_stats(melodies())
    share = table1_metrics(stats)["melodies_with_unique_max"] / 100
    binomial = 100 * math.sqrt(share * (1 - share) / len(melodies()))
    error = table1_standard_errors(stats)["melodies_with_unique_max"]
    assert error == pytest.approx(binomial)


def test_nothing_to_divide_by_is_nan():
    empty = composition_stats(np.zeros((0, 32), int))
    for figures in (table1_metrics(empty), table1_standard_errors(empty)):
        assert all(math.isnan(figure) for figure in figures.values())
    no_leaps = composition_stats([[14, 14, 14]])
    assert math.isnan(table1_metrics(no_leaps)["leaps_resolved"])
    assert math.isnan(table1_standard_errors(no_leaps)["leaps_resolved"])


def test_paper_columns_have_every_row():
    assert list(PAPER_TABLE1) == ["Note RNN", "Q", "Psi", "G"]
    for column in PAPER_TABLE1.values():
        assert list(column) == NAMES
    assert PAPER_TABLE1["Note RNN"]["notes_in_repeated_motif"] == 0.007
    assert PAPER_TABLE1["G"]["autocorrelation_lag_3"] == 0.17
    assert {row.better for row in TABLE1_ROWS} == {"lower", "near zero", "higher"}
