"""The reward of Jaques et al. 2017, section 6, on every prefix of a SMILES string."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from molecule_rnn.scoring.components import SCORE
from molecule_rnn.scoring.plain_numbers import finite_number
from rl_tuner.errors import UserError
from rl_tuner.weights import parse_weights

if TYPE_CHECKING:
    from molecule_rnn.scoring.components.scoring_function import ScoringFunction
    from molecule_rnn.scoring.scoring_pool import Scores

# What each term is worth. A component's weight multiplies its value: S is their sum;
# `prefix_score` is how much of it a prefix earns.
PAPER_WEIGHTS: Mapping[str, float] = {
    "valid": 600.0,
    "prefix": 5.0,
    "prefix_score": 1.0,
    "log_p": 3.0,
    "sa": -2.0,
    "ring": 5.0,
    "qed": 50.0,
    "length": 200.0,
    "carbon": 150.0,
}
COMPONENT_TERMS = ("log_p", "sa", "ring", "qed")
# Fields of `RewardSettings`, and of the statistics of a training set.
LIMITS = ("very_short_length", "short_length", "carbon_limit")
# At the end of a molecule S counts this often.
END_FACTOR = 10.0
# Of the penalty for a very short molecule, that of a short one.
SHORT_SHARE = 1 / 8


@dataclasses.dataclass(frozen=True)
class RewardSettings:
    """What a molecule is rewarded for, and how much. Hashable.

    Attributes:
      weights: of the terms that are not worth what they are in `PAPER_WEIGHTS`, by
        name; 0 switches one off. Of a component of the user's own the weight is 1 if
        none is given. Takes a mapping, kept as sorted pairs.
      components: the user's own components, each `module:function`, as
        `descriptors.find_component` takes them.
      very_short_length: a molecule of fewer tokens costs the whole of `length`. Tokens
        include the end of the sequence. The default is the paper's.
      short_length: a molecule of fewer tokens costs an eighth of it. The default is the
        paper's: the mean less two standard deviations of its training set.
      carbon_limit: a 'C' after more of them in a row costs `carbon`. The default is the
        paper's.
      scoring: a scoring function, whose value is the term `score`.

    Raises:
      UserError: an unknown term or component, or a number that is not finite.
    """

    weights: Mapping[str, float] | tuple[tuple[str, float], ...] = ()
    components: tuple[str, ...] = ()
    very_short_length: float = 19.0
    short_length: float = 45.82 - 2 * 9.37
    carbon_limit: float = 11.0
    scoring: ScoringFunction | None = None

    def __post_init__(self) -> None:
        components = tuple(self.components)
        object.__setattr__(self, "components", components)
        _check_components(components)
        weights = {}
        for name, weight in sorted(dict(self.weights).items()):
            _check_term(name, self._own_terms)
            weights[name] = _number(f"weight of {name!r}", weight)
        object.__setattr__(self, "weights", tuple(weights.items()))
        for limit in LIMITS:
            object.__setattr__(self, limit, _number(limit, getattr(self, limit)))

    @classmethod
    def for_training_set(
        cls, statistics: Mapping[str, Any], **others: Any
    ) -> RewardSettings:
        """Takes the limits from a training set's statistics, a prior's metadata."""
        return cls(**{name: statistics[name] for name in LIMITS}, **others)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RewardSettings:
        """Reads what `to_json` returned."""
        fields = {**value, "components": tuple(value.get("components", ()))}
        return cls(**{**fields, "scoring": read_scoring_function(value)})

    def to_json(self) -> dict[str, Any]:
        """For JSON: the fields."""
        fields = {field: getattr(self, field) for field in LIMITS} | {
            "weights": dict(self.weights),
            "components": list(self.components),
        }
        return fields | ({"scoring": self.scoring.to_json()} if self.scoring else {})

    def weight(self, term: str) -> float:
        """What a term is worth."""
        return float(dict(self.weights).get(term, PAPER_WEIGHTS.get(term, 1.0)))

    @property
    def scores_prefixes(self) -> bool:
        """Whether it matters which prefixes are molecules, before the end."""
        return self.weight("prefix") != 0.0 or self.weight("prefix_score") != 0.0

    @property
    def scored_components(self) -> tuple[str, ...]:
        """The components that count, for a `ScoringPool`; weight 0 spares the work."""
        names = (*COMPONENT_TERMS, *self._own_terms)
        return tuple(name for name in names if self.weight(name) != 0.0)

    @property
    def reported_components(self) -> tuple[str, ...]:
        """These, and what is looked at besides: for a `ScoringPool` too.

        That are the parts of a scoring function, and the user's own components that
        are worth nothing.
        """
        parts = self.scoring.names if self.scoring else ()
        names = (*parts, *self.scored_components, *self.components)
        return tuple(dict.fromkeys(names))

    @property
    def _own_terms(self) -> tuple[str, ...]:
        return (*self.components, *((SCORE,) if self.scoring else ()))


def prefix_rewards(
    scores: Scores,
    lengths: np.ndarray,
    ended: np.ndarray,
    carbon_runs: np.ndarray,
    settings: RewardSettings,
) -> np.ndarray:
    """The reward for the last token of each prefix, unscaled: the sum of its terms.

    With S the weighted sum of the components, 3 logP - 2 SA + 5 ring + 50 QED by
    default, a prefix that is a molecule earns 5 + S, another -5 (`prefix` weighs the 5,
    `prefix_score` the S). A whole molecule earns
    600 + 10 S, a whole string that is none earns 0; a short one of either kind pays.
    A 'C' after too many of them pays always.

    Args:
      scores: of the N strings, of at least `settings.scored_components`.
      lengths: [N], tokens so far, the end of the sequence included.
      ended: [N] bool, whether the last token ended the sequence, by being its end or
        the last that fits.
      carbon_runs: [N], how many 'C' in a row the prefix ends with, 0 if its last token
        is another.
      settings: weights and limits.

    Returns:
      [N] float32.
    """
    terms = reward_terms(scores, lengths, ended, carbon_runs, settings)
    return np.sum(list(terms.values()), axis=0).astype(np.float32)


def reward_terms(
    scores: Scores,
    lengths: np.ndarray,
    ended: np.ndarray,
    carbon_runs: np.ndarray,
    settings: RewardSettings,
) -> dict[str, np.ndarray]:
    """The terms that `prefix_rewards` adds up: {name: [N] float64}."""
    parsed, ended = np.asarray(scores.parsed, bool), np.asarray(ended, bool)
    lengths, carbon_runs = np.asarray(lengths), np.asarray(carbon_runs)
    prefix = settings.weight("prefix")
    terms = {
        "valid": np.where(ended & parsed, settings.weight("valid"), 0.0),
        "prefix": np.where(ended, 0.0, np.where(parsed, prefix, -prefix)),
    }
    early = settings.weight("prefix_score")
    factor = np.where(parsed, np.where(ended, END_FACTOR, early), 0.0)
    for name in settings.scored_components:
        terms[name] = factor * settings.weight(name) * scores.column(name)
    shortness = np.where(
        lengths < settings.very_short_length,
        1.0,
        np.where(lengths < settings.short_length, SHORT_SHARE, 0.0),
    )
    terms["length"] = -settings.weight("length") * shortness * ended
    # The run counts the last 'C' itself: the limit is for those before it.
    too_many = carbon_runs - 1 > settings.carbon_limit
    terms["carbon"] = -settings.weight("carbon") * too_many
    return terms


def carbon_runs(
    tokens: np.ndarray, lengths: np.ndarray, carbon: int | None
) -> np.ndarray:
    """How many 'C' in a row each prefix ends with.

    Args:
      tokens: [N, T] ints.
      lengths: [N], how many tokens of each row there are; 1 or more.
      carbon: the class of 'C'; None if there is none.

    Returns:
      [N] int64, 0 where the last token is another.
    """
    tokens, lengths = np.asarray(tokens), np.asarray(lengths)
    positions = np.arange(tokens.shape[1])
    is_other = (tokens != carbon) & (positions < lengths[:, np.newaxis])
    last_other = np.where(is_other, positions, -1).max(axis=1, initial=-1)
    return lengths - 1 - last_other


def read_scoring_function(settings: Mapping[str, Any]) -> ScoringFunction | None:
    """The `scoring` of settings that are JSON; None if there is none."""
    if not settings.get("scoring"):
        return None
    from molecule_rnn.scoring.components.scoring_function import ScoringFunction

    return ScoringFunction.from_json(settings["scoring"])


def scoring_of_flags(file: str, oracle: str) -> dict[str, Any] | None:
    """What --scoring or --oracle names, as JSON; None if neither is given.

    Raises:
      UserError: both are given, or what is named is none.
    """
    if file and oracle:
        raise UserError("--scoring and --oracle exclude each other; leave one out")
    if not file and not oracle:
        return None
    from molecule_rnn.scoring.components import scoring_file

    found = scoring_file.of_oracle(oracle) if oracle else scoring_file.read(file)
    return found.to_json()


def own_terms(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The terms of a task's settings that are not of the paper, as JSON has them."""
    return (*settings.get("reward", ()), *([SCORE] if settings.get("scoring") else ()))


def parse_reward_weights(text: str, components: Sequence[str] = ()) -> dict[str, float]:
    """Reads weights written as "qed=100,log_p=0".

    Args:
      text: terms and weights.
      components: the user's own, which have weights too.

    Returns:
      {term: weight}, empty for an empty text.

    Raises:
      UserError: not of that form, an unknown or repeated term, or not a number.
    """
    return parse_weights(text, "term", (*PAPER_WEIGHTS, *components), "qed=100")


def parse_reward_components(text: str) -> tuple[str, ...]:
    """Reads components of the user's own written as "my_module:my_score,other:score".

    Raises:
      UserError: one cannot be imported, or is there twice.
    """
    names = tuple(filter(None, (part.strip() for part in text.split(","))))
    _check_components(names)
    return names


def _check_components(names: Sequence[str]) -> None:
    if not names:
        return
    # RDKit takes a while to import, which --help and plain settings need not wait for.
    from molecule_rnn.scoring.descriptors import find_component

    for name in names:
        if name in PAPER_WEIGHTS:
            raise UserError(f"component {name!r} is part of the reward anyway")
        if list(names).count(name) > 1:
            raise UserError(f"component {name!r} is there twice; name it once")
        find_component(name)


def _check_term(name: str, components: Sequence[str]) -> None:
    known = (*PAPER_WEIGHTS, *components)
    if name not in known:
        raise UserError(f"unknown term {name!r}; choose one of {', '.join(known)}")


def _number(what: str, value: Any) -> float:
    number = None if isinstance(value, bool) else finite_number(value)
    if number is None:
        raise UserError(f"the {what} is {value!r}; it must be a finite number")
    return value if type(value) is int else number
