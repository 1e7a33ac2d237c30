"""The settings of a tuning run."""

from __future__ import annotations

import dataclasses
import math

from rl_tuner.algorithms import ALGORITHMS, is_known
from rl_tuner.errors import UserError

EXPLORATION_MODES = ("egreedy", "boltzmann")
TERMINALS = ("bootstrap", "zero")
INITIAL_VALUES = ("prior", "zero", "median")
REPLAYS = ("uniform", "prioritized")
REPLAY_MODES = ("stored_state", "whole_prefix", "whole_sequence")


@dataclasses.dataclass(frozen=True)
class RLTunerConfig:
    """What decides how the prior is tuned; by default as in Jaques et al. 2016.

    Attributes:
      algorithm: `q` (Q-learning with log prior), `psi`, `g` or `pure_rl`.
      reward_scaler: 1/c, the weight of the task's reward against log p(a|s).
      discount_rate: gamma.
      exploration_mode: `egreedy` or `boltzmann`.
      exploration_steps: environment steps over which epsilon falls; None is half of
        those of the training.
      initial_epsilon: epsilon at the first step.
      final_epsilon: epsilon after `exploration_steps`.
      learning_rate: of Adam.
      clip_norm: each weight's gradient is clipped to this L2 norm, on its own; see
        `Network.clipping_groups`.
      target_network_update_rate: eta; target <- (1 - eta) target + eta q.
      minibatch_size: transitions an update.
      train_every_nth: environment steps an update.
      num_sequences: sequences that are played side by side. It must divide
        `train_every_nth` or be a multiple of it.
      rounds_per_scoring: how many rounds of acting are scored at once, where a task's
        rewards come from outside the graph; updates learn from older ones meanwhile.
      replay_capacity: transitions kept.
      replay: `uniform`, or `prioritized` by the last error of each transition.
      priority_exponent: alpha of prioritized replay; 0 is uniform.
      importance_exponent: beta of prioritized replay; 0 weighs all losses the same.
      replay_mode: `stored_state` unrolls one step from the states that the networks
        were in when they acted; `whole_prefix` unrolls each sequence from its start,
        with the weights of now and gradients through all of it, at many times the cost;
        `whole_sequence` does so once for all transitions of a sequence that has ended,
        so that `minibatch_size` and `replay_capacity` count sequences.
      trace_decay: lambda; how much of a sequence's later errors counts in the target of
        each of its transitions, see `value_learning.traced_targets`; the papers have
        none. For `whole_sequence`.
      terminal: `bootstrap` takes a value from the state after the last token too, as
        the papers do; `zero` takes V = 0 there.
      initial_values: `prior` begins with the prior's logits for values, as the papers
        do; `zero`, for `g` only, begins with G = 0, so that the policy is the prior's
        and all values are right as long as nothing is rewarded; `median`, for `g` only,
        begins with G equal everywhere to the median return of the prior's sequences,
        so that a token which is never tried counts as a usual one.
      reference_g_update: lets gradients of G-learning into the Reward RNN, as the
        reference implementation did; it belongs frozen.
      seed: of all randomness.
    """

    algorithm: str = "psi"
    reward_scaler: float = 2.0
    discount_rate: float = 0.5
    exploration_mode: str = "egreedy"
    exploration_steps: int | None = None
    initial_epsilon: float = 1.0
    final_epsilon: float = 0.1
    learning_rate: float = 1e-3
    clip_norm: float = 5.0
    target_network_update_rate: float = 0.01
    minibatch_size: int = 32
    train_every_nth: int = 5
    num_sequences: int = 5
    rounds_per_scoring: int = 10
    replay_capacity: int = 100_000
    replay: str = "uniform"
    priority_exponent: float = 0.5
    importance_exponent: float = 0.0
    replay_mode: str = "stored_state"
    trace_decay: float = 0.0
    terminal: str = "bootstrap"
    initial_values: str = "prior"
    reference_g_update: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses values that make no sense, by a `UserError` that names them."""
        for name, choices in (
            ("exploration_mode", EXPLORATION_MODES),
            ("terminal", TERMINALS),
            ("initial_values", INITIAL_VALUES),
            ("replay", REPLAYS),
            ("replay_mode", REPLAY_MODES),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise UserError(
                    f"unknown {name} {value!r}; choose one of {', '.join(choices)}"
                )
        if not is_known(self.algorithm):
            raise UserError(
                f"unknown algorithm {self.algorithm!r}; choose one of "
                f"{', '.join(ALGORITHMS)}, or some_module:SomeAlgorithm"
            )
        self._check("reward_scaler", 0.0, math.inf)
        self._check("discount_rate", 0.0, 1.0)
        if self.exploration_steps is not None:
            self._check("exploration_steps", 0, math.inf)
        self._check("initial_epsilon", 0.0, 1.0)
        self._check("final_epsilon", 0.0, 1.0)
        self._check("learning_rate", 0.0, 1.0, above=True)
        self._check("clip_norm", 0.0, math.inf, above=True)
        self._check("target_network_update_rate", 0.0, 1.0, above=True)
        for name in ("minibatch_size", "train_every_nth", "num_sequences"):
            self._check(name, 1, math.inf)
        self._check("rounds_per_scoring", 1, math.inf)
        self._check("priority_exponent", 0.0, math.inf)
        self._check("importance_exponent", 0.0, math.inf)
        self._check("trace_decay", 0.0, 1.0)
        self._check("replay_capacity", self.minibatch_size, math.inf)
        self._check("replay_capacity", self.num_sequences, math.inf)
        self._check("seed", 0, 2**31 - 1)
        if self.trace_decay and self.replay_mode != "whole_sequence":
            raise UserError(
                f"trace_decay {self.trace_decay} needs all of a sequence, which "
                f"replay_mode {self.replay_mode!r} does not replay; choose "
                "'whole_sequence', or trace_decay 0"
            )
        wide, narrow = self.num_sequences, self.train_every_nth
        if max(wide, narrow) % min(wide, narrow):
            raise UserError(
                f"num_sequences {wide} must divide train_every_nth {narrow} or be a "
                "multiple of it, so that the updates a step come out even"
            )

    @property
    def acting_steps_per_round(self) -> int:
        """Steps of all sequences between updates."""
        return max(1, self.train_every_nth // self.num_sequences)

    @property
    def updates_per_round(self) -> int:
        """Updates that follow those steps."""
        return max(1, self.num_sequences // self.train_every_nth)

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round: one token of one sequence each."""
        return self.acting_steps_per_round * self.num_sequences

    def _check(self, name: str, low: float, high: float, above: bool = False) -> None:
        value = getattr(self, name)
        if not (low < value if above else low <= value) or not value <= high:
            least = f"above {low}" if above else f"at least {low}"
            most = "" if high == math.inf else f" and at most {high}"
            raise UserError(f"{name} is {value}; it must be {least}{most}")
        if not math.isfinite(value):
            raise UserError(f"{name} is {value}; it must be a finite number")
