"""QED is RDKit's own to the last digit, however it is come by."""

import random

import pytest
from rdkit import Chem, RDLogger
from rdkit.Chem import QED

from molecule_rnn.scoring.components.drug_likeness import qed
from molecule_rnn.scoring.components.structural_alerts import count_alerts

RDLogger.DisableLog("rdApp.*")

# One for each alert that a molecule can be written for from its pattern, and molecules
# that are odd: explicit hydrogens, isotopes, dummies, salts, charges, metals, cages.
ODD = """
    C * C* [H][H] [2H]C [H] [13CH4] [15NH3] [18OH2] [34SH2] [Na+].[Cl-] C.C.C [NH4+]
    [O-][N+](=O)c1ccccc1 C12C3C4C1C5C2C3C45 [Hg] CI CP C[Si](C)(F)C FC(F)(F)F.F.F.F
    C1CC1 C1OC1 C1NC1 OO NN C=NO N#N CN=[N+]=[N-] C#CC C=C=C C=C=O CC=CC N=C=O SC CS
    CSSC CS(=O)(=O)OC OS(=O)(=O)[O-] CC(=O)Cl CC(=O)C(=O)C O=C1C=CC(=O)C=C1 C1CCCCCC1
    C1CCCCCCC1 C1CCC2CCCCC2C1 c1ccc2ccccc2c1 c1ccc2c(c1)ccc(=O)o2 Clc1ccc(Cl)c(Cl)c1
    Nc1ccccc1 Nc1ccc(N)cc1 CCCCCCCC C1NC(=O)NC(=O)1 O=C1NCC1 [nH]1cccc1 C[N+](C)(C)C
    [O-]C C[C@H](N)C(=O)O F/C=C/F c1ccccc1C=Cc1ccccc1 [CH3] [CH2][CH2] C->[Fe] CN=O
"""


@pytest.mark.parametrize("smiles", ODD.split())
def test_odd_molecules(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    assert molecule is not None
    try:
        expected = QED.qed(Chem.Mol(molecule))
    except Exception as error:
        with pytest.raises(type(error)):
            qed(molecule)
        return
    assert qed(molecule) == expected


def test_random_molecules():
    """Pieces that set off alerts, stuck together any how."""
    pieces = """
        C N O S c1ccccc1 C(=O) C#C N=N C=C C1CCCCCC1 Cl C(=O)N [N+](=O)[O-] C1CC1
        c1ccncc1 S(=O)(=O) C#N C(F)(F)F c1ccc2ccccc2c1 I P [Si] [13C] C=N [O-] [N+]
        C(=S) n C1CCC2CCCCC2C1 c1ccc2[nH]ccc2c1 OC(=O) N(O) ( ) C(C)(C)
    """
    rng = random.Random(5)
    alerts, number = set(), 0
    for _ in range(800):
        smiles = "".join(rng.choices(pieces.split(), k=rng.randint(1, 6)))
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            continue
        number += 1
        matches = [
            place
            for place, alert in enumerate(QED.StructuralAlerts)
            if molecule.HasSubstructMatch(alert)
        ]
        alerts.update(matches)
        assert count_alerts(molecule) == len(matches), smiles
        assert qed(molecule) == QED.qed(Chem.Mol(molecule)), smiles
    assert number > 150
    assert len(alerts) > 35  # it would be no test of alerts that never match


def test_each_alert_matches_its_own_pattern():
    """A molecule made of the pattern itself sets it off, in both ways of counting."""
    number = 0
    for pattern, smarts in zip(
        QED.StructuralAlerts, QED.StructuralAlertSmarts, strict=True
    ):
        plain = Chem.MolFromSmiles(smarts)
        if plain is None or not plain.HasSubstructMatch(pattern):
            continue
        number += 1
        expected = sum(map(plain.HasSubstructMatch, QED.StructuralAlerts))
        assert count_alerts(plain) == expected, smarts
    assert number > 35
