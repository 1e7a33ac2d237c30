"""The oracles against values that another implementation found (RDKit 2026.09.1)."""

import pytest
from rdkit import Chem

from molecule_rnn.scoring.components.oracles import HOP, ORACLES, oracle
from molecule_rnn.scoring.descriptors import find_component
from rl_tuner.errors import UserError

# Aspirin, celecoxib, osimertinib, sildenafil, ranolazine, sitagliptin, zaleplon, the
# reference of the hops, and a molecule of the formula with a phosphorus.
MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F",
    "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34",
    "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C",
    "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2",
    "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F",
    "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1",
    "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",
    "NP(=O)(NC(F)F)Oc1cccc(Cl)c1CC",
]
VALUES = """
albuterol_similarity 0.235294 0.19802 0.171717 0.22792 0.25 0.217949 0.296296 0.252252 0.266667
amlodipine_mpo 0.00853971 0.360237 0.15067 0.146013 0.452084 0.317363 0.393029 0.144801 0.00786648
celecoxib_rediscovery 0.115789 1 0.151316 0.164286 0.143885 0.166667 0.192982 0.179104 0.126214
deco_hop 0.50915 0.536181 0.587638 0.563157 0.523031 0.551701 0.551116 0.5 0.515213
fexofenadine_mpo 0.148553 0.406461 0.525804 0.551538 0.473882 0.400953 0.361488 0.398572 0.130651
isomers_c7h8n2o2 0.272532 1.82839e-11 2.39042e-76 2.08968e-53 1.26526e-62 4.63486e-13 1.49696e-11 6.63968e-36 0.011109
isomers_c9h10n2o2pf2cl 0.184981 0.000374236 2.84371e-38 1.13556e-25 8.81992e-31 3.12029e-05 0.000213233 2.97833e-16 0.731616
median1 0.0398304 0.0176749 0.030024 0.0647499 0.0733945 0.0444994 0.0310835 0.0345816 0.0342594
median2 0.0955201 0.129656 0.140781 0.362372 0.147083 0.0972433 0.112367 0.136083 0.0808452
mestranol_similarity 0.0915033 0.0640789 0.110345 0.159021 0.239044 0.141844 0.116195 0.118089 0.104575
osimertinib_mpo 0.129513 0.181751 0.133342 0.729289 0.285537 0.30819 0.240518 0.0738104 0.0756078
perindopril_mpo 0.118733 0.062632 0.00474347 0.133629 0.357295 0.270172 0.0919699 0.00501025 0.0932269
qed 0.550122 0.754105 0.310535 0.553405 0.639855 0.621638 0.745264 0.418136 0.643787
ranolazine_mpo 0.00733289 0.0663511 0.277405 0.0172634 0.0492374 0.00121672 0.046271 0.406349 0.0642356
scaffold_hop 0.34716 0.388007 0.465765 0.428771 0.368136 0.41146 0.410575 0.666667 0.356322
sitagliptin_mpo 0.000195489 0.000435537 1.00442e-15 1.28686e-07 6.48419e-06 3.72665e-06 0.096917 3.33274e-18 0.000414404
thiothixene_rediscovery 0.142857 0.209302 0.219355 0.301471 0.291045 0.133803 0.181102 0.186207 0.101695
troglitazone_rediscovery 0.12037 0.129496 0.144578 0.178808 0.175676 0.0872483 0.118519 0.168919 0.10084
valsartan_smarts 0 0 0 0 0 0 0 0 0
zaleplon_mpo 1.66604e-07 0.226485 2.73045e-13 6.22936e-08 3.75269e-10 0.133438 0.466499 0.00181411 0.000115916
"""  # noqa: E501
TABLE = {
    name: list(map(float, values))
    for name, *values in map(str.split, VALUES.strip().splitlines())
}


@pytest.fixture(scope="module")
def molecules():
    return [Chem.MolFromSmiles(smiles) for smiles in MOLECULES]


def test_the_table_holds_all():
    assert tuple(TABLE) == ORACLES
    assert len(ORACLES) == 20


@pytest.mark.parametrize("name", ORACLES)
def test_values(name, molecules):
    score = find_component(name).value
    expected = pytest.approx(TABLE[name], abs=1e-6)
    assert [score(molecule) for molecule in molecules] == expected


@pytest.mark.parametrize(
    ("smiles", "value"),
    [
        ("CC(=O)N[C@@H](C)C(=O)NCc1ccccc1-c1ccc(CN2CCCC2=O)cc1", 0.320131),
        ("CN(Cc1ccc(-c2ccccc2)cc1)C(=O)c1cnn2cccnc12", 3.53295e-07),
    ],
)
def test_the_rare_molecules_of_valsartan_smarts(smiles, value):
    score = oracle("valsartan_smarts")
    assert score(Chem.MolFromSmiles(smiles)) == pytest.approx(value, abs=1e-6)


def test_what_is_sought_is_worth_1():
    celecoxib = Chem.MolFromSmiles(MOLECULES[1])
    assert oracle("celecoxib_rediscovery")(celecoxib) == 1.0


def test_the_hops_do_not_meet():
    # One after the other, as the first to have patterns of the same name must not win.
    reference = Chem.MolFromSmiles(HOP)
    for _ in range(2):
        assert oracle("deco_hop")(reference) == pytest.approx(0.5)
        assert oracle("scaffold_hop")(reference) == pytest.approx(2 / 3)


def test_the_largest_qed_is_what_rdkit_says(molecules):
    ours, rdkits = find_component("qed").value, oracle("qed")
    assert list(map(ours, molecules)) == list(map(rdkits, molecules))


def test_unknown():
    with pytest.raises(UserError, match="unknown oracle 'drd2'; choose one of albut"):
        oracle("drd2")
