"""Judging what a policy generates."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rl_tuner.policy import Generated, Policy
from rl_tuner.task import Task


def generate_for_task(
    policy: Policy,
    task: Task,
    num_sequences: int,
    temperature: float = 1.0,
    seed: int = 0,
    num_steps: int | None = None,
) -> Generated:
    """Samples sequences of a task, each from a priming token of the task's.

    They are whole sequences of the task, unless `num_steps` gives another length.
    """
    primes = task.prime(num_sequences, tf.constant([seed, 0x5EED], tf.int32))
    return policy.generate(
        primes[:, tf.newaxis], num_steps or task.max_length, temperature, seed
    )


def evaluate_policy(
    policy: Policy, task: Task, num_sequences: int, seed: int = 0
) -> dict[str, float]:
    """Samples sequences and judges them.

    Returns:
      the task's metrics by name, and as means over all tokens: `task_reward`, r(s, a)
      unscaled; `log_prior`, log p(a|s); `entropy` of the policy; `kl`, the KL
      divergence of the policy from the prior, exact in each state. The last three are
      in nats.
    """
    generated = generate_for_task(policy, task, num_sequences, seed=seed)
    return {
        **task.metrics(generated.sequences),
        "task_reward": float(np.mean(task.rewards(generated.sequences))),
        "log_prior": float(np.mean(generated.log_priors)),
        "entropy": float(np.mean(generated.entropies)),
        "kl": float(np.mean(generated.kls)),
    }
