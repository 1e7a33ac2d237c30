"""Actor: plays sequences side by side, and explores."""

from __future__ import annotations

import tensorflow as tf

from rl_tuner.algorithms import exploration
from rl_tuner.algorithms.algorithm import Algorithm, total_reward
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.task import Task
from rl_tuner.training import acting
from rl_tuner.training.acting import ActingState, Step
from rl_tuner.training.seeds import Seeds


class Actor:
    """N sequences of a task that a policy plays.

    Attributes:
      task: what is played.
      variables: an `ActingState` of variables, where the sequences stand between calls.
      exploration_steps: over how many environment steps epsilon falls.
    """

    def __init__(
        self,
        task: Task,
        algorithm: Algorithm,
        q_network: Network,
        reward_rnn: Network,
        config: RLTunerConfig,
        seeds: Seeds,
    ):
        """Begins `config.num_sequences` sequences."""
        self.task = task
        self.exploration_steps = config.exploration_steps
        self._algorithm = algorithm
        self._q_network, self._reward_rnn = q_network, reward_rnn
        self._config = config
        primes = task.prime(config.num_sequences, seeds.at_start)
        self.variables = tf.nest.map_structure(
            lambda value: tf.Variable(value, trainable=False),
            acting.start(task, q_network, reward_rnn, primes),
        )

    def read_state(self) -> ActingState:
        """Where the sequences stand, as tensors to work on in a loop."""
        return tf.nest.map_structure(tf.convert_to_tensor, self.variables)

    def keep_state(self, state: ActingState) -> None:
        """Writes back where the sequences stand."""
        tf.nest.map_structure(lambda var, val: var.assign(val), self.variables, state)

    def act(
        self, state: ActingState, seed: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[Step, ActingState]:
        """One token of each sequence, explored; where one ended, a new one begins."""
        count = self._config.num_sequences
        act_seed, random_seed, prime_seed = tf.unstack(tf.random.split(seed, 3))
        samples = self._config.exploration_mode == "boltzmann"

        def choose(policy_logits: tf.Tensor) -> tf.Tensor:
            if samples or self._algorithm.is_on_policy:
                return exploration.boltzmann(policy_logits, act_seed)
            random_actions = self.task.random_actions(count, random_seed)
            return exploration.epsilon_greedy(
                policy_logits, random_actions, epsilon, act_seed
            )

        networks = self._q_network, self._reward_rnn
        step, state = acting.act(self.task, self._algorithm, *networks, state, choose)
        primes = self.task.prime(count, prime_seed)
        return step, acting.restart(*networks, state, step.ended, primes)

    def epsilon(self, step: tf.Tensor) -> tf.Tensor:
        """The share of random actions at an environment step."""
        if self.exploration_steps is None:
            raise ValueError("exploration_steps is None; `RLTuner.train` sets it")
        return exploration.linear_epsilon(
            step,
            self.exploration_steps,
            self._config.initial_epsilon,
            self._config.final_epsilon,
        )

    def total_rewards(
        self, task_rewards: tf.Tensor, log_priors: tf.Tensor
    ) -> tf.Tensor:
        """What is learned from, of the task's rewards and log p(a|s): [N] -> [N]."""
        return total_reward(
            self._algorithm,
            task_rewards,
            log_priors,
            self._config.reward_scaler,
            self.task.uses_log_prior,
        )
