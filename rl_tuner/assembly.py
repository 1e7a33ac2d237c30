"""What a tuner is made of: the replicas and the loop that its settings ask for."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm
from rl_tuner.algorithms.centering import Center, center_of
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.generation import evaluation
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.on_policy.rollout_replica import RolloutReplica
from rl_tuner.on_policy.scored_rollouts import ScoredRollouts
from rl_tuner.scored_task import ScoredTask
from rl_tuner.sequence_ends import is_last
from rl_tuner.task import Task
from rl_tuner.training.compiled_loop import CompiledLoop
from rl_tuner.training.distributed_loop import DistributedLoop, first_replica
from rl_tuner.training.loop import Loop
from rl_tuner.training.scored_loop import ScoredLoop
from rl_tuner.training.step_replica import StepReplica

# Whose rewards may be the center of all, and whose median return what is known first.
_SEQUENCES_OF_PRIOR = 512


def make_replicas(
    prior: Network,
    task: Task,
    algorithm: Algorithm,
    config: RLTunerConfig,
    strategy: tf.distribute.Strategy | None,
    is_restored: bool = False,
) -> list[Any]:
    """The replica of each device of this process: a `StepReplica` or `RolloutReplica`.

    With `is_restored` initial values that must be looked for are left to `restore`.

    Raises:
      UserError: the settings do not go together.
    """
    _check_settings(algorithm, task, config, strategy)
    center = Center()
    sequences = None
    is_median = config.initial_values == "median" and not is_restored
    if config.center_rewards or is_median:
        policy = Policy.of_prior(prior)
        sequences = evaluation.generate_for_task(
            policy, task, _SEQUENCES_OF_PRIOR, seed=config.seed
        ).sequences
    if config.center_rewards and sequences is not None:
        center = center_of(task, sequences)
    kind: Any = RolloutReplica
    if not algorithm.is_on_policy:
        value = _initial_value(task, config, center, sequences)
        kind = functools.partial(StepReplica, initial_value=value)
    make = functools.partial(kind, prior, task, algorithm, config, center)
    if strategy is None:
        return [make()]
    replicas = []
    count, first = strategy.num_replicas_in_sync, first_replica(strategy)
    for number, device in enumerate(strategy.extended.worker_devices, first):
        with tf.device(device):
            replicas.append(make(number, count))
    return replicas


def make_loop(
    replicas: list[Any],
    task: Task,
    config: RLTunerConfig,
    strategy: tf.distribute.Strategy | None,
) -> Loop:
    """The loop that the task's rewards and the devices ask for."""
    if strategy is not None:
        return DistributedLoop(strategy, replicas)
    [replica] = replicas
    if isinstance(task, ScoredTask):
        if isinstance(replica, RolloutReplica):
            return ScoredRollouts(replica, task)
        return ScoredLoop(replica, task, config)
    return CompiledLoop(replica)


def _check_settings(
    algorithm: Algorithm,
    task: Task,
    config: RLTunerConfig,
    strategy: tf.distribute.Strategy | None,
) -> None:
    """Refuses what does not go together."""
    if strategy is not None and isinstance(task, ScoredTask):
        raise UserError(
            f"the task {task.name!r} scores outside of the compiled loop, which cannot "
            "be distributed; its processes use all cores as it is"
        )
    if algorithm.is_on_policy and algorithm.acts_with_prior:
        raise UserError(
            f"the algorithm {config.algorithm!r} is on-policy and acts with the prior; "
            "it can be one of them"
        )
    if config.target_kl is not None and not algorithm.is_on_policy:
        raise UserError(
            f"target_kl {config.target_kl} is for policy gradients, not for "
            f"{config.algorithm!r}, whose memory holds rewards of an older c; choose "
            "'reinforce', or reward_scaler"
        )
    if not algorithm.is_on_policy:
        config.check_rounds()
    if config.initial_values != "prior" and not algorithm.acts_with_prior:
        raise UserError(
            f"initial_values {config.initial_values!r} is for algorithms whose policy "
            f"holds the prior by itself, as 'g', not for {config.algorithm!r}, whose "
            "values hold it; choose 'prior'"
        )


def _initial_value(
    task: Task, config: RLTunerConfig, center: Center, sequences: np.ndarray | None
) -> float | None:
    """What G is everywhere before anything is learned; None for the prior's logits."""
    if config.initial_values == "prior":
        return None
    if config.initial_values == "zero" or sequences is None:
        return 0.0
    rewards = np.asarray(task.rewards(sequences))
    if config.center_rewards:
        ended = is_last(sequences, task.end_token)
        rewards = center.taken_off(rewards, ended)
    discounts = config.discount_rate ** np.arange(rewards.shape[1])
    return config.reward_scaler * float(np.median(rewards @ discounts))
