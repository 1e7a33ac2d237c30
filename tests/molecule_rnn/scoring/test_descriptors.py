import pathlib

import pytest
from rdkit import Chem

from molecule_rnn.scoring.descriptors import COMPONENTS, find_component
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
