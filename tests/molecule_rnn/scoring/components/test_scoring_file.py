import math

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors

from molecule_rnn.scoring.components import scoring_file
from molecule_rnn.scoring.components.scoring_function import ScoringFunction
from molecule_rnn.scoring.descriptors import find_component
from molecule_rnn.scoring.rewards import RewardSettings, reward_terms
from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.errors import UserError

OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
ASPIRIN, NITRO = "CC(=O)Oc1ccccc1C(=O)O", "O=[N+]([O-])c1ccccc1"
FILE = f"""
mean = "geometric"

[[component]]
name = "like_osimertinib"
property = "similarity"
reference = "{OSIMERTINIB}"
fingerprint = "FCFP4"
transform = "clip"
upper = 0.8
weight = 2

[[component]]
property = "tpsa"
transform = "high"
limit = 100
deviation = 10

[[component]]
property = "logp"
transform = "low"
limit = 1
deviation = 1.0

[[component]]
property = "no_alerts"
catalogs = ["PAINS", "BRENK"]
weight = 0
"""


def read(tmp_path, text):
    path = tmp_path / "my_scoring.toml"
    path.write_text(text)
    return scoring_file.read(str(path))


def test_the_score_is_the_weighted_mean_of_what_was_transformed(tmp_path):
    scoring = read(tmp_path, FILE)
    assert scoring.names == ("like_osimertinib", "tpsa", "log_p", "no_alerts")
    names = (*scoring.names, "score")
    with ScoringPool(names, num_processes=0, scoring=scoring.to_json()) as pool:
        scores = pool.score([ASPIRIN, NITRO, "C1CC"])
    assert scores.parsed.tolist() == [True, True, False]
    like, tpsa, log_p, _, score = scores.values[0]
    aspirin = Chem.MolFromSmiles(ASPIRIN)
    assert tpsa == pytest.approx(rdMolDescriptors.CalcTPSA(aspirin))
    assert log_p == pytest.approx(Crippen.MolLogP(aspirin), rel=1e-6)
    assert scores.column("no_alerts").tolist() == [0.0, 0.0, 0.0]  # both are in BRENK
    terms = [
        2 * math.log(min(like / 0.8, 1.0)),
        -0.5 * ((tpsa - 100) / 10) ** 2,
        -0.5 * max(log_p - 1.0, 0.0) ** 2,
    ]
    assert score == pytest.approx(math.exp(sum(terms) / 4), rel=1e-5)
    assert ScoringFunction.from_json(scoring.to_json()) == scoring
    arithmetic = read(tmp_path, FILE.replace("geometric", "arithmetic"))
    value = arithmetic.make()["score"](aspirin)
    shares = np.exp([terms[0] / 2, *terms[1:]])
    assert value == pytest.approx(shares @ [2, 1, 1] / 4, rel=1e-5)


@pytest.mark.parametrize(
    ("component", "smiles", "value"),
    [
        ("property = 'qed'", ASPIRIN, 0.550122),
        ("property = 'smarts'\nsmarts = 'C(=O)O'", ASPIRIN, 1.0),
        ("property = 'smarts'\nsmarts = ['[Cl]', 'N']", ASPIRIN, 0.0),
        ("property = 'unwanted_smarts'\nsmarts = '[Cl]'", ASPIRIN, 1.0),
        ("property = 'no_alerts'\ncatalogs = 'PAINS'", ASPIRIN, 1.0),
        ("property = 'no_alerts'", NITRO, 0.0),
        ("property = 'isomer'\nformula = 'C9H8O4'", ASPIRIN, 1.0),
        ("property = 'amlodipine_mpo'", ASPIRIN, 0.00853971),
        (f"property = 'similarity'\nreference = ['C', '{ASPIRIN}']", ASPIRIN, 1.0),
    ],
)
def test_what_is_within_0_and_1_needs_no_transform(tmp_path, component, smiles, value):
    scoring = read(tmp_path, f"[[component]]\n{component}\n")
    score = scoring.make()["score"](Chem.MolFromSmiles(smiles))
    assert score == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sa", find_component("sa").value),
        ("molecular_weight", Descriptors.MolWt),
        ("h_bond_donors", rdMolDescriptors.CalcNumHBD),
        ("h_bond_acceptors", rdMolDescriptors.CalcNumHBA),
        ("rotatable_bonds", rdMolDescriptors.CalcNumRotatableBonds),
        ("rings", rdMolDescriptors.CalcNumRings),
        ("aromatic_rings", rdMolDescriptors.CalcNumAromaticRings),
    ],
)
def test_properties(tmp_path, name, value):
    text = f"[[component]]\nproperty = '{name}'\ntransform = 'sigmoid'\n"
    functions = read(tmp_path, f"{text}middle = 2\nslope = -1\n").make()
    molecule = Chem.MolFromSmiles(OSIMERTINIB)
    found = functions[name](molecule)
    assert found == value(molecule)
    assert functions["score"](molecule) == pytest.approx(1 / (1 + math.exp(found - 2)))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("mean = 'geometric'\nx y\n", r"is no TOML: .*line 2"),
        ("a = " + "[" * 100_000, "is no TOML: maximum recursion depth"),
        ("a = " + "9" * 5000, "is no TOML: Exceeds the limit"),
        ("", r"there is no \[\[component\]\]"),
        ("mean = 'median'\n[[component]]\nproperty = 'qed'", "mean is 'median'"),
        ("means = 'geometric'", "unknown key 'means'"),
        (
            "[[component]]\nproperty = 'qed'\n\n[[component]]\nproperty = 'tpsa'",
            "component 2, line 4: tpsa needs a transform",
        ),
        ("[[component]]\nproperty = 'qd'", "line 1: unknown property 'qd'; choose"),
        ("[[component]]\nname = 'x'", "line 1: property is missing"),
        ("[[component]]\nproperty = 'qed'\nweigt = 2", "unknown key 'weigt'; here"),
        ("[[component]]\nproperty = 'qed'\nweight = -2", "weight is -2; it must be"),
        ("[[component]]\nproperty = 'qed'\nweight = nan", "weight is nan; it must"),
        ("[[component]]\nproperty = 'qed'\nweight = 0", "all weights are 0"),
        ("[[component]]\nproperty = 'qed'\ntransform = 'hi'", "transform 'hi'"),
        (
            "[[component]]\nproperty = 'qed'\ntransform = 'gauss'\nmean = 1\n",
            "line 1: deviation is missing",
        ),
        (
            "[[component]]\nproperty = 'qed'\ntransform = 'clip'\nupper = 0\n",
            "line 1: upper is 0; it must be above 0",
        ),
        (
            "[[component]]\nproperty = 'similarity'\nreference = 'C1CC'",
            "'C1CC' is no molecule",
        ),
        ("[[component]]\nproperty = 'smarts'\nsmarts = 'C((' ", "is no SMARTS"),
        ("[[component]]\nproperty = 'smarts'\nsmarts = 3", "smarts is 3; it must"),
        ("[[component]]\nproperty = 'isomer'\nformula = 'c'", "'c' is no formula"),
        (
            "[[component]]\nproperty = 'no_alerts'\ncatalogs = ['PAIN']",
            "unknown catalogue 'PAIN'",
        ),
        ("[[component]]\nproperty = 'qed'\n" * 2, "line 3: the name 'qed' is taken"),
        ("[[component]]\nproperty = 'qed'\nname = 'sa'", "the name 'sa' is taken"),
        ("[[component]]\nproperty = 'qed'\nname = 'a,b'", "holds characters"),
        ("[[component]]\nproperty = 'no_module:f'", "no_module"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, error):
    with pytest.raises(UserError, match=error) as raised:
        read(tmp_path, text)
    assert "my_scoring.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_mark_of_the_byte_order_is_no_part_of_it(tmp_path):
    component = "[[component]]\nproperty = 'qed'"
    assert read(tmp_path, "\ufeff" + component) == read(tmp_path, component)


def test_a_file_may_be_long(tmp_path):
    """Longer than a command line, by which processes might be told of it."""
    component = "[[component]]\nproperty = 'qed'\nname = 'number_{}'\n"
    file = read(tmp_path, "".join(map(component.format, range(4000))))
    scoring = file.to_json()
    with ScoringPool(["score"], 1, scoring=scoring) as pool:
        values = pool.score([ASPIRIN]).values
    assert values == pytest.approx(QED.qed(Chem.MolFromSmiles(ASPIRIN)), rel=1e-5)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot read --scoring="):
        scoring_file.read(str(tmp_path / "no.toml"))


def test_an_own_function(tmp_path):
    text = (
        "[[component]]\nproperty = 'scoring_components:heavy_atoms'\nname = 'heavy'\n"
    )
    text += "transform = 'clip'\nupper = 10\n"
    functions = read(tmp_path, text).make()
    assert functions["heavy"](Chem.MolFromSmiles("CCO")) == 3
    assert functions["score"](Chem.MolFromSmiles("CCO")) == pytest.approx(0.3)


def test_it_is_a_term_of_the_reward(tmp_path):
    scoring = read(tmp_path, FILE)
    off = dict.fromkeys(("qed", "sa", "ring", "log_p", "length", "valid"), 0.0)
    settings = RewardSettings({**off, "score": 30.0}, scoring=scoring)
    assert settings.scored_components == ("score",)
    assert settings.reported_components == (*scoring.names, "score")
    assert RewardSettings.from_json(settings.to_json()) == settings
    assert hash(settings)
    names = settings.reported_components
    with ScoringPool(names, num_processes=0, scoring=scoring.to_json()) as pool:
        scores = pool.score([ASPIRIN])
    one = np.ones([1], bool)
    terms = reward_terms(scores, np.array([50]), one, np.array([0]), settings)
    assert terms["score"] == pytest.approx(10 * 30 * scores.column("score"))
    assert sum(terms.values()) == terms["score"]
