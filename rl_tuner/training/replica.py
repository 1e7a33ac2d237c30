"""Replica: the networks, memory and learner of one device."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm
from rl_tuner.algorithms.centering import Center
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training.learner import Learner
from rl_tuner.training.replay.memory import Memory
from rl_tuner.training.seeds import Seeds


class Replica(abc.ABC):
    """One of the tuners that act apart, and learn together; mostly the only one.

    The prior is cloned into the network that is tuned and the frozen Reward RNN, which
    supplies log p(a|s) (Jaques et al. 2016, section 3).

    Attributes:
      number: from 0.
      count: how many they are.
      task: what is played.
      q_network: the network that is tuned.
      reward_rnn: the prior, frozen.
      memory: of what was played.
      learner: learns from it.
      seeds: of all randomness.
      rounds: int64 variable, rounds of acting and updating so far.
    """

    memory: Memory
    learner: Learner
    seeds: Seeds

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
        """Clones the prior.

        Args:
          prior: p(a|s).
          task: what is played.
          algorithm: what is learned.
          config: the settings.
          center: what is taken off the task's rewards.
          number: which replica this is.
          count: how many they are.
        """
        self.number, self.count, self.task = number, count, task
        self.q_network = prior.clone("q_network")
        self.reward_rnn = prior.clone("reward_rnn")
        self.rounds = tf.Variable(0, dtype=tf.int64, trainable=False, name="rounds")
        self._algorithm, self._config, self._center = algorithm, config, center

    @property
    @abc.abstractmethod
    def steps_per_round(self) -> int:
        """Environment steps of a round, of all replicas together, at the most."""

    @property
    @abc.abstractmethod
    def steps(self) -> int:
        """Environment steps so far, of all replicas together."""

    @abc.abstractmethod
    def expect(self, num_steps: int) -> None:
        """Hears how many environment steps the first training takes."""

    @abc.abstractmethod
    def epsilon(self, index: tf.Tensor) -> tf.Tensor:
        """The share of random actions in a round."""

    @abc.abstractmethod
    def read_state(self) -> Any:
        """Where its sequences stand, tensors to work on in a loop."""

    @abc.abstractmethod
    def keep_state(self, state: Any) -> None:
        """Writes back where they stand."""

    @abc.abstractmethod
    def play(self, state: Any, index: tf.Tensor) -> tuple[Any, tf.Tensor]:
        """Plays and remembers a round, inside a compiled loop.

        Returns:
          where its sequences stand, and sums [NUM_PLAYED]: see `loop`.
        """

    def learn(self, index: tf.Tensor) -> tf.Tensor:
        """The updates that are due in a round: sum of losses, and their number, [2]."""
        _, seeds = self.seeds.of_round(index)
        return self.learner.learn(self.memory, seeds)

    def end_round(self, played: tf.Tensor) -> None:  # noqa: B027 - optional
        """Takes the sums of a round: means over replicas of what `play` added up."""

    @property
    @abc.abstractmethod
    def loss_limit(self) -> float:
        """The loss that says that training diverged."""

    def state(self) -> LazyArrays:
        """All that `RLTuner.restore` needs, by name; a view."""
        makers = {name: var.numpy for name, var in self._variables().items()}
        return LazyArrays(makers) | self.memory.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes all what it was when `state` was taken.

        Raises:
          ValueError, KeyError: the state is of another kind of run.
        """
        for name, variable in self._variables().items():
            variable.assign(state[name])
        self.memory.restore(state)

    def _variables(self) -> dict[str, Any]:
        """Every variable but the memory's, by a name that no other has."""
        variables: dict[str, Any] = {"rounds": self.rounds}
        for network in self._networks():
            for name, variable in network.named_weights().items():
                variables[f"{network.name}/{name}"] = variable
        for index, variable in enumerate(self.learner.optimizer.variables):
            variables[f"optimizer/{index}"] = variable
        return variables

    def _networks(self) -> list[Network]:
        return [self.q_network, self.reward_rnn]
