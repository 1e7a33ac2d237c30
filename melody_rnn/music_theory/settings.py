"""What a user can choose about the music-theory reward; needs no TensorFlow."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from melody_rnn import encoding
from melody_rnn.music_theory import musical_key
from rl_tuner.errors import UserError
from rl_tuner.weights import parse_weights

# In the order of Magenta's sum. What each one rewards: rules.py.
RULE_NAMES = (
    "key",
    "tonic",
    "repeating",
    "autocorrelation",
    "motif",
    "repeated_motif",
    "preferred_intervals",
    "leaps",
    "unique_extrema",
)

# How the rules read the classes 0 and 1 (rest, hold): the papers' rules take them the
# other way round than the data, the checkpoints and the MIDI files do.
READINGS = {
    "paper": (encoding.NO_EVENT, encoding.NOTE_OFF),
    "corrected": (encoding.NOTE_OFF, encoding.NO_EVENT),
}


@dataclasses.dataclass(frozen=True)
class RewardMode:
    """One way of scoring an event.

    Attributes:
      rewards: names of what is summed: rules, or one of the simple bonuses that
        only some modes have.
      uses_log_prior: whether the method adds log p(a|s) of the Reward RNN.
      summary: one line for `--help` and reports.
    """

    rewards: tuple[str, ...]
    uses_log_prior: bool
    summary: str


MODES = {
    "scale": RewardMode(("scale_bonus",), False, "play a scale up, over and over"),
    "key": RewardMode(("in_key_bonus",), False, "stay in key"),
    "key_and_tonic": RewardMode(
        RULE_NAMES[:2], False, "stay in key, start and end on the tonic"
    ),
    "non_repeating": RewardMode(
        ("non_repeating_bonus",), False, "do not repeat one note too often"
    ),
    "music_theory_random": RewardMode(
        RULE_NAMES[:3], False, "key, tonic and repeating, without log p"
    ),
    "preferred_intervals": RewardMode(
        ("preferred_intervals",), False, "prefer harmonious intervals"
    ),
    "music_theory_only": RewardMode(RULE_NAMES, False, "all nine rules, without log p"),
    "music_theory_basic": RewardMode(
        RULE_NAMES[:3], True, "key, tonic and repeating, with log p"
    ),
    "music_theory_basic_plus_variety": RewardMode(
        RULE_NAMES[:4], True, "basic and autocorrelation, with log p"
    ),
    "music_theory_all": RewardMode(RULE_NAMES, True, "all nine rules, with log p"),
}


@dataclasses.dataclass(frozen=True)
class MusicTheorySettings:
    """Which rules count, how much, and how they read a melody. Hashable.

    Attributes:
      rules: "paper" reads class 0 as a rest and 1 as a hold, as the published rules
        do and as every figure of the papers needs; "corrected" swaps the two to
        what the encoding means (0 no event, 1 note off).
      key: the key, such as "C major" or "A minor" (natural minor). The tonic is the
        note of that name from middle C to the B above it.
      mode: a name in `MODES`.
      rule_weights: factor for each rule, by name; 1 where none is given. A rule of
        weight 0 is not computed at all. Takes a mapping, kept as sorted pairs.
      extra_rules: the user's own rules as pairs of a name and a function from a
        `MelodyStep` to float32 [N]; they count in every mode.
      notes: that the classes stand for.

    Raises:
      UserError: an unknown reading, key, mode or rule, a weight that is not a finite
        number, or an extra rule whose name is taken.
    """

    rules: str = "paper"
    key: str = "C major"
    mode: str = "music_theory_all"
    rule_weights: Mapping[str, float] | tuple[tuple[str, float], ...] = ()
    extra_rules: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    notes: encoding.NoteRange = encoding.OUR_NOTES

    def __post_init__(self) -> None:
        _check_choice("rules", self.rules, READINGS)
        _check_choice("reward mode", self.mode, MODES)
        musical_key.parse_key(self.key, self.notes)
        extra_rules = tuple((name, rule) for name, rule in self.extra_rules)
        object.__setattr__(self, "extra_rules", extra_rules)
        names = self.reward_names
        for name, _ in extra_rules:
            if names.count(name) > 1:
                raise UserError(
                    f"extra rule {name!r}: the name is taken; choose another"
                )
        weights = tuple(sorted(dict(self.rule_weights).items()))
        for name, weight in weights:
            _check_choice("rule", name, names)
            _check_weight(name, weight)
        object.__setattr__(self, "rule_weights", weights)

    @property
    def rest(self) -> int:
        """The class that the rules take for a rest."""
        return READINGS[self.rules][0]

    @property
    def hold(self) -> int:
        """The class that the rules take for a hold."""
        return READINGS[self.rules][1]

    @property
    def parsed_key(self) -> musical_key.Key:
        """The key as numbers."""
        return musical_key.parse_key(self.key, self.notes)

    @property
    def uses_log_prior(self) -> bool:
        """Whether the mode adds log p(a|s) of the Reward RNN to the rules."""
        return MODES[self.mode].uses_log_prior

    @property
    def reward_names(self) -> tuple[str, ...]:
        """What the columns of `step_rewards` are: the nine rules, then the rest."""
        bonuses = (n for n in MODES[self.mode].rewards if n not in RULE_NAMES)
        return (*RULE_NAMES, *bonuses, *(name for name, _ in self.extra_rules))

    def weight(self, name: str) -> float:
        """The factor of a reward; 0 for a rule that the mode leaves out."""
        if name in RULE_NAMES and name not in MODES[self.mode].rewards:
            return 0.0
        return float(dict(self.rule_weights).get(name, 1.0))


def parse_rule_weights(text: str, own_rules: Sequence[str] = ()) -> dict[str, float]:
    """Reads rule weights written as "key=2,motif=0".

    Args:
      text: the weights.
      own_rules: names of the user's own, which may have weights too.

    Returns:
      {rule: weight}, empty for an empty text.

    Raises:
      UserError: not of that form, an unknown or repeated rule, or not a number.
    """
    return parse_weights(text, "rule", (*RULE_NAMES, *own_rules), "key=2")


def parse_own_rules(text: str) -> dict[str, str]:
    """Reads rules of a user's own written as "my_module:my_rule,other:rule".

    Returns:
      {name: path}: a rule is called as its function is.

    Raises:
      UserError: not of that form, or two have one name.
    """
    paths: dict[str, str] = {}
    for path in filter(None, (part.strip() for part in text.split(","))):
        module, colon, name = path.partition(":")
        if not (module and colon and name):
            raise UserError(
                f"--rule={path} is not of the form my_module:my_rule; --rules says how "
                "the nine rules are read"
            )
        if name in paths or name in RULE_NAMES:
            raise UserError(f"two rules are called {name!r}; rename the one in {path}")
        paths[name] = path
    return paths


def _check_weight(name: str, weight: float) -> None:
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not is_number or not math.isfinite(weight):
        raise UserError(f"weight {weight!r} of rule {name!r} is not a finite number")


def _check_choice(what: str, name: object, known: Collection[str]) -> None:
    if name not in known:
        raise UserError(f"unknown {what} {name!r}; choose one of {', '.join(known)}")
