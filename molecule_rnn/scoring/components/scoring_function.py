"""A score of several components with transforms and weights, joined by a mean."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from rdkit import Chem

from molecule_rnn.scoring.components import SCORE, transforms
from molecule_rnn.scoring.components.properties import ALIASES, PROPERTIES
from rl_tuner import user_code
from rl_tuner.errors import UserError

# Columns of tables, and terms of the reward that are other components.
_TAKEN = {
    *(SCORE, "smiles", "canonical", "step"),
    *("valid", "prefix", "prefix_score", "length", "carbon"),
    *("log_p", "sa", "ring", "qed"),
}
ARITHMETIC, GEOMETRIC = "arithmetic", "geometric"
MEANS = (GEOMETRIC, ARITHMETIC)
# The parameters of each transform, in the order of its arguments.
TRANSFORMS: Mapping[str, tuple[Callable[..., float], tuple[str, ...]]] = {
    "clip": (transforms.clip, ("upper",)),
    "gauss": (transforms.gauss, ("mean", "deviation")),
    "high": (transforms.high, ("limit", "deviation")),
    "low": (transforms.low, ("limit", "deviation")),
    "sigmoid": (transforms.sigmoid, ("middle", "slope")),
}
_POSITIVE = ("upper", "deviation")

Score = Callable[[Chem.Mol], float]


@dataclasses.dataclass(frozen=True)
class Part:
    """One component.

    Attributes:
      name: its column's.
      property: one of `PROPERTIES`, or `module:function` of a user's own.
      options: what the property needs, as pairs.
      transform: of the property's value to within 0 and 1; "" where it is there.
      parameters: of the transform, as pairs.
      weight: in the mean.
    """

    name: str
    property: str
    options: tuple[tuple[str, Any], ...] = ()
    transform: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    weight: float = 1.0

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Part:
        """Reads a `[[component]]` of a scoring file.

        Raises:
          UserError: a key is unknown or missing, or has no value that makes sense.
        """
        rest = dict(table)
        kind = _text(rest, "property")
        kind = ALIASES.get(kind, kind)
        name = _text(rest, "name", kind)
        transform = _text(rest, "transform", "")
        if not name.isprintable() or set(name) & set(',="'):
            raise UserError(f"the name {name!r} holds characters that a column cannot")
        weight = _number(rest, "weight", 1.0)
        if weight < 0:
            raise UserError(f"weight is {weight:g}; it must be 0 or more")
        is_score = True
        wanted: Mapping[str, object] = {}
        if ":" not in kind:
            if kind not in PROPERTIES:
                raise UserError(
                    f"unknown property {kind!r}; choose one of "
                    f"{', '.join(PROPERTIES)}, or my_module:my_score"
                )
            _, is_score, wanted = PROPERTIES[kind]
        options = [
            (key, _option(rest, key, default)) for key, default in wanted.items()
        ]
        parameters = []
        if transform:
            if transform not in TRANSFORMS:
                raise UserError(
                    f"unknown transform {transform!r}; choose one of "
                    f"{', '.join(TRANSFORMS)}"
                )
            parameters = [(key, _number(rest, key)) for key in TRANSFORMS[transform][1]]
            for key, value in parameters:
                if key in _POSITIVE and value <= 0:
                    raise UserError(f"{key} is {value:g}; it must be above 0")
        elif not is_score:
            raise UserError(
                f"{kind} needs a transform to within 0 and 1: one of "
                f"{', '.join(TRANSFORMS)}"
            )
        if rest:
            known = ["name", "property", "weight", "transform", *wanted]
            known += [key for key, _ in parameters]
            raise UserError(
                f"unknown key {next(iter(rest))!r}; here there are {', '.join(known)}"
            )
        part = cls(name, kind, tuple(options), transform, tuple(parameters), weight)
        part.make()
        return part

    def to_table(self) -> dict[str, Any]:
        """What `from_table` reads."""
        table: dict[str, Any] = {"name": self.name, "property": self.property}
        table |= {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in self.options
        }
        if self.transform:
            table |= {"transform": self.transform, **dict(self.parameters)}
        return table | {"weight": self.weight}

    def make(self) -> Score:
        """The property as a function of a molecule.

        Raises:
          UserError: an option makes no sense, or there is no such function.
        """
        if ":" in self.property:
            function = user_code.find(self.property, "the property")
            if not callable(function):
                raise UserError(f"{self.property} is not a function")
            return function
        return PROPERTIES[self.property].make(**dict(self.options))

    def transformed(self, value: float) -> float:
        """A value as it counts in the mean, within 0 and 1."""
        if self.transform:
            function, _ = TRANSFORMS[self.transform]
            return function(value, *(number for _, number in self.parameters))
        return min(max(value, 0.0), 1.0)


@dataclasses.dataclass(frozen=True)
class ScoringFunction:
    """Components, and how they are joined.

    Attributes:
      parts: the components, each with a name of its own.
      mean: `geometric`, exp(sum w log v / sum w), or `arithmetic`, sum w v / sum w.
    """

    parts: tuple[Part, ...]
    mean: str = GEOMETRIC

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ScoringFunction:
        """Reads what `to_json` returned, or a scoring file's content.

        Raises:
          UserError: it is none.
        """
        rest = dict(value)
        mean = _text(rest, "mean", GEOMETRIC)
        if mean not in MEANS:
            raise UserError(f"mean is {mean!r}; choose one of {', '.join(MEANS)}")
        tables = rest.pop("component", None)
        if rest:
            raise UserError(
                f"unknown key {next(iter(rest))!r}; a scoring file has mean and "
                "[[component]]"
            )
        if not isinstance(tables, list) or not tables:
            raise UserError("there is no [[component]]; name one or more")
        parts: list[Part] = []
        for number, table in enumerate(tables, 1):
            try:
                part = Part.from_table(table)
                others = [other.name for other in parts]
                is_other = part.name in _TAKEN and part.name != part.property
                if part.name in others or is_other:
                    raise UserError(f"the name {part.name!r} is taken; choose another")
            except UserError as error:
                raise ComponentError(number, str(error)) from None
            parts.append(part)
        if not sum(part.weight for part in parts):
            raise UserError("all weights are 0; give one component a weight")
        return cls(tuple(parts), mean)

    def to_json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "mean": self.mean,
            "component": [part.to_table() for part in self.parts],
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Of the components."""
        return tuple(part.name for part in self.parts)

    def make(self) -> dict[str, Score]:
        """Functions of a molecule: each component's value, and the score.

        The score takes the values of the molecule that the components were last asked
        for, and computes what it has not.
        """
        functions = {part.name: _remembering(part.make()) for part in self.parts}
        used = [part for part in self.parts if part.weight]
        total = sum(part.weight for part in used)

        def score(molecule: Chem.Mol) -> float:
            joined = 0.0
            for part in used:
                value = part.transformed(functions[part.name](molecule))
                if self.mean == ARITHMETIC:
                    joined += part.weight * value
                elif value <= 0.0:
                    return 0.0
                else:
                    joined += part.weight * math.log(value)
            joined /= total
            return joined if self.mean == ARITHMETIC else math.exp(joined)

        return {**functions, SCORE: score}


class ComponentError(UserError):
    """What is wrong with a component.

    Attributes:
      number: which, from 1.
      problem: what.
    """

    def __init__(self, number: int, problem: str):
        super().__init__(f"component {number}: {problem}")
        self.number, self.problem = number, problem


def _remembering(function: Score) -> Score:
    """The same function, which computes nothing anew for the molecule it had last."""
    last: list[Any] = [None, 0.0]

    def remember(molecule: Chem.Mol) -> float:
        if last[0] is not molecule:
            last[:] = None, 0.0
            last[:] = molecule, function(molecule)
        return last[1]

    return remember


def _text(table: dict[str, Any], key: str, default: str | None = None) -> str:
    value = table.pop(key, default)
    if value is None:
        raise UserError(f"{key} is missing")
    if not isinstance(value, str) or (default is None and not value):
        raise UserError(f'{key} is {value!r:.60}; it must be text, as {key} = "..."')
    return value


def _number(table: dict[str, Any], key: str, default: float | None = None) -> float:
    value = table.pop(key, default)
    if value is None:
        raise UserError(f"{key} is missing")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise UserError(f"{key} is {value!r:.60}; it must be a finite number")
    return float(value)


def _option(table: dict[str, Any], key: str, default: Any) -> Any:
    """An option of a property: a text, or several where that makes sense."""
    if key in ("fingerprint", "formula"):
        return _text(table, key, default)
    value = table.pop(key, default)
    if value is None:
        raise UserError(f"{key} is missing")
    texts = [value] if isinstance(value, str) else value
    is_list = isinstance(texts, list | tuple) and bool(texts)
    if not is_list or not all(isinstance(text, str) and text for text in texts):
        raise UserError(f"{key} is {value!r:.60}; it must be text, or a list of texts")
    return tuple(texts)
