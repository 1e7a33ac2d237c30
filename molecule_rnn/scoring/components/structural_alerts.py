"""How many of QED's structural alerts a molecule sets off, found quickly.

Bickerton et al. 2012 have 116 patterns for groups that drugs should not have, and
matching them takes most of QED's time. Most cannot match for a plain reason: the
molecule lacks an element, a charge, a triple bond. What each pattern needs is read off
the pattern, so that leaving it out changes nothing.
"""

from __future__ import annotations

import collections
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import QED, Mol, rdMolDescriptors

_Query = tuple[str, list["_Query"]]
_Elements = frozenset[int]

_TABLE = Chem.GetPeriodicTable()
_SYMBOLS = [_TABLE.GetElementSymbol(number) for number in range(119)]
_ELEMENT_COUNT = re.compile(r"([A-Z][a-z]?)(\d*)")
_ATOM_KIND = re.compile(r"(AtomType|AtomAtomicNum) (\d+) = val")
# RDKit writes an aromatic atom's type as this and its atomic number.
_AROMATIC = 1000
_HETERO = frozenset({7, 8, 16})
_CARBON = frozenset({6})


class _Gate(NamedTuple):
    """A small pattern without which some alerts cannot match.

    Attributes:
      pattern: what the molecule is searched for.
      is_needed_by: whether an alert cannot match a molecule without it.
    """

    pattern: Mol
    is_needed_by: Callable[[Mol], bool]


class _Alert(NamedTuple):
    """An alert and what a molecule must have for it.

    Attributes:
      pattern: the alert.
      atoms: pairs of elements, and how many atoms of any of them.
      num_rings: independent rings.
      gates: of `_GATES`, by their place.
    """

    pattern: Mol
    atoms: tuple[tuple[_Elements, int], ...]
    num_rings: int
    gates: frozenset[int]


def count_alerts(molecule: Mol) -> int:
    """How many of `QED.StructuralAlerts` match a molecule.

    Args:
      molecule: sanitized.
    """
    counts = dict.fromkeys(_LIMITS, 0)
    for symbol, number in _ELEMENT_COUNT.findall(
        rdMolDescriptors.CalcMolFormula(molecule)
    ):
        if symbol in counts:
            counts[symbol] += int(number or 1)
    alerts = _possible_alerts(
        tuple(min(counts[symbol], limit) for symbol, limit in _LIMITS.items()),
        molecule.GetRingInfo().NumRings(),
        tuple(molecule.HasSubstructMatch(gate.pattern) for gate in _GATES),
    )
    return sum(map(molecule.HasSubstructMatch, alerts))


@functools.lru_cache(maxsize=10_000)
def _possible_alerts(
    counts: tuple[int, ...], num_rings: int, gates: tuple[bool, ...]
) -> tuple[Mol, ...]:
    """The alerts that a molecule of these properties may set off."""
    by_number = dict(zip(map(_TABLE.GetAtomicNumber, _LIMITS), counts, strict=True))
    return tuple(
        alert.pattern
        for alert in _ALERTS
        if alert.num_rings <= num_rings
        and all(gates[place] for place in alert.gates)
        and all(
            sum(by_number[element] for element in elements) >= number
            for elements, number in alert.atoms
        )
    )


def _query(atom: Chem.Atom) -> _Query:
    """An atom's query as a tree: what it says, and the parts that it combines."""
    root: _Query = ("", [])
    branch = [(-1, root)]
    for line in filter(str.strip, atom.DescribeQuery().split("\n")):
        depth = len(line) - len(line.lstrip())
        while branch[-1][0] >= depth:
            branch.pop()
        node: _Query = (line.strip(), [])
        branch[-1][1][1].append(node)
        branch.append((depth, node))
    return root[1][0]


def _implies(query: _Query, condition: Callable[[str], bool]) -> bool:
    """Whether each atom that the query matches fulfils a condition on plain queries."""
    text, parts = query
    if text == "AtomOr":
        return all(_implies(part, condition) for part in parts)
    if text == "AtomAnd":
        return any(_implies(part, condition) for part in parts)
    return condition(text)


def _elements(query: _Query) -> _Elements | None:
    """The elements of atoms that the query may match; None if it may be any."""
    text, parts = query
    kind = _ATOM_KIND.fullmatch(text)
    if kind:
        return frozenset({int(kind[2]) % _AROMATIC})
    found = [_elements(part) for part in parts]
    if text == "AtomOr":
        known = [elements for elements in found if elements is not None]
        return frozenset().union(*known) if len(known) == len(found) else None
    if text == "AtomAnd":
        known = [elements for elements in found if elements is not None]
        return frozenset.intersection(*known) if known else None
    return None


def _needs_atom(condition: Callable[[str], bool]) -> Callable[[Mol], bool]:
    return lambda alert: any(
        _implies(_query(atom), condition) for atom in alert.GetAtoms()
    )


def _needs_bond(
    ends: tuple[_Elements | None, _Elements | None], order: str
) -> Callable[[Mol], bool]:
    """Whether an alert has a bond of this order (any if empty) between such atoms."""

    def fits(atom: Chem.Atom, elements: _Elements | None) -> bool:
        found = _elements(_query(atom))
        return elements is None or (found is not None and found <= elements)

    def is_needed(alert: Mol) -> bool:
        return any(
            (not order or bond.DescribeQuery().strip() == f"BondOrder {order} = val")
            and (
                (fits(begin, ends[0]) and fits(end, ends[1]))
                or (fits(begin, ends[1]) and fits(end, ends[0]))
            )
            for bond in alert.GetBonds()
            for begin, end in [(bond.GetBeginAtom(), bond.GetEndAtom())]
        )

    return is_needed


def _has_value(name: str, *excluded: int) -> Callable[[str], bool]:
    found = re.compile(rf"{name} (-?\d+) = val")
    return lambda text: bool(
        (match := found.fullmatch(text)) and int(match[1]) not in excluded
    )


def _is_aromatic(text: str) -> bool:
    kind = _ATOM_KIND.fullmatch(text)
    return kind is not None and kind[1] == "AtomType" and int(kind[2]) >= _AROMATIC


_GATES = tuple(
    _Gate(Chem.MolFromSmarts(smarts), is_needed_by)
    for smarts, is_needed_by in (
        ("a", _needs_atom(_is_aromatic)),
        ("[!+0]", _needs_atom(_has_value("AtomFormalCharge", 0))),
        ("[!0*]", _needs_atom(_has_value("AtomIsotope", 0))),
        ("[R2]", _needs_atom(lambda text: text == "AtomInNRings 2 = val")),
        ("*#*", _needs_bond((None, None), "3")),
        ("[#6]=[#6]", _needs_bond((_CARBON, _CARBON), "2")),
        ("[#7,#8,#16]~[#7,#8,#16]", _needs_bond((_HETERO, _HETERO), "")),
    )
)


def _requirements(alert: Mol) -> _Alert:
    found = (_elements(_query(atom)) for atom in alert.GetAtoms())
    kinds = collections.Counter(kind for kind in found if kind is not None)
    fragments = len(Chem.GetMolFrags(alert))
    return _Alert(
        pattern=alert,
        atoms=tuple(
            # Atoms that may only be of some of these elements count too.
            (kind, sum(n for other, n in kinds.items() if other <= kind))
            for kind in kinds
        ),
        num_rings=alert.GetNumBonds() - alert.GetNumAtoms() + fragments,
        gates=frozenset(
            place for place, gate in enumerate(_GATES) if gate.is_needed_by(alert)
        ),
    )


_ALERTS = tuple(map(_requirements, QED.StructuralAlerts))
# More atoms of an element than any alert asks for are as good as this many.
_LIMITS = {
    _SYMBOLS[element]: max(
        number
        for alert in _ALERTS
        for elements, number in alert.atoms
        if element in elements
    )
    for element in sorted(
        frozenset().union(*(e for alert in _ALERTS for e, _ in alert.atoms))
    )
}
