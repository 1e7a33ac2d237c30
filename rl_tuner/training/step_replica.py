"""StepReplica: plays some steps a round, and learns from a replay memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, Batch
from rl_tuner.algorithms.centering import Center
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.scored_task import ScoredTask
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training import divergence
from rl_tuner.training.acting import ActingState, Step
from rl_tuner.training.actor import Actor
from rl_tuner.training.learner import Learner
from rl_tuner.training.replay.memory import ReplayMemory, make_memory
from rl_tuner.training.replay.replay_modes import REPLAY_MODES, Fields, Specs
from rl_tuner.training.replica import Replica
from rl_tuner.training.seeds import Seeds

_EXPLORATION = "rollout/exploration_steps"


class StepReplica(Replica):
    """Acts and explores step by step; a target network values next states.

    Attributes:
      target_network: follows the Q network slowly.
      actor: plays.
    """

    memory: ReplayMemory

    def __init__(
        self,
        prior: Network,
        task: Task,
        algorithm: Algorithm,
        config: RLTunerConfig,
        center: Center = Center(),  # noqa: B008 - it does not change
        number: int = 0,
        count: int = 1,
        initial_value: float | None = None,
    ):
        """Clones the prior.

        Args:
          prior: p(a|s).
          task: what is played.
          algorithm: what is learned.
          config: the settings.
          center: what is taken off the task's rewards.
          number: which replica this is.
          count: how many they are.
          initial_value: what the Q network puts out at first; None leaves the prior's
            logits.

        Raises:
          UserError: the memory does not fit into what is free.
        """
        super().__init__(prior, task, algorithm, config, center, number, count)
        self.target_network = prior.clone("target_network")
        if initial_value is not None:
            self.q_network.fill_logits(initial_value)
            self.target_network.fill_logits(initial_value)
        self._mode = REPLAY_MODES[config.replay_mode](cuts=isinstance(task, ScoredTask))
        self.learner = Learner(
            algorithm,
            self.q_network,
            self.target_network,
            self.reward_rnn,
            self._read,
            config,
        )
        self.seeds = Seeds(
            config.seed, config.acting_steps_per_round, config.updates_per_round, number
        )
        self.actor = Actor(
            task, algorithm, self.q_network, self.reward_rnn, config, self.seeds
        )
        self.memory = make_memory(
            self.step_fields, self._mode, config, task.max_length, self.learner.errors
        )

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round, of all replicas together."""
        return self._config.steps_per_round * self.count

    @property
    def steps(self) -> int:
        """As of `Replica`: all rounds have as many."""
        return int(self.rounds) * self.steps_per_round

    def expect(self, num_steps: int) -> None:
        """Epsilon falls over half of them, if the config does not say otherwise."""
        if self.actor.exploration_steps is None:
            self.actor.exploration_steps = num_steps // 2

    def epsilon(self, index: tf.Tensor) -> tf.Tensor:
        """The share of random actions in a round."""
        return self.actor.epsilon(index * self.steps_per_round)

    def read_state(self) -> ActingState:
        """As of `Replica`."""
        return self.actor.read_state()

    def keep_state(self, state: ActingState) -> None:
        """As of `Replica`."""
        self.actor.keep_state(state)

    def play(
        self, state: ActingState, index: tf.Tensor
    ) -> tuple[ActingState, tf.Tensor]:
        """As of `Replica`; the KL of a policy that explores is not known, but 0."""
        seeds, _ = self.seeds.of_round(index)
        epsilon = self.epsilon(index)

        def play_step(
            turn: tf.Tensor, state: ActingState, sums: tf.Tensor
        ) -> tuple[tf.Tensor, ActingState, tf.Tensor]:
            step, state = self.actor.act(state, seeds[turn], epsilon)
            fields = self.remember(step)
            rewards = self.total_rewards(step.task_rewards, step.log_priors, fields)
            self.memory.add_step({**fields, "rewards": rewards})
            played = [tf.reduce_sum(step.task_rewards), tf.reduce_sum(step.log_priors)]
            return turn + 1, state, sums + tf.stack(played)

        _, state, sums = tf.while_loop(
            lambda turn, *_: turn < seeds.shape[0],
            play_step,
            (tf.constant(0), state, tf.zeros([2])),
        )
        return state, tf.concat([sums, [0.0, self._config.steps_per_round]], axis=0)

    def _read(self, stored: Fields) -> Batch:
        networks = self.q_network, self.target_network, self.reward_rnn
        return self._mode.read(stored, *networks)

    def total_rewards(
        self, task_rewards: tf.Tensor, log_priors: tf.Tensor, fields: Fields
    ) -> tf.Tensor:
        """What is learned from: of the task's rewards and log p(a|s) [...] -> [...].

        `fields` are of the same steps.
        """
        ended = 1.0 - fields["continues"]
        centered = self._center.taken_off(task_rewards, ended)
        return self.actor.total_rewards(centered, log_priors)

    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """What is remembered of a step but for its reward: fields [N, ...] by name."""
        return {
            "actions": step.actions,
            "continues": 1.0 - tf.cast(step.ended, tf.float32),
            **self._mode.remember(step),
        }

    @property
    def step_fields(self) -> Specs:
        """Shape and type of what `remember` gives of each step, and of its reward."""
        return {
            "actions": tf.TensorSpec([], tf.int32),
            "rewards": tf.TensorSpec([]),
            "continues": tf.TensorSpec([]),
            **self._mode.fields(self.q_network, self.actor.variables),
        }

    @property
    def loss_limit(self) -> float:
        """As of `Replica`."""
        rewards = self.memory.replay.stored("rewards")
        return divergence.limit(rewards, self._config.discount_rate)

    def state(self) -> LazyArrays:
        """As of `Replica`."""
        steps = self.actor.exploration_steps
        if steps is None:  # before a first training nobody knows them
            return super().state()
        return super().state() | LazyArrays({_EXPLORATION: lambda: np.array(steps)})

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """As of `Replica`."""
        super().restore(state)
        if self.actor.exploration_steps is None and _EXPLORATION in state:
            self.actor.exploration_steps = int(state[_EXPLORATION])

    def _variables(self) -> dict[str, Any]:
        variables = super()._variables()
        for name, variable in self.actor.variables._asdict().items():
            variables[f"rollout/{name}"] = variable
        return variables

    def _networks(self) -> list[Network]:
        return [self.q_network, self.target_network, self.reward_rnn]
