import math

import pytest
from rdkit import Chem

from molecule_rnn.scoring.components.fingerprints import fingerprint, similarity
from molecule_rnn.scoring.components.isomers import isomer, parse_formula
from molecule_rnn.scoring.components.transforms import (
    clip,
    gauss,
    geometric_mean,
    high,
    low,
    sigmoid,
)
from rl_tuner.errors import UserError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (clip(0.4, 0.8), 0.5),
        (clip(1.0, 0.8), 1.0),
        (clip(-1.0, 0.8), 0.0),
        (gauss(3.0, 3.0, 0.5), 1.0),
        (gauss(4.0, 3.0, 1.0), math.exp(-0.5)),
        (low(2.0, 3.0, 1.0), 1.0),
        (low(5.0, 3.0, 1.0), math.exp(-2.0)),
        (high(5.0, 3.0, 1.0), 1.0),
        (high(1.0, 3.0, 1.0), math.exp(-2.0)),
        (sigmoid(2.0, 2.0, 5.0), 0.5),
        (sigmoid(3.0, 2.0, math.log(3.0)), 0.75),
        (sigmoid(1e9, 2.0, -5.0), 0.0),
        (geometric_mean([0.25, 1.0]), 0.5),
        (geometric_mean([0.0, 1.0]), 0.0),
    ],
)
def test_transforms(value, expected):
    assert value == pytest.approx(expected, abs=1e-12)


def test_formulas():
    assert parse_formula("C9H10N2O2PF2Cl") == {
        "C": 9,
        "H": 10,
        "N": 2,
        "O": 2,
        "P": 1,
        "F": 2,
        "Cl": 1,
    }
    for text in ("", "c7", "C7H8Xx2", "C7-H8", "CC(=O)O"):
        with pytest.raises(UserError, match="is no formula"):
            parse_formula(text)


def test_isomers():
    score = isomer("C2H6O")
    assert score(Chem.MolFromSmiles("CCO")) == pytest.approx(1.0)
    assert score(Chem.MolFromSmiles("COC")) == pytest.approx(1.0)
    # C3H8O: one C, two H and three atoms too many.
    exponents = -(1 + 4 + (3 / 2) ** 2) / 2
    assert score(Chem.MolFromSmiles("CCCO")) == pytest.approx(math.exp(exponents / 4))


def test_what_is_wrong_is_named():
    with pytest.raises(UserError, match="unknown fingerprint 'ECFP5'"):
        fingerprint("ECFP5")
    with pytest.raises(UserError, match=r"reference 'C1CC' is no molecule"):
        similarity("ECFP4", "C1CC")
