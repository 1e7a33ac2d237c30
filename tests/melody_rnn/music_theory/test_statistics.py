import functools
import json
import math

import numpy as np
import pytest
from reference import REFERENCE, needs_reference

from melody_rnn.music_theory import rewards as music_theory
from melody_rnn.music_theory import statistics
from rl_tuner.errors import UserError


@functools.cache
def golden_compositions():
    with np.load(REFERENCE / "music" / "music_theory_rewards.npz") as file:
        return file["compositions"]


@functools.cache
def golden_stats():
    return statistics.composition_stats(golden_compositions())


@needs_reference
def test_equals_magenta():
    theirs = json.loads((REFERENCE / "music" / "composition_stats.json").read_text())
    ours = golden_stats()
    for name, value in theirs.items():
        if name.startswith("autocorrelation"):
            assert ours[name] == pytest.approx(value, abs=1e-7)
        else:
            assert ours[name] == value, name


@needs_reference
def test_agrees_with_the_rewards():
    rewards = music_theory.rule_rewards(golden_compositions())
    stats = golden_stats()
    counts = {
        "notes_not_in_key": rewards["key"] < 0,
        "num_repeated_notes": rewards["repeating"] < 0,
        "notes_in_motif": rewards["motif"] > 0,
        "notes_in_repeated_motif": rewards["repeated_motif"] > 0,
        "num_resolved_leaps": rewards["leaps"] > 0,
        "num_leap_twice": rewards["leaps"] < 0,
    }
    for name, kept in counts.items():
        assert stats[name] == kept.sum(), name
        squares = (kept.sum(axis=1) ** 2).sum()
        assert stats["sums_of_squares"][name] == squares, name


@needs_reference
def test_corrected_reading_swaps_rest_and_hold():
    compositions = golden_compositions()
    swapped = np.where(compositions < 2, 1 - compositions, compositions)
    corrected = statistics.composition_stats(swapped, rules="corrected")
    for name, value in golden_stats().items():
        # The autocorrelation and the highest class see the raw numbers.
        if name.startswith(("notes_", "num_")) and name != "num_high_unique":
            assert corrected[name] == value, name
    assert corrected["rules"] == "corrected"


def test_counts_worked_by_hand():
    #             C4  E4  B4     G4  C4     C5  A#4
    melodies = [[14, 18, 25, 0, 21, 14, 1, 26, 24], [2, 2, 2, 2, 2, 2, 2, 2, 2]]
    stats = statistics.composition_stats(melodies)
    expected = {
        "num_compositions": 2,
        "total_notes": 18,
        "num_starting_tonic": 1,
        "notes_not_in_key": 1,
        "num_in_key_thirds": 1,  # C to E
        "num_fifths": 1,  # E to B is a fifth, but not from C or G
        "num_in_key_fifths": 1,  # G to C
        "num_in_key_preferred_intervals": 1,  # Magenta's, the fifths
        "num_in_key_thirds_and_fifths": 2,
        "num_rest_intervals": 1,  # class 0 after B
        "num_special_rest_intervals": 0,
        "num_thirds": 1,  # B to G
        "num_seconds": 1,  # C5 to A sharp
        "num_repeated_notes": 4,  # the sixth to ninth of nine
        "num_high_unique": 1,
        "num_low_unique": 0,
        "notes_in_motif": 2,
        "notes_in_repeated_motif": 0,
        "num_autocorrelation1_defined": 1,  # the second melody is constant
    }
    assert {name: stats[name] for name in expected} == expected


def test_another_key():
    stats = statistics.composition_stats([[23, 26, 27, 30]], key="A minor")
    assert stats["num_starting_tonic"] == 1  # A4
    assert stats["notes_not_in_key"] == 1  # C sharp
    assert stats["num_in_key_thirds"] == 1
    assert stats["key"] == "A minor"


def test_nothing_to_average():
    constant = statistics.composition_stats([[14, 14, 14]])
    assert math.isnan(constant["autocorrelation1"])
    empty = statistics.composition_stats(np.zeros((0, 32), int))
    assert empty["num_compositions"] == empty["total_notes"] == 0


def test_result_is_json():
    stats = statistics.composition_stats([[14, 16, 18], [0, 1, 2]])
    assert json.loads(json.dumps(stats)) == stats


def test_bad_input():
    with pytest.raises(UserError, match="compositions"):
        statistics.composition_stats([[99]])
    with pytest.raises(UserError, match="unknown key"):
        statistics.composition_stats([[14]], key="H")
