"""Replica: the networks, actor, memory and learner of one device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, take_actions
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.scored_task import ScoredTask
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training.acting import Step
from rl_tuner.training.actor import Actor
from rl_tuner.training.learner import Learner
from rl_tuner.training.memory import make_memory
from rl_tuner.training.replay_modes import REPLAY_MODES, Specs
from rl_tuner.training.seeds import Seeds

_EXPLORATION = "rollout/exploration_steps"


class Replica:
    """One of the tuners that act apart, and learn together; mostly the only one.

    The prior is cloned into the Q network, the target network and the frozen Reward
    RNN, which supplies log p(a|s) (Jaques et al. 2016, section 3).

    Attributes:
      number: from 0.
      count: how many they are.
      q_network: the network that is tuned.
      target_network: follows it slowly, and values next states.
      reward_rnn: the prior, frozen.
      actor: plays.
      memory: of what was played.
      learner: learns from it.
      seeds: of all randomness.
      rounds: int64 variable, rounds of acting and updating so far.
    """

    def __init__(
        self,
        prior: Network,
        task: Task,
        algorithm: Algorithm,
        config: RLTunerConfig,
        initial_value: float | None = None,
        number: int = 0,
        count: int = 1,
    ):
        """Clones the prior.

        Args:
          prior: p(a|s).
          task: what is played.
          algorithm: what is learned.
          config: the settings.
          initial_value: what the Q network puts out at first; None leaves the prior's
            logits.
          number: which replica this is.
          count: how many they are.

        Raises:
          UserError: the memory does not fit into what is free.
        """
        self.number, self.count = number, count
        self.q_network = prior.clone("q_network")
        self.target_network = prior.clone("target_network")
        self.reward_rnn = prior.clone("reward_rnn")
        if initial_value is not None:
            self.q_network.fill_logits(initial_value)
            self.target_network.fill_logits(initial_value)
        self._algorithm, self._config = algorithm, config
        self._mode = REPLAY_MODES[config.replay_mode](cuts=isinstance(task, ScoredTask))
        self.learner = Learner(
            algorithm,
            self.q_network,
            self.target_network,
            self.reward_rnn,
            self._mode,
            config,
        )
        self.rounds = tf.Variable(0, dtype=tf.int64, trainable=False, name="rounds")
        self.seeds = Seeds(config, number)
        self.actor = Actor(
            task, algorithm, self.q_network, self.reward_rnn, config, self.seeds
        )
        self.memory = make_memory(
            self.step_fields,
            self._mode,
            algorithm,
            config,
            task.max_length,
            self.learner.errors,
        )

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round, of all replicas together."""
        return self._config.steps_per_round * self.count

    def epsilon(self, index: tf.Tensor) -> tf.Tensor:
        """The share of random actions in a round."""
        return self.actor.epsilon(index * self.steps_per_round)

    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """What is remembered of a step but for its reward: fields [N, ...] by name."""
        fields = {
            "actions": step.actions,
            "continues": 1.0 - tf.cast(step.ended, tf.float32),
            **self._mode.remember(step),
        }
        if self._algorithm.is_on_policy:
            log_policy = tf.nn.log_softmax(step.policy_logits)
            fields["log_policies"] = take_actions(log_policy, step.actions)
        return fields

    @property
    def step_fields(self) -> Specs:
        """Shape and type of what `remember` gives of each step, and of its reward."""
        fields = {
            "actions": tf.TensorSpec([], tf.int32),
            "rewards": tf.TensorSpec([]),
            "continues": tf.TensorSpec([]),
            **self._mode.fields(self.q_network, self.actor.variables),
        }
        if self._algorithm.is_on_policy:
            fields["log_policies"] = tf.TensorSpec([])
        return fields

    def state(self) -> LazyArrays:
        """All that `RLTuner.restore` needs, by name; a view."""
        makers = {name: var.numpy for name, var in self._state_variables().items()}
        steps = self.actor.exploration_steps
        if steps is not None:  # before a first training nobody knows them
            makers[_EXPLORATION] = lambda: np.array(steps)
        return LazyArrays(makers) | self.memory.replay.state().in_folder("replay")

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes all what it was when `state` was taken.

        Raises:
          ValueError, KeyError: the state is of another kind of run.
        """
        for name, variable in self._state_variables().items():
            variable.assign(state[name])
        if self.actor.exploration_steps is None and _EXPLORATION in state:
            self.actor.exploration_steps = int(state[_EXPLORATION])
        self.memory.replay.restore(LazyArrays.of_folder(state, "replay"))

    def _state_variables(self) -> dict[str, Any]:
        """Every variable but the replay memory's, by a name that no other has."""
        variables: dict[str, Any] = {"rounds": self.rounds}
        for network in (self.q_network, self.target_network, self.reward_rnn):
            for name, variable in network.named_weights().items():
                variables[f"{network.name}/{name}"] = variable
        for index, variable in enumerate(self.learner.optimizer.variables):
            variables[f"optimizer/{index}"] = variable
        for name, variable in self.actor.variables._asdict().items():
            variables[f"rollout/{name}"] = variable
        for name, variable in self.memory.variables.items():
            variables[f"training/{name}"] = variable
        return variables
