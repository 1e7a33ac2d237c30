"""The oracles of the PMO benchmark that RDKit alone computes, by name.

Gao et al. 2022, "Sample Efficiency Matters"; all but `qed` are goals of GuacaMol (Brown
et al. 2019). Each is a function of a molecule with values within 0 and 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors

from molecule_rnn.scoring.components.fingerprints import similarity
from molecule_rnn.scoring.components.isomers import isomer
from molecule_rnn.scoring.components.transforms import (
    clip,
    gauss,
    geometric_mean,
    high,
    low,
)
from rl_tuner.errors import UserError

Score = Callable[[Chem.Mol], float]

CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
TROGLITAZONE = "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"
THIOTHIXENE = "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1"
ALBUTEROL = "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"
MESTRANOL = "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
CAMPHOR, MENTHOL = "CC1(C)C2CCC1(C)C(=O)C2", "CC(C)C1CCC(C)CC1O"
TADALAFIL = "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C"
SILDENAFIL = "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C"
OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
PERINDOPRIL = "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC"
AMLODIPINE = r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC"
SITAGLIPTIN = "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F"
ZALEPLON = "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1"
VALSARTAN_PROPERTIES = "NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F"
VALSARTAN_SMARTS = "CN(C=O)Cc1ccc(c2ccccc2)cc1"
HOP = "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C"
HOP_SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
HOP_DECORATION = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"


def log_p(molecule: Chem.Mol) -> float:
    """Crippen's log P."""
    return Crippen.MolLogP(molecule)  # type: ignore[attr-defined]


def tpsa(molecule: Chem.Mol) -> float:
    """The topological polar surface area."""
    return rdMolDescriptors.CalcTPSA(molecule)


def _median(name: str, first: str, second: str) -> Score:
    similar = similarity(name, first), similarity(name, second)
    return lambda molecule: geometric_mean(score(molecule) for score in similar)


def _clipped(name: str, reference: str) -> Score:
    similar = similarity(name, reference)
    return lambda molecule: clip(similar(molecule), 0.75)


def _osimertinib() -> Score:
    near, far = similarity("FCFP4", OSIMERTINIB), similarity("ECFP6", OSIMERTINIB)
    return lambda molecule: geometric_mean(
        (
            clip(near(molecule), 0.8),
            low(far(molecule), 0.85, 0.1),
            high(tpsa(molecule), 100, 10),
            low(log_p(molecule), 1, 1),
        )
    )


def _fexofenadine() -> Score:
    similar = similarity("AP", FEXOFENADINE)
    return lambda molecule: geometric_mean(
        (
            clip(similar(molecule), 0.8),
            high(tpsa(molecule), 90, 10),
            low(log_p(molecule), 4, 1),
        )
    )


def _ranolazine() -> Score:
    similar = similarity("AP", RANOLAZINE)

    def fluorines(molecule: Chem.Mol) -> int:
        return sum(atom.GetAtomicNum() == 9 for atom in molecule.GetAtoms())

    return lambda molecule: geometric_mean(
        (
            clip(similar(molecule), 0.7),
            high(tpsa(molecule), 95, 20),
            high(log_p(molecule), 7, 1),
            gauss(fluorines(molecule), 1, 1),
        )
    )


def _similar_with_rings(
    reference: str, rings: Callable[[Chem.Mol], int], number: int
) -> Score:
    similar = similarity("ECFP4", reference)
    return lambda molecule: geometric_mean(
        (similar(molecule), gauss(rings(molecule), number, 0.5))
    )


def _sitagliptin() -> Score:
    similar, isomeric = similarity("ECFP4", SITAGLIPTIN), isomer("C16H15F6N5O")
    target = Chem.MolFromSmiles(SITAGLIPTIN)
    target_log_p, target_tpsa = log_p(target), tpsa(target)
    return lambda molecule: geometric_mean(
        (
            gauss(similar(molecule), 0.0, 0.1),
            gauss(log_p(molecule), target_log_p, 0.2),
            gauss(tpsa(molecule), target_tpsa, 5.0),
            isomeric(molecule),
        )
    )


def _zaleplon() -> Score:
    similar, isomeric = similarity("ECFP4", ZALEPLON), isomer("C19H17N3O2")
    return lambda molecule: geometric_mean((similar(molecule), isomeric(molecule)))


def _valsartan() -> Score:
    pattern = Chem.MolFromSmarts(VALSARTAN_SMARTS)
    target = Chem.MolFromSmiles(VALSARTAN_PROPERTIES)
    properties = ((tpsa, 5.0), (log_p, 0.2), (Descriptors.BertzCT, 30.0))
    targets = [(take, take(target), deviation) for take, deviation in properties]

    def score(molecule: Chem.Mol) -> float:
        if not molecule.HasSubstructMatch(pattern):
            return 0.0
        terms = (gauss(take(molecule), mean, dev) for take, mean, dev in targets)
        return geometric_mean((1.0, *terms))

    return score


def _hop(upper: float, wanted: list[str], unwanted: list[str]) -> Score:
    similar = similarity("PHCO", HOP)
    patterns = [(Chem.MolFromSmarts(text), True) for text in wanted]
    patterns += [(Chem.MolFromSmarts(text), False) for text in unwanted]

    def score(molecule: Chem.Mol) -> float:
        terms = [
            float(molecule.HasSubstructMatch(pattern) == is_wanted)
            for pattern, is_wanted in patterns
        ]
        terms.append(clip(similar(molecule), upper))
        return sum(terms) / len(terms)

    return score


_MAKERS: Mapping[str, Callable[[], Score]] = {
    "albuterol_similarity": lambda: _clipped("FCFP4", ALBUTEROL),
    "amlodipine_mpo": lambda: _similar_with_rings(
        AMLODIPINE, rdMolDescriptors.CalcNumRings, 3
    ),
    "celecoxib_rediscovery": lambda: similarity("ECFP4", CELECOXIB),
    "deco_hop": lambda: _hop(
        0.85, [HOP_SCAFFOLD], ["CS([#6])(=O)=O", "[#7]-c1ccc2ncsc2c1"]
    ),
    "fexofenadine_mpo": _fexofenadine,
    "isomers_c7h8n2o2": lambda: isomer("C7H8N2O2"),
    "isomers_c9h10n2o2pf2cl": lambda: isomer("C9H10N2O2PF2Cl"),
    "median1": lambda: _median("ECFP4", CAMPHOR, MENTHOL),
    "median2": lambda: _median("ECFP6", TADALAFIL, SILDENAFIL),
    "mestranol_similarity": lambda: _clipped("AP", MESTRANOL),
    "osimertinib_mpo": _osimertinib,
    "perindopril_mpo": lambda: _similar_with_rings(
        PERINDOPRIL, rdMolDescriptors.CalcNumAromaticRings, 2
    ),
    "qed": lambda: QED.qed,
    "ranolazine_mpo": _ranolazine,
    "scaffold_hop": lambda: _hop(0.75, [HOP_DECORATION], [HOP_SCAFFOLD]),
    "sitagliptin_mpo": _sitagliptin,
    "thiothixene_rediscovery": lambda: similarity("ECFP4", THIOTHIXENE),
    "troglitazone_rediscovery": lambda: similarity("ECFP4", TROGLITAZONE),
    "valsartan_smarts": _valsartan,
    "zaleplon_mpo": _zaleplon,
}
ORACLES = tuple(_MAKERS)


@functools.cache
def oracle(name: str) -> Score:
    """The oracle of a name: a function of an RDKit molecule, within 0 and 1.

    Raises:
      UserError: there is no such oracle.
    """
    if name not in _MAKERS:
        raise UserError(f"unknown oracle {name!r}; choose one of {', '.join(ORACLES)}")
    return _MAKERS[name]()
