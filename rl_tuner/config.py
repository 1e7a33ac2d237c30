"""The settings of a tuning run."""

from __future__ import annotations

import dataclasses

from rl_tuner import settings
from rl_tuner.errors import UserError
from rl_tuner.settings import setting

# Names and classes, in the order of tables and legends: a new algorithm is one line.
ALGORITHMS = {
    "q": "rl_tuner.algorithms.value_learning:QLearning",
    "psi": "rl_tuner.algorithms.value_learning:PsiLearning",
    "g": "rl_tuner.algorithms.value_learning:GLearning",
    "pure_rl": "rl_tuner.algorithms.value_learning:RewardsOnly",
    "reinforce": "rl_tuner.algorithms.policy_gradient:Reinforce",
    "ppo": "rl_tuner.algorithms.policy_gradient:PPO",
    "dap": "rl_tuner.algorithms.policy_gradient:DAP",
    "dpg": "rl_tuner.algorithms.distributional:DPG",
}
POLICY_GRADIENTS = ("reinforce", "ppo", "dap", "dpg")
# What the papers compare.
PAPER_ALGORITHMS = tuple(name for name in ALGORITHMS if name not in POLICY_GRADIENTS)
EXPLORATION_MODES = ("egreedy", "boltzmann")
TERMINALS = ("bootstrap", "zero")
INITIAL_VALUES = ("prior", "zero", "median")
REPLAYS = ("uniform", "prioritized")
REPLAY_MODES = ("stored_state", "whole_prefix", "whole_sequence")


@settings.documented
@dataclasses.dataclass(frozen=True)
class RLTunerConfig:
    """What decides how the prior is tuned; by default as in Jaques et al. 2016."""

    algorithm: str = setting(
        "psi",
        "Q-learning with the log prior, Psi-learning, G-learning, or rewards only, as "
        "in the papers; or a policy gradient on whole sequences: REINFORCE, PPO, "
        "REINVENT's DAP, or DPG.",
        choices=tuple(ALGORITHMS),
        own="some_module:SomeAlgorithm",
    )
    reward_scaler: float = setting(
        2.0, "1/c, the weight of the task's reward against log p(a|s).", low=0
    )
    target_kl: float | None = setting(
        None,
        "KL of the policy from the prior, in nats a token, that is held by moving c "
        "from where reward_scaler sets it. For policy gradients.",
        low=1e-6,
    )
    initial_reward_scaler: float | None = setting(
        None,
        "1/c that training begins with, and moves from to reward_scaler over its first "
        "half. For policy gradients.",
        above=0,
    )
    discount_rate: float = setting(
        0.5,
        "Gamma; 1 is the objective itself.",
        low=0,
        high=1,
        of=dict.fromkeys(POLICY_GRADIENTS, 1.0),
    )
    exploration_mode: str = setting(
        "egreedy",
        "epsilon-greedy, or samples of the policy.",
        choices=EXPLORATION_MODES,
    )
    exploration_steps: int | None = setting(
        None,
        "Steps over which epsilon falls; by default half of the training steps.",
        low=0,
    )
    initial_epsilon: float = setting(
        1.0, "Share of random actions at the first step.", low=0, high=1
    )
    final_epsilon: float = setting(
        0.1, "Share of random actions after exploration_steps.", low=0, high=1
    )
    learning_rate: float = setting(
        1e-3, "Of Adam.", above=0, high=1, of=dict.fromkeys(POLICY_GRADIENTS, 2e-3)
    )
    learning_rate_decay: float = setting(
        0.0,
        "Share of the training, at its end, over which the learning rate falls to 0. "
        "For policy gradients.",
        low=0,
        high=1,
        of=dict.fromkeys(POLICY_GRADIENTS, 0.3),
    )
    clip_norm: float = setting(
        5.0,
        "L2 norm that each weight's gradient is clipped to, on its own; of policy "
        "gradients that of all together.",
        above=0,
        of=dict.fromkeys(POLICY_GRADIENTS, 1.0),
    )
    target_network_update_rate: float = setting(
        0.01,
        "Eta, how fast the target network follows: target <- (1 - eta) target + eta q.",
        above=0,
        high=1,
    )
    minibatch_size: int = setting(32, "Transitions an update.", low=1)
    train_every_nth: int = setting(5, "Environment steps an update.", low=1)
    num_sequences: int = setting(
        5,
        "Sequences that are played side by side; it must divide train_every_nth or be "
        "a multiple of it. Of policy gradients a batch.",
        low=1,
        of=dict.fromkeys(POLICY_GRADIENTS, 64),
    )
    updates_per_batch: int = setting(
        1,
        "Updates from each batch of whole sequences. For policy gradients.",
        low=1,
        of={"ppo": 4},
    )
    clip_ratio: float = setting(
        0.2,
        "Epsilon of PPO: how far the ratio to the policy that sampled counts.",
        above=0,
        high=1,
    )
    lowest_share: float = setting(
        0.1,
        "Share of a batch, where log pi*/pi is lowest, that counts as the least of the "
        "rest, so that what fails altogether does not drown what else differs. Of dpg.",
        low=0,
        high=0.5,
    )
    num_best: int = setting(
        0,
        "Sequences of each batch that are drawn from the 100 best so far, where "
        "rewards are rare. For policy gradients.",
        low=0,
    )
    rounds_per_scoring: int = setting(
        10,
        "Rounds of acting that are scored at once, for rewards that cannot be "
        "compiled; updates learn from older ones meanwhile. A round has as many steps "
        "as num_sequences or train_every_nth.",
        low=1,
    )
    replay_capacity: int = setting(100_000, "Transitions that are remembered.")
    replay: str = setting(
        "uniform",
        "whether transitions are sampled alike, or by the size of their last error.",
        choices=REPLAYS,
    )
    priority_exponent: float = setting(
        0.5, "Alpha of prioritized replay; 0 is uniform.", low=0
    )
    importance_exponent: float = setting(
        0.0, "Beta of prioritized replay; 0 weighs all losses alike.", low=0
    )
    replay_mode: str = setting(
        "stored_state",
        "stored_state learns from one step, from the states that the networks acted "
        "in; whole_prefix reads each sequence again from its start, with the weights "
        "of now and gradients through all of it, which takes many times as long; "
        "whole_sequence does so once for all of a sequence that has ended, and its "
        "minibatch_size and replay_capacity are sequences.",
        choices=REPLAY_MODES,
    )
    trace_decay: float = setting(
        0.0,
        "Lambda: how much of a sequence's later errors counts in each target; 0 is as "
        "in the papers. For replay_mode whole_sequence.",
        low=0,
        high=1,
    )
    terminal: str = setting(
        "bootstrap",
        "whether the state after the last token has a value, as in the papers, or "
        "V = 0.",
        choices=TERMINALS,
    )
    initial_values: str = setting(
        "prior",
        "what the Q network begins with; the prior's logits, as in the papers; zero "
        "and median, the median return of the prior's sequences, are for algorithms "
        "whose policy acts with the prior, as that of G: it then begins as the "
        "prior's.",
        choices=INITIAL_VALUES,
    )
    center_rewards: bool = setting(
        False,
        "Take off the task's rewards what the prior's sequences earn on average: the "
        "optimum stays, and values have less to learn.",
    )
    reference_g_update: bool = setting(
        False,
        "Under G, train the Reward RNN too, as the reference implementation did; it "
        "belongs frozen.",
    )
    seed: int = setting(0, "Of all randomness.", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        """Refuses values that make no sense, by a `UserError` that names them."""
        settings.resolve(self, self.algorithm)
        settings.check(self)
        if self.algorithm in POLICY_GRADIENTS:
            return
        for name in ("minibatch_size", "num_sequences"):
            if not self.replay_capacity >= getattr(self, name):
                raise UserError(
                    f"replay_capacity is {self.replay_capacity}; it must be at least "
                    f"{name}, {getattr(self, name)}"
                )
        if self.trace_decay and self.replay_mode != "whole_sequence":
            raise UserError(
                f"trace_decay {self.trace_decay} needs all of a sequence, which "
                f"replay_mode {self.replay_mode!r} does not replay; choose "
                "'whole_sequence', or trace_decay 0"
            )
        if ":" not in self.algorithm:
            self.check_rounds()

    def check_rounds(self) -> None:
        """Refuses rounds that do not come out even, of what learns from steps."""
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
