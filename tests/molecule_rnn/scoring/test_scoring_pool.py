import os

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring.score_cache import ScoreCache
from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.errors import UserError

MOLECULE = "CC(=O)Oc1ccccc1C(=O)O"
PREFIXES = [MOLECULE[:end] for end in range(len(MOLECULE) + 1)]
COMPONENTS = ("log_p", "sa", "ring", "qed")


def rdkit_alone(smiles):
    """(whether it is a molecule, its values), by RDKit and nothing of ours."""
    molecule = Chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None:
        return False, [0.0] * 4
    rings = [len(ring) for ring in molecule.GetRingInfo().AtomRings()]
    return True, [
        Crippen.MolLogP(molecule),
        sascorer.calculateScore(molecule),
        -max(max(rings, default=0) - 6, 0),
        QED.qed(molecule),
    ]


@pytest.fixture(scope="module")
def pool():
    with ScoringPool(COMPONENTS, num_processes=2) as pool:
        yield pool


@pytest.mark.parametrize("num_processes", [0, 1, 2])
def test_scores_are_those_of_rdkit_in_order(num_processes):
    rng = np.random.default_rng(0)
    strings = [*PREFIXES, "C1CCCCCCC1", *PREFIXES[::-1]]
    rng.shuffle(strings)
    with ScoringPool(COMPONENTS, num_processes) as pool:
        scores = pool.score(strings)
    parsed, values = zip(*map(rdkit_alone, strings), strict=True)
    assert sum(parsed) > 10
    np.testing.assert_array_equal(scores.parsed, parsed)
    assert scores.values.dtype == np.float32
    np.testing.assert_array_equal(scores.values, np.array(values, np.float32))
    np.testing.assert_array_equal(scores.column("qed"), scores.values[:, 3])


def test_batches_that_are_under_way_together_do_not_mix(pool):
    batches = [PREFIXES[:8], PREFIXES[4:], PREFIXES[::-2], []]
    pending = [pool.start(batch) for batch in batches]
    for batch, under_way in list(zip(batches, pending, strict=True))[::-1]:
        expected = [rdkit_alone(string)[0] for string in batch]
        assert under_way.result().parsed.tolist() == expected
        assert under_way.result() is under_way.result()
        assert under_way.result().values.shape == (len(batch), 4)


def test_each_string_is_scored_once(tmp_path, monkeypatch):
    scored = []
    monkeypatch.setattr(
        "molecule_rnn.scoring.scorer.parse_smiles", lambda smiles: scored.append(smiles)
    )
    with ScoringPool(("log_p",), num_processes=0) as pool:
        pool.score(["C", "O", "C", "C"])
        pool.score(["O", "N", "C"])
    assert scored == ["C", "O", "N"]


def test_results_do_not_depend_on_a_cache_that_is_too_small():
    with ScoringPool(("log_p",), num_processes=0, cache_size=3) as small:
        for _ in range(3):
            scores = small.score(PREFIXES)
            expected = [rdkit_alone(string)[1][0] for string in PREFIXES]
            np.testing.assert_array_equal(
                scores.values[:, 0], np.array(expected, np.float32)
            )


def test_cache_forgets_what_was_not_used_for_longest():
    cache = ScoreCache(2, 1)
    cache.store(["a", "b"], np.array([[1.0], [2.0]]))
    cache.look_up(["a"])
    cache.store(["c"], np.array([[3.0]]))
    known, rows = cache.look_up(["a", "b", "c"])
    assert known.tolist() == [True, False, True]
    assert rows.tolist() == [[1.0], [3.0]]
    cache.store(["a"], np.array([[4.0]]))
    assert cache.look_up(["a"])[1].tolist() == [[4.0]]
    assert len(cache) == 2


def test_unknown_component_is_refused_before_processes_start():
    with pytest.raises(UserError, match="unknown component 'solubility'"):
        ScoringPool(("solubility",), num_processes=2)


def test_without_components_strings_are_parsed():
    with ScoringPool((), num_processes=0) as pool:
        scores = pool.score(["C", "C("])
    assert scores.parsed.tolist() == [True, False]
    assert scores.values.shape == (2, 0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="is Linux alone")
def test_a_closed_pool_leaves_no_file_open():
    before = set(os.listdir("/proc/self/fd"))
    pool = ScoringPool(["qed"], num_processes=2)
    pool.score(["CC"])
    assert set(os.listdir("/proc/self/fd")) - before
    pool.close()
    assert not set(os.listdir("/proc/self/fd")) - before
