import decimal
import fractions
import json
import pathlib

import numpy as np
import pytest
from rdkit import Chem

from molecule_rnn.scoring.descriptors import COMPONENTS, Component, find_component
from molecule_rnn.scoring.rewards import RewardSettings
from rl_tuner.errors import UserError

# Aspirin, caffeine, and a ring of 12: RDKit's figures, as its documentation and other
# tools give them to two decimals.
KNOWN = {
    "CC(=O)Oc1ccccc1C(=O)O": {"log_p": 1.31, "sa": 1.58, "ring": 0.0, "qed": 0.55},
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C": {
        "log_p": -1.03,
        "sa": 2.30,
        "ring": 0.0,
        "qed": 0.54,
    },
    "C1CCCCCCCCCCC1": {"log_p": 4.68, "ring": -6.0},
    "C1CC1C1CCCCCCC1": {"ring": -2.0},
    "CCO": {"ring": 0.0},
}


@pytest.mark.parametrize("smiles", KNOWN)
def test_known_molecules(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    for name, value in KNOWN[smiles].items():
        assert COMPONENTS[name].value(molecule) == pytest.approx(value, abs=5e-3), name


def test_failing_values_are_the_papers():
    failing = {name: c.failing_value for name, c in COMPONENTS.items()}
    assert failing == {"log_p": 0.0, "sa": 5.0, "ring": 0.0, "qed": 0.0}


def test_own_component_is_found_by_name():
    component = find_component("scoring_components:heavy_atoms")
    assert component.value(Chem.MolFromSmiles("CCO")) == 3.0
    assert component.failing_value == 0.0
    assert find_component("scoring_components:raises").failing_value == -7.0


@pytest.mark.parametrize(
    "value",
    [
        2,
        True,
        np.float32(0.5),
        np.float64(0.5),
        np.float16(0.5),
        np.int64(3),
        np.bool_(True),
        np.array(0.5),
        np.array([0.5]),
        np.array([[3]]),
        fractions.Fraction(1, 2),
        decimal.Decimal("0.5"),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}",
)
def test_numbers_are_whatever_scientific_python_returns(value):
    component = Component("x", lambda molecule: value, 0.0)
    number = component.value(Chem.MolFromSmiles("C"))
    assert type(number) is float
    assert number == float(np.ravel(value)[0])
    if not isinstance(value, bool):
        settings = RewardSettings(weights={"qed": value}, carbon_limit=value)
        assert settings.weight("qed") == settings.carbon_limit == number
        assert RewardSettings.from_json(json.loads(json.dumps(settings.to_json())))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        1j,
        np.array([1.0, 2.0]),
        np.array([]),
        [0.5],
        np.nan,
        np.float32("inf"),
        np.str_("1"),
        decimal.Decimal("nan"),
        np.complex64(1),
    ],
    ids=str,
)
def test_what_is_no_number_is_told(value):
    component = Component("x", lambda molecule: value, 0.0)
    with pytest.raises(ValueError, match="not a finite number"):
        component.value(Chem.MolFromSmiles("C"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("solubility", "unknown component 'solubility'; choose one of log_p, sa"),
        ("", "unknown component ''"),
        (":score", "=:score is not of the form my_module:my_name"),
        ("module:", "=module: is not of the form"),
        ("no_such_module:score", "No module named 'no_such_module'"),
        ("scoring_components:no_such", "has no attribute 'no_such'"),
        ("scoring_components:not_a_function", "is not a function"),
        ("scoring_components:bad_failing_value", "failing_value of component"),
        ("broken_module:score", "SyntaxError"),
    ],
)
def test_bad_name_is_refused_in_one_line(name, message, tmp_path, monkeypatch):
    pathlib.Path(tmp_path, "broken_module.py").write_text("def score(:\n  pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError) as raised:
        find_component(name)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
