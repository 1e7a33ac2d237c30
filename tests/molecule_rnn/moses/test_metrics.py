"""MOSES's figures: its own on molecules of ZINC, and by hand on a few."""

import math

import numpy as np
import pytest
from rdkit import Chem
from zinc import needs_zinc, zinc_smiles

from molecule_rnn.moses.features import fragments, refusal, ring_scaffold
from molecule_rnn.moses.metrics import cosine_similarity, nearest_similarities
from molecule_rnn.scoring import molecule_statistics
from molecule_rnn.scoring.molecule_statistics import (
    compare,
    molecule_stats,
    profile,
    profile_workers,
)
from molecule_rnn.table2 import table2_metrics, table2_standard_errors

# The functions of molsets 0.3.1 with RDKit 2026.9.1, on the sets of `_of_zinc`.
MOSES = {"SNN": 0.3793425350595229, "Frag": 0.9665082475636498}
MOSES |= {"Scaf": 0.12163340819996027, "Filters": 83}


def _of_zinc():
    """A reference set, and molecules, some of which are in it; some are there twice."""
    chosen = zinc_smiles(300, 800)
    return chosen[:200], chosen[180:] + chosen[200:220]


@needs_zinc
def test_figures_are_those_of_moses():
    reference, molecules = _of_zinc()
    workers = profile_workers(1)
    found = compare(molecules, reference, workers)
    assert found["nearest"][0] / 140 == pytest.approx(MOSES["SNN"], rel=1e-12)
    assert found["fragments"] == pytest.approx(MOSES["Frag"], rel=1e-12)
    assert found["scaffolds"] == pytest.approx(MOSES["Scaf"], rel=1e-12)
    profiles = profile(molecules, workers, ("pains", "refusal"))
    found = [profiles[string] for string in molecules]
    accepted = [not (values["pains"] or values["refusal"]) for values in found]
    # Some of its medicinal chemistry filters are not RDKit's.
    assert sum(accepted) == pytest.approx(MOSES["Filters"], abs=8)


def test_figures_of_a_few_molecules_by_hand():
    benzenes = ["c1ccccc1", "c1ccccc1", "C"]
    found = compare(benzenes, ["c1ccccc1", "CC"], profile_workers(1))
    assert found["number"] == 3
    # Benzene is there itself; methane shares no bit with either.
    assert found["nearest"] == [2.0, 2.0]
    # (2, 1, 0) and (1, 0, 1) of benzene, methane and ethane.
    assert found["fragments"] == pytest.approx(2 / math.sqrt(5 * 2))
    assert found["scaffolds"] is None  # one ring is none
    biphenyls = compare(
        ["c1ccccc1-c1ccccc1"], {"Cc1ccccc1-c1ccccc1"}, profile_workers(1)
    )
    assert biphenyls["scaffolds"] == 1.0
    assert math.isnan(cosine_similarity([], [["a"]]))
    assert cosine_similarity([["a", "a"], ["b"]], [["b", "c"]]) == pytest.approx(
        1 / math.sqrt(5 * 2)
    )


def test_the_table_has_them_with_an_error():
    reference, molecules = ["c1ccccc1", "CCO"], ["Cc1ccccc1", "CCN", "OCC", "C("]
    stats = molecule_stats(molecules, training_set=reference)
    figures, errors = table2_metrics(stats), table2_standard_errors(stats)
    nearest = nearest_similarities(molecules[:3], reference)
    assert figures["nearest_neighbour"] == pytest.approx(np.mean(nearest))
    assert errors["nearest_neighbour"] == pytest.approx(np.std(nearest) / math.sqrt(3))
    assert figures["fragments"] == stats["compared"]["fragments"]
    assert math.isnan(figures["scaffold_counts"])
    assert figures["passes_filters"] == 100.0


def test_without_a_training_set_nothing_is_compared():
    stats = molecule_stats(["CCO"])
    assert stats["compared"] is None
    assert "nearest_neighbour" not in table2_metrics(stats)
    undefined = table2_metrics(molecule_stats(["C("], training_set=["CCO"]))
    assert math.isnan(undefined["nearest_neighbour"])
    assert math.isnan(undefined["fragments"])


def test_reference_lies_evenly_in_a_large_training_set(monkeypatch):
    monkeypatch.setattr(molecule_statistics, "COMPARED_SAMPLE", 2)
    chains = {"C" * n for n in range(1, 7)}
    seen = []
    monkeypatch.setattr(
        molecule_statistics,
        "nearest_similarities",
        lambda ours, theirs: seen.extend((ours, theirs)) or np.ones(len(ours)),
    )
    assert compare(["O", "N", "C"], chains, profile_workers(1))["number"] == 2
    assert seen == [["O", "N"], ["C", "CCCC"]]


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("CC(=O)Nc1ccc(O)cc1", ""),
        ("C[N+](C)(C)C", "charge"),
        ("CB(O)O", "B"),
        ("CCI", "I"),
        ("C1CCCCCCC1", "large ring"),
        ("C1CCCCCC1", ""),
        ("CCOC(=O)Cl", "R2 Acid halides"),
    ],
)
def test_filters_refuse(smiles, reason):
    assert refusal(Chem.MolFromSmiles(smiles)) == reason


def test_pains_are_refused_too():
    assert molecule_stats(["O=C1C=CC(=O)C=C1", "CCO"])["num_accepted"] == 1


def test_fragments_and_scaffolds_of_a_molecule():
    ether = Chem.MolFromSmiles("CCOc1ccccc1")
    parts = ["[16*]c1ccccc1", "[3*]O[3*]", "[4*]CC"]
    assert sorted(fragments(ether).split(".")) == parts
    assert ring_scaffold(ether) == ""
    two = Chem.MolFromSmiles("Cc1ccccc1CC1CCNC1")
    assert ring_scaffold(two) == "c1ccc(CC2CCNC2)cc1"
