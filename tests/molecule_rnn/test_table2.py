import itertools
import json
import math

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, AllChem, Crippen, FilterCatalog
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring import molecule_statistics
from molecule_rnn.scoring.molecule_statistics import (
    canonical_smiles,
    molecule_stats,
    profile_workers,
)
from molecule_rnn.table2 import (
    DIVERSITY_ROWS,
    PAPER_TABLE2,
    TABLE2_ROWS,
    table2_metrics,
    table2_standard_errors,
)

ACYCLIC = ["CCO", "OCC", "CCN", "C(", "", "CCCCCCCC"]
CYCLIC = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "c1ccccc1C",
    "Cc1ccccc1",
    "C1CCCCCCCC1",
    "O=C1C=CC(=O)C=C1",  # a quinone, one of the PAINS
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "c1ccccc1(",
]
SMILES = [*ACYCLIC, *CYCLIC]


@pytest.fixture(scope="module")
def many():
    """A few hundred strings of more than one kind of ending, two thirds molecules."""
    rng = np.random.default_rng(3)
    pieces = ["C", "N", "c1ccccc1", "C(=O)", "O", "C1CCCCCC1", "S", "Cl", "(", "F"]
    return ["".join(rng.choice(pieces, rng.integers(1, 6))) for _ in range(400)]


@pytest.fixture(scope="module")
def stats(many):
    return molecule_stats(many)


def test_against_rdkit_by_itself(many, stats):
    """Every figure anew, string by string, without a pool."""
    found = [(text, Chem.MolFromSmiles(text)) for text in many]
    valid = [(text, molecule) for text, molecule in found if molecule is not None]
    molecules = [molecule for _, molecule in valid]
    assert 100 < len(valid) < 390
    descriptors = {
        "mean_log_p": [Crippen.MolLogP(m) for m in molecules],
        "mean_qed": [QED.qed(m) for m in molecules],
        "mean_sa_penalty": [-sascorer.calculateScore(m) for m in molecules],
        "mean_ring_penalty": [
            -max([len(r) - 6 for r in m.GetRingInfo().AtomRings()] + [0])
            for m in molecules
        ],
    }
    figures, errors = table2_metrics(stats), table2_standard_errors(stats)
    share = len(valid) / len(many)
    assert figures["percent_valid"] == pytest.approx(100 * share)
    assert errors["percent_valid"] == pytest.approx(
        100 * math.sqrt(share * (1 - share) / len(many))
    )
    for name, values in descriptors.items():
        assert figures[name] == pytest.approx(np.mean(values), rel=1e-9), name
        expected = np.std(values) / math.sqrt(len(values))
        assert errors[name] == pytest.approx(expected, rel=1e-6), name

    scaffolds = {
        Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(m)) for m in molecules
    }
    assert stats["num_scaffolds"] == len(scaffolds - {""}) > 5
    assert figures["scaffolds"] == pytest.approx(
        100 * stats["num_scaffolds"] / len(valid)
    )
    assert stats["num_distinct"] == len({Chem.MolToSmiles(m) for m in molecules})
    prints = [
        AllChem.GetMorganFingerprintAsBitVect(m, 2, nBits=1024) for m in molecules
    ]
    similarities = [
        DataStructs.TanimotoSimilarity(a, b)
        for a, b in itertools.combinations(prints, 2)
    ]
    assert figures["internal_diversity"] == pytest.approx(1 - np.mean(similarities))
    for name, values in (
        ("qed", descriptors["mean_qed"]),
        ("length", [len(text) for text, _ in valid]),
    ):
        bins = molecule_statistics.HISTOGRAMS[name]
        expected = np.histogram(values, bins.edges)[0].tolist()
        assert stats["histograms"][name] == expected
        assert sum(expected) == len(valid)


def test_processes_and_this_one_agree(many, stats):
    workers = profile_workers(10)
    assert workers.process_ids == ()
    alone = molecule_stats(many, workers)
    assert json.dumps(alone) == json.dumps(stats)


def test_a_handful_by_hand():
    stats = molecule_stats(SMILES, training_set={"CCO", "Cc1ccccc1"})
    assert stats["num_strings"] == 13
    assert stats["num_valid"] == 10
    assert stats["num_distinct"] == 8
    assert stats["num_novel"] == 6
    # Benzene (of aspirin and toluene), cyclononane, quinone, caffeine's two rings.
    assert stats["num_scaffolds"] == 4
    assert (stats["num_filtered"], stats["num_passing"]) == (10, 9)
    assert stats["sums"]["ring"] == -3.0
    figures = table2_metrics(stats)
    assert figures["percent_valid"] == pytest.approx(100 * 10 / 13)
    assert figures["novel"] == pytest.approx(75)
    assert figures["scaffolds"] == pytest.approx(40)
    assert figures["passes_pains"] == pytest.approx(90)
    assert figures["mean_ring_penalty"] == pytest.approx(-0.3)
    assert math.isnan(figures["unique_at_1k"])
    json.dumps(stats)


def test_pains_are_those_of_rdkits_catalog(many):
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS)
    catalog = FilterCatalog.FilterCatalog(parameters)
    molecules = [Chem.MolFromSmiles(text) for text in CYCLIC[:-1]]
    expected = [not catalog.HasMatch(molecule) for molecule in molecules]
    assert expected.count(False) == 1
    for text, passes in zip(CYCLIC, expected, strict=False):
        assert molecule_stats([text])["num_passing"] == passes


def test_uniqueness_is_of_the_first_molecules(monkeypatch):
    monkeypatch.setattr(molecule_statistics, "UNIQUE_SAMPLES", (2_000, 3_000))
    smiles = ["C(", *["CCO", "OCC", "CCN", "C("] * 750, *["CC"] * 751]
    figures = table2_metrics(molecule_stats(smiles, profile_workers(1)))
    assert figures["unique_at_2k"] == pytest.approx(100 * 2 / 2000)
    assert figures["unique_at_3k"] == pytest.approx(100 * 3 / 3000)


def test_without_a_molecule_there_are_no_means():
    for smiles in (["C(", ""], []):
        stats = molecule_stats(smiles)
        figures, errors = table2_metrics(stats), table2_standard_errors(stats)
        nan = [name for name, figure in figures.items() if math.isnan(figure)]
        assert len(nan) == len(figures) - (1 if smiles else 0)
        assert all(math.isnan(e) for name, e in errors.items() if name in nan)


def test_canonical_smiles_skips_what_is_no_molecule():
    workers = profile_workers(1)
    assert canonical_smiles(["OCC", "C(", "CCO"], workers) == ["CCO", "CCO"]


def test_rows_are_those_of_the_metrics():
    stats = molecule_stats(["CCO"], training_set={"CC"})
    names = [row.name for row in (*TABLE2_ROWS, *DIVERSITY_ROWS)]
    assert list(table2_metrics(stats)) == names
    assert set(table2_standard_errors(stats)) <= set(names)
    for column in PAPER_TABLE2.values():
        assert list(column) == [row.name for row in TABLE2_ROWS]
