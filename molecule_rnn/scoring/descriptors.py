"""What a molecule is scored by: named components, RDKit's own and a user's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rdkit.Chem import Crippen, Mol
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring.components.drug_likeness import qed
from molecule_rnn.scoring.components.oracles import ORACLES, oracle
from molecule_rnn.scoring.components.scoring_function import ScoringFunction
from molecule_rnn.scoring.plain_numbers import finite_number
from rl_tuner import user_code
from rl_tuner.errors import UserError

# Rings of more atoms are hard to make.
LARGEST_USUAL_RING = 6


class Component(NamedTuple):
    """A number that every molecule has.

    Attributes:
      name: by which it is weighted and reported.
      function: of an RDKit molecule, returning a finite number.
      failing_value: what counts where the function raises or returns no number.
    """

    name: str
    function: Callable[[Mol], float]
    failing_value: float

    def value(self, molecule: Mol) -> float:
        """What the function returns.

        Raises:
          Exception: whatever the function raises, or ValueError if it returned
            something else than a finite number.
        """
        value = self.function(molecule)
        number = finite_number(value)
        if number is None:
            raise ValueError(f"returned {value!r:.60}, not a finite number")
        return number


def log_p(molecule: Mol) -> float:
    """The octanol-water partition coefficient log P of Wildman and Crippen 1999."""
    return Crippen.MolLogP(molecule)  # type: ignore[attr-defined]


def ring_penalty(molecule: Mol) -> float:
    """-(atoms of the largest ring - 6) where that ring has more than 6, else 0."""
    sizes = map(len, molecule.GetRingInfo().AtomRings())
    return float(min(0, LARGEST_USUAL_RING - max(sizes, default=0)))


# Of Jaques et al. 2017, section 6, in the order of Table 2's reward.
COMPONENTS: Mapping[str, Component] = {
    component.name: component
    for component in (
        Component("log_p", log_p, 0.0),
        Component("sa", sascorer.calculateScore, 5.0),
        Component("ring", ring_penalty, 0.0),
        Component("qed", qed, 0.0),
    )
}


@functools.lru_cache(maxsize=64)
def find_component(name: str) -> Component:
    """The component of a name.

    Args:
      name: one of `COMPONENTS` or of `oracles.ORACLES`, or `module:function` of a
        user's own: a function of an RDKit molecule that returns a finite number. Where
        it fails it counts as its attribute `failing_value`, 0 if it has none.

    Raises:
      UserError: there is no such component.
    """
    if name in COMPONENTS:
        return COMPONENTS[name]
    if name in ORACLES:
        return Component(name, oracle(name), 0.0)
    if ":" not in name:
        raise UserError(
            f"unknown component {name!r}; choose one of {', '.join(COMPONENTS)}, or "
            "name a function of your own as my_module:my_score"
        )
    function = user_code.find(name, "--reward")
    if not callable(function):
        raise UserError(
            f"component {name!r} is not a function; it must take an RDKit molecule "
            "and return a number"
        )
    failing_value = getattr(function, "failing_value", 0.0)
    number = finite_number(failing_value)
    if number is None:
        raise UserError(
            f"the failing_value of component {name!r} is {failing_value!r}; it must be "
            "a finite number"
        )
    return Component(name, function, number)


def find_components(
    names: Iterable[str], scoring: Mapping[str, Any] | None = None
) -> tuple[Component, ...]:
    """The components of these names, in their order.

    Args:
      names: as `find_component` takes them, or of components of a scoring function.
      scoring: `ScoringFunction.to_json` of it; None if there is none.
    """
    own = ScoringFunction.from_json(scoring).make() if scoring else {}
    return tuple(
        Component(name, own[name], 0.0) if name in own else find_component(name)
        for name in names
    )
