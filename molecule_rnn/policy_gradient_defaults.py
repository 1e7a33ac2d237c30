"""What policy gradients of molecules are set to if nothing else is said."""

from __future__ import annotations

from typing import Any

# What is best from a start token: 64,000 molecules or so.
START_POLICY_GRADIENT: dict[str, Any] = {
    "algorithm": "dpg",
    "training_steps": 2_200_000,
    "output_every_nth": 220_000,
    "save_every_secs": 600.0,
}
POLICY_GRADIENT_SETTINGS: dict[str, Any] = {
    "num_sequences": 128,
    "learning_rate": 7e-4,
    "learning_rate_decay": 1.0,
    # From less: what strings that are no molecules lack would drive the first, full
    # steps of Adam so far from the prior that some seeds end nowhere.
    "initial_reward_scaler": 0.004,
    "reward_scaler": 0.0165,
    # Strings that are no molecules.
    "lowest_share": 0.03,
}
