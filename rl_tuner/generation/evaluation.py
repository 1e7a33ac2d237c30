"""Judging what a policy generates."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import take_actions
from rl_tuner.generation.certificate import (
    FEWEST_EFFECTIVE,
    Certificate,
    certify,
)
from rl_tuner.generation.diversity import Corpus, unique_share
from rl_tuner.generation.policy import Generated, Policy
from rl_tuner.metrics import Evaluation
from rl_tuner.networks.network import Network
from rl_tuner.scored_task import ScoredTask
from rl_tuner.sequence_ends import is_token
from rl_tuner.task import Task

# Sequences that the mean task reward is measured on, of a task that scores outside the
# graph.
REWARDED_SEQUENCES = 1000
_CHUNK = 2048


def sample_primes(task: Task, num_sequences: int, seed: int = 0) -> tf.Tensor:
    """The priming tokens that `generate_for_task` gives the same arguments: [N, P]."""
    primes = task.prime(num_sequences, tf.constant([seed, 0x5EED], tf.int32))
    return tf.reshape(primes, [num_sequences, -1])


def generate_for_task(
    policy: Policy,
    task: Task,
    num_sequences: int,
    temperature: float = 1.0,
    seed: int = 0,
    num_steps: int | None = None,
    rows: tuple[int, int] | None = None,
) -> Generated:
    """Samples sequences of a task, each from priming tokens of the task's.

    They are whole sequences of the task, unless `num_steps` gives another length, and
    all of them, unless `rows` gives a first and a last but one of them.
    """
    primes = sample_primes(task, num_sequences, seed)
    steps = num_steps or task.max_length
    return policy.generate(primes, steps, temperature, seed, task.end_token, rows)


def evaluate_policy(
    policy: Policy,
    task: Task,
    num_sequences: int,
    seed: int = 0,
    corpus: Corpus | None = None,
    untuned: Network | None = None,
    reward_scaler: float | None = None,
) -> Evaluation:
    """Samples sequences and judges them.

    Args:
      policy: what samples.
      task: what judges.
      num_sequences: how many.
      seed: the same seed samples the same.
      corpus: what the prior was trained on, to find what is not new.
      untuned: the prior, where the policy's Reward RNN is no longer the prior.
      reward_scaler: 1/c, to find how far the policy is from the optimum.

    Returns:
      the task's metrics by name, and as means over all tokens, of which the end token
      is one and what follows it is none: `task_reward`, r(s, a) unscaled; `log_prior`,
      log p(a|s) under the Reward RNN; `entropy` of the policy; `kl`, the KL divergence
      of the policy from the Reward RNN, exact in each state; with `untuned`
      `log_untuned`, log p(a|s) under that. The last four are in nats. Of the sequences,
      in percent: `unique`, how many are distinct; with a corpus `copied`, how many
      occur in it verbatim. With `reward_scaler` those of `certificate.Certificate` that
      the sequences carry.

    The reward of a task that scores prefixes outside the graph is measured on no more
    than the first `REWARDED_SEQUENCES`, since it takes longer than all else.
    """
    generated = generate_for_task(policy, task, num_sequences, seed=seed)
    judgement = task.judge(
        generated.sequences, None if corpus is None else corpus.sequences
    )
    copied = {}
    if corpus is not None:
        copied["copied"] = corpus.copied_share(
            generated.sequences, task.end_token, task.to_lines
        )
    measures = _token_measures(generated, task)
    if untuned is not None:
        primes = sample_primes(task, num_sequences, seed)
        log_p = log_priors(untuned, primes, generated.sequences)
        measures["log_untuned"] = generated.sequences, log_p
    certified = {}
    if reward_scaler is not None:
        log_p = measures["log_untuned" if untuned is not None else "log_prior"][1]
        found = _certified(
            generated._replace(log_priors=log_p),
            measures["task_reward"],
            sample_primes(task, num_sequences, seed).numpy(),
            task,
            reward_scaler,
        )
        certified = {k: v for k, v in found._asdict().items() if math.isfinite(v)}
    means = {
        name: mean_of_tokens(values, is_token(sequences, task.end_token))
        for name, (sequences, values) in measures.items()
    }
    return Evaluation(
        num_sequences=num_sequences,
        seed=seed,
        metrics={
            **judgement.metrics,
            "unique": unique_share(generated.sequences),
            **copied,
            **{name: mean for name, (mean, _) in means.items()},
            **certified,
        },
        standard_errors={
            **judgement.standard_errors,
            **{name: error for name, (_, error) in means.items()},
        },
        counts=judgement.counts,
    )


def mean_of_tokens(values: np.ndarray, is_real: np.ndarray) -> tuple[float, float]:
    """The mean of what was measured of each token, and its standard error.

    Tokens of a sequence are not independent, but sequences are: this is the ratio of
    two means over sequences, and the error that of its linear approximation.

    Args:
      values: [N, T].
      is_real: [N, T] bool, which of them are of tokens.
    """
    totals = np.sum(values, axis=1, where=is_real, dtype=np.float64)
    lengths = is_real.sum(axis=1)
    mean = totals.sum() / lengths.sum()
    residuals = (totals - mean * lengths) / lengths.mean()
    return float(mean), float(np.std(residuals)) / math.sqrt(len(values))


def remarks(
    task: Task, num_sequences: int, metrics: Mapping[str, float] | None = None
) -> list[str]:
    """Sentences that a reader of a table of so many sequences must know."""
    found = []
    if _rewards_only_some(task) and num_sequences > REWARDED_SEQUENCES:
        found.append(
            "The mean task reward is measured on the first "
            f"{REWARDED_SEQUENCES:,} of them."
        )
    if metrics and "objective" in metrics and "gap" not in metrics:
        found.append(
            f"The distance to the optimum is unknown: fewer than {FEWEST_EFFECTIVE} of "
            "the sequences count as samples of it."
        )
    return found


def log_priors(prior: Network, primes: tf.Tensor, sequences: np.ndarray) -> np.ndarray:
    """The log p(a|s) of each token: primes [N, P], sequences [N, T] -> [N, T]."""
    inputs = _shifted(primes, sequences)
    length = sequences.shape[1]
    parts = []
    for start in range(0, len(sequences), _CHUNK):
        chosen = slice(start, start + _CHUNK)
        log_probs = tf.nn.log_softmax(prior.unroll(inputs[chosen])[:, -length:])
        parts.append(take_actions(log_probs, sequences[chosen]).numpy())
    return np.concatenate(parts)


def next_token_probabilities(
    policy: Policy, primes: tf.Tensor, sequences: np.ndarray
) -> np.ndarray:
    """The pi(a|s) of all tokens a along given sequences.

    Args:
      policy: whose probabilities; the sequences need not be of its making.
      primes: [N, P] integers, the priming tokens.
      sequences: [N, T] integers.

    Returns:
      [N, T, A]; those at t are before the token at t is read.
    """
    inputs = _shifted(primes, sequences)
    length = sequences.shape[1]
    q_logits = policy.q_network.unroll(inputs)[:, -length:]
    prior_logits = policy.reward_rnn.unroll(inputs)[:, -length:]
    return tf.nn.softmax(policy.algorithm.policy_logits(q_logits, prior_logits)).numpy()


def certificate_of(
    policy: Policy, task: Task, num_sequences: int, seed: int, reward_scaler: float
) -> Certificate:
    """How far a policy is from the optimum, measured on sequences of its own.

    Of a task that scores outside the graph on no more than `REWARDED_SEQUENCES`.
    """
    if isinstance(task, ScoredTask):
        num_sequences = min(num_sequences, REWARDED_SEQUENCES)
    generated = generate_for_task(policy, task, num_sequences, seed=seed)
    rewarded = generated.sequences, np.asarray(task.rewards(generated.sequences))
    primes = sample_primes(task, num_sequences, seed).numpy()
    return _certified(generated, rewarded, primes, task, reward_scaler)


def _certified(
    generated: Generated,
    rewarded: tuple[np.ndarray, np.ndarray],
    primes: np.ndarray,
    task: Task,
    reward_scaler: float,
) -> Certificate:
    """The certificate of the sequences that were rewarded, the first of all."""
    sequences, rewards = rewarded
    count = len(sequences)
    is_real = is_token(sequences, task.end_token)
    earned, log_priors, log_policies = (
        np.where(is_real, values[:count], 0.0).sum(axis=1)
        for values in (rewards, generated.log_priors, generated.log_policies)
    )
    return certify(
        rewards=earned,
        log_priors=log_priors,
        log_policies=log_policies,
        lengths=is_real.sum(axis=1),
        primers=primes[:count],
        reward_scaler=reward_scaler,
    )


def _rewards_only_some(task: Task) -> bool:
    return isinstance(task, ScoredTask) and task.scores_prefixes


def _rewarded(task: Task, sequences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sequences [N, T] whose rewards are measured, and these [N, T]."""
    if not isinstance(task, ScoredTask):
        return sequences, np.asarray(task.rewards(sequences))
    if _rewards_only_some(task):
        sequences = sequences[:REWARDED_SEQUENCES]
    # Not all at once: each of their prefixes takes memory.
    starts = range(0, len(sequences), REWARDED_SEQUENCES)
    parts = (sequences[start : start + REWARDED_SEQUENCES] for start in starts)
    return sequences, np.concatenate([task.rewards(part) for part in parts])


def _shifted(primes: tf.Tensor, sequences: np.ndarray) -> np.ndarray:
    """What the networks read: the priming tokens, then all tokens but the last."""
    return np.concatenate([np.asarray(primes), sequences[:, :-1]], axis=1)


def _token_measures(
    generated: Generated, task: Task
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What is measured of tokens in any world: name -> (sequences, values) [N, T]."""
    sequences = generated.sequences
    return {
        "task_reward": _rewarded(task, sequences),
        "log_prior": (sequences, generated.log_priors),
        "entropy": (sequences, generated.entropies),
        "kl": (sequences, generated.kls),
    }
