"""What tuning of molecules is set to; of policy gradients see the file of theirs."""

from __future__ import annotations

from typing import Any

from molecule_rnn.scoring.rewards import PAPER_WEIGHTS, SCORE
from molecule_rnn.smiles_rnn.config import RANDOM_TOKEN, START_TOKEN

_COMMON_TUNING = {
    "num_sequences": 128,
    "rounds_per_scoring": 1,
    "replay_mode": "whole_sequence",
    # A molecule ends: after that there is nothing to be earned.
    "terminal": "zero",
    "save_every_secs": 600.0,
}
# Jaques et al. 2017, section 6, and their research code, but for the replay: they read
# the prefixes of 512 transitions anew for each update, fifty steps apart.
PAPER_TUNING: dict[str, Any] = {
    **_COMMON_TUNING,
    "algorithm": "psi",
    "initial_values": "prior",
    "train_every_nth": 1152,
    "minibatch_size": 128,
    "reward_scaler": 0.35,
    "discount_rate": 0.95,
    "exploration_mode": "egreedy",
    "target_network_update_rate": 0.05,
    "initial_epsilon": 0.01,
    "final_epsilon": 0.01,
    "learning_rate": 1e-4,
    "replay": "prioritized",
    # With none, molecules of two atoms are what is learned: they are rewarded at once.
    "trace_decay": 1.0,
    "replay_capacity": 16_384,
    "training_steps": 2_500_000,
    "output_every_nth": 100_000,
}
# Closer to the prior: rewards of the paper's size, weighed as the paper does, end in a
# few molecules. One first token cannot be explored greedily either.
START_TUNING = {
    **_COMMON_TUNING,
    "algorithm": "g",
    "initial_values": "median",
    "reward_scaler": 0.007,
    "discount_rate": 1.0,
    "exploration_mode": "boltzmann",
    "target_network_update_rate": 0.2,
    "learning_rate": 5e-4,
    "train_every_nth": 2304,
    "minibatch_size": 256,
    "replay": "uniform",
    "trace_decay": 1.0,
    # What was acted a while ago teaches little: the policy has moved on.
    "replay_capacity": 2304,
    "training_steps": 2_500_000,
    "output_every_nth": 250_000,
}
# What terms are worth where it is not as in the paper. From a start token only whole
# molecules are rewarded, for being drug-like: to reward prefixes that are molecules
# teaches to write no rings and branches.
REWARD_WEIGHTS = {
    RANDOM_TOKEN: {},
    START_TOKEN: {
        "valid": 0.0,
        "prefix": 0.0,
        "prefix_score": 0.0,
        "log_p": 0.0,
        "qed": 300.0,
    },
}
# Of a scoring function nothing else counts.
SCORING_WEIGHTS = {**dict.fromkeys(PAPER_WEIGHTS, 0.0), SCORE: 300.0}
