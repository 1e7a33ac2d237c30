"""RolloutReplica: plays whole sequences a round, and learns from just these."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from rl_tuner.algorithms.algorithm import (
    Algorithm,
    Batch,
    take_actions,
    total_reward,
)
from rl_tuner.algorithms.centering import Center
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.on_policy import kl_controller, rollouts, schedule
from rl_tuner.on_policy.rollout_memory import RolloutMemory
from rl_tuner.on_policy.rollouts import Rollouts
from rl_tuner.scored_task import ScoredTask
from rl_tuner.task import Task
from rl_tuner.training.learner import Learner
from rl_tuner.training.replay.replay_modes import Fields
from rl_tuner.training.replica import Replica
from rl_tuner.training.seeds import Seeds


class RolloutReplica(Replica):
    """Each round `num_sequences` sequences are sampled by the policy, to their ends.

    Attributes:
      reward_scaler: 1/c, a variable, which a target KL moves.
      pending: of a task that scores outside of the graph, the sequences that are to be
        scored next; None else.
    """

    memory: RolloutMemory

    def __init__(
        self,
        prior: Network,
        task: Task,
        algorithm: Algorithm,
        config: RLTunerConfig,
        center: Center = Center(),  # noqa: B008 - it does not change
        number: int = 0,
        count: int = 1,
    ):
        """Clones the prior: see `Replica`."""
        super().__init__(prior, task, algorithm, config, center, number, count)
        first = config.initial_reward_scaler or config.reward_scaler
        self.reward_scaler = tf.Variable(first, trainable=False)
        self._steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        # Of the training: its first environment step, and how many they are.
        self._training = tf.Variable([0, 0], dtype=tf.int64, trainable=False)
        self.learner = Learner(
            algorithm,
            self.q_network,
            None,
            self.reward_rnn,
            functools.partial(read_sequences, self.q_network),
            config,
        )
        self.seeds = Seeds(config.seed, 1, config.updates_per_batch, number)
        primes = tf.reshape(task.prime(1, self.seeds.at_start), [1, -1])
        specs = rollouts.specs(config.num_sequences, primes.shape[1], task.max_length)
        self.pending: Any = None
        if isinstance(task, ScoredTask):
            self.pending = rollouts.variables(specs)
        self.memory = RolloutMemory(
            specs,
            config.num_best,
            self._total_rewards,
            self._log_policies,
        )

    @property
    def steps_per_round(self) -> int:
        """As many as the sequences may have tokens."""
        return self._config.num_sequences * self.task.max_length * self.count

    @property
    def steps(self) -> int:
        """As of `Replica`: the tokens of all sequences."""
        return int(self._steps)

    def expect(self, num_steps: int) -> None:
        """What moves along a training does so over these, until it has ended."""
        if self.steps >= sum(self._training.numpy()):
            self._training.assign([self.steps, num_steps])

    def epsilon(self, index: tf.Tensor) -> tf.Tensor:
        """None: the policy itself explores."""
        del index
        return tf.constant(0.0)

    def read_state(self) -> tf.Tensor:
        """Nothing: every round begins anew."""
        return tf.zeros([0])

    def keep_state(self, state: tf.Tensor) -> None:
        """As of `Replica`: there is nothing."""

    def play(self, state: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """As of `Replica`."""
        played = self.sample(index)
        self.memory.keep(played)
        return state, sums_of(played)

    def sample(self, index: tf.Tensor) -> Rollouts:
        """The sequences of a round, by the policy as it is."""
        seeds, _ = self.seeds.of_round(index)
        return rollouts.play(
            self.task,
            self._algorithm,
            self.q_network,
            self.reward_rnn,
            self._config.num_sequences,
            seeds[0],
        )

    def end_round(self, played: tf.Tensor) -> None:
        """Moves c and the learning rate to what they are in the next round."""
        first, number = tf.unstack(tf.cast(self._training, tf.float32))
        _, _, kl, tokens = tf.unstack(played)
        step = self._steps.assign_add(tf.cast(tokens * self.count, tf.int64))
        progress = (tf.cast(step, tf.float32) - first) / tf.maximum(number, 1.0)
        rate = schedule.rate_left(progress, self._config)
        self.learner.optimizer.learning_rate.assign(self._config.learning_rate * rate)
        if self._config.target_kl is None:
            share = tf.where(first > 0.0, 1.0, progress)
            self.reward_scaler.assign(schedule.reward_scaler(share, self._config))
            return
        self.reward_scaler.assign(
            kl_controller.next_scaler(
                self.reward_scaler, kl / tokens, self._config.target_kl, rate
            )
        )

    @property
    def loss_limit(self) -> float:
        """None: the size of these losses says nothing."""
        return float("inf")

    def _variables(self) -> dict[str, Any]:
        variables = {**super()._variables(), "reward_scaler": self.reward_scaler}
        variables |= {"steps": self._steps, "training": self._training}
        if self.pending is not None:
            pending = self.pending._asdict()
            variables |= {f"pending/{name}": var for name, var in pending.items()}
        return variables

    def _total_rewards(self, played: Rollouts) -> tf.Tensor:
        positions = tf.range(1, played.actions.shape[1] + 1)
        ended = tf.cast(positions == played.lengths[:, tf.newaxis], tf.float32)
        return total_reward(
            self._algorithm,
            self._center.taken_off(played.task_rewards, ended),
            played.log_priors,
            self.reward_scaler,
            self.task.uses_log_prior,
        )

    def _log_policies(self, played: Rollouts) -> tf.Tensor:
        logits = _logits(self.q_network, played.primes, played.actions)
        log_pi = take_actions(tf.nn.log_softmax(logits), played.actions)
        return tf.stop_gradient(log_pi) * played.is_token


def sums_of(played: Rollouts) -> tf.Tensor:
    """What is added up of a round: see `loop.NUM_PLAYED`."""
    sums = [
        tf.reduce_sum(values)
        for values in (played.task_rewards, played.log_priors, played.kls)
    ]
    return tf.stack([*sums, tf.cast(tf.reduce_sum(played.lengths), tf.float32)])


def read_sequences(q_network: Network, stored: Fields) -> Batch:
    """What an on-policy algorithm learns from, of `Rollouts` and their rewards."""
    actions = stored["actions"]
    positions, lengths = tf.range(actions.shape[1]), stored["lengths"][:, tf.newaxis]
    return Batch(
        logits=_logits(q_network, stored["primes"], actions),
        actions=actions,
        rewards=stored["rewards"],
        continues=tf.cast(positions < lengths - 1, tf.float32),
        log_policies=stored["log_policies"],
        is_token=tf.cast(positions < lengths, tf.float32),
    )


def _logits(network: Network, primes: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """The network's logits of each token of sequences: [N, P], [N, T] -> [N, T, A]."""
    tokens = tf.concat([primes, actions[:, :-1]], axis=1)
    return network.unroll(tokens)[:, primes.shape[1] - 1 :]
