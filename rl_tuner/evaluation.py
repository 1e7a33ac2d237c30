"""Judging what a policy generates."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rl_tuner.diversity import Corpus, unique_share
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
    policy: Policy,
    task: Task,
    num_sequences: int,
    seed: int = 0,
    corpus: Corpus | None = None,
) -> dict[str, float]:
    """Samples sequences and judges them.

    Args:
      policy: what samples.
      task: what judges.
      num_sequences: how many.
      seed: the same seed samples the same.
      corpus: what the prior was trained on, to count copies.

    Returns:
      the task's metrics by name, and as means over all tokens: `task_reward`, r(s, a)
      unscaled; `log_prior`, log p(a|s); `entropy` of the policy; `kl`, the KL
      divergence of the policy from the prior, exact in each state. The last three are
      in nats. Of the sequences, in percent: `unique`, how many are distinct; with a
      corpus `copied`, how many occur in it verbatim.
    """
    generated = generate_for_task(policy, task, num_sequences, seed=seed)
    copied = {}
    if corpus is not None:
        copied["copied"] = corpus.copied_share(generated.sequences)
    return {
        **task.metrics(generated.sequences),
        "unique": unique_share(generated.sequences),
        **copied,
        "task_reward": float(np.mean(task.rewards(generated.sequences))),
        "log_prior": float(np.mean(generated.log_priors)),
        "entropy": float(np.mean(generated.entropies)),
        "kl": float(np.mean(generated.kls)),
    }
