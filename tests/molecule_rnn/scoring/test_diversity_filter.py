"""The diversity filter, by hand and beside RDKit's scaffolds."""

import collections

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold
from zinc import needs_zinc, zinc_smiles

from molecule_rnn.scoring.diversity_filter import ScaffoldFilter, ScaffoldSettings
from rl_tuner.errors import UserError


def _filter(strings, *settings):
    """A filter whose sequences [N, 1] are places in a list of strings."""
    return ScaffoldFilter(
        ScaffoldSettings(*settings),
        lambda rows: [strings[int(row[0])] for row in rows],
        num_processes=0,
    )


def _filtered(found, rewards, first=0):
    places = np.arange(first, first + len(rewards), dtype=np.int32)[:, np.newaxis]
    return found.filtered(places, np.array(rewards, np.float32)).tolist()


def test_full_buckets_and_known_molecules_earn_nothing():
    strings = [
        *("Cc1ccccc1", "c1ccccc1", "C1=CC=CC=C1", "CCc1ccccc1", "CCCc1ccccc1"),
        *("CCO", "OCC", "CC(", "CCN", "CCCC", "Oc1ccccc1", "C1CCCCC1"),
    ]
    expected = [
        *(1.0, 2.0),  # two benzenes
        0.0,  # the second one in another spelling
        0.0,  # the bucket is full
        0.25,  # too little to be looked at
        *(3.0, 0.0),  # one molecule twice
        5.0,  # none: what it earns is not for this filter to say
        *(0.5, 0.0),  # without a ring: three
        0.0,  # the bucket is full still
        7.0,
    ]
    rewards = [1.0, 2.0, 2.0, 9.0, 0.25, 3.0, 3.0, 5.0, 0.5, 1.0, 8.0, 7.0]
    assert _filtered(_filter(strings, 2, 0.4), rewards) == expected


def test_a_scoring_function_says_what_is_worth_remembering():
    strings = ["c1ccccc1", "c1ccccc1", "CCO", "CCO"]
    found = ScaffoldFilter(
        ScaffoldSettings(25, 0.4),
        lambda rows: [strings[int(row[0])] for row in rows],
        num_processes=0,
        score=lambda smiles: np.array([0.5 if "c" in s else 0.3 for s in smiles]),
    )
    assert _filtered(found, [-9.0, -9.0, 9.0, 9.0]) == [-9.0, 0.0, 9.0, 9.0]


@needs_zinc
def test_buckets_are_those_of_rdkits_scaffolds():
    strings = zinc_smiles(400)
    earned = _filtered(_filter(strings, 3, 0.4), [1.0] * 400)
    counts, known = collections.Counter(), set()
    for string, got in zip(strings, earned, strict=True):
        molecule = Chem.MolFromSmiles(string)
        core = MurckoScaffold.GetScaffoldForMol(molecule)
        core = Chem.MolToSmiles(core, isomericSmiles=False)
        is_new = Chem.MolToSmiles(molecule) not in known
        known.add(Chem.MolToSmiles(molecule))
        counts[core] += is_new
        assert got == float(is_new and counts[core] <= 3)
    assert 0.0 in earned


def test_restored_filter_goes_on_as_the_first():
    strings = ["c1ccccc1", "Cc1ccccc1", "Cc1ccccc1", "CCO", "CCc1ccccc1", "CCN"]
    whole = _filter(strings, 2, 0.4)
    begun = _filter(strings, 2, 0.4)
    expected = _filtered(whole, [1.0] * 6)
    assert expected == [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    _filtered(begun, [1.0] * 2)
    resumed = _filter(strings, 2, 0.4)
    resumed.restore(begun.state())
    assert _filtered(resumed, [1.0] * 4, first=2) == expected[2:]
    ours, theirs = resumed.state(), whole.state()
    assert ours["memory"].tobytes() == theirs["memory"].tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0, 0.4), "scaffold_bucket_size is 0; it must be at least 1"),
        ((25, float("nan")), "scaffold_minimum_score is nan; it must be finite"),
    ],
)
def test_nonsense_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        ScaffoldSettings(*settings)
