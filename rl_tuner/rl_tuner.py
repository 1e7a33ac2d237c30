"""RLTuner: tunes a sequence model by rewards, near its prior by KL control."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rl_tuner import evaluation, exploration, objectives, rollout
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.gradients import clip_by_group_norm, clipping_groups
from rl_tuner.policy import Policy
from rl_tuner.replay import UniformReplay
from rl_tuner.sequence_rnn import SequenceRNN
from rl_tuner.task import Task

__all__ = ["RLTuner", "RLTunerConfig", "TrainingProgress"]


class TrainingProgress(NamedTuple):
    """Means over the last stretch of training.

    Attributes:
      step: environment steps so far.
      loss: mean squared temporal difference error.
      task_reward: r(s, a) a token, unscaled, of the exploring policy.
      log_prior: log p(a|s) a token under the Reward RNN, of the exploring policy.
      epsilon: at this step.
    """

    step: int
    loss: float
    task_reward: float
    log_prior: float
    epsilon: float


class RLTuner:
    """Tunes a prior p(a|s) on a task (Jaques et al. 2016, section 3).

    The prior is cloned into the Q network, the target network and the frozen Reward
    RNN, which supplies log p(a|s). Acting, rewards, replay and updates run in one
    compiled loop.

    Attributes:
      config: the settings.
      task: the world.
      objective: what the algorithm takes for reward, policy and value.
      q_network: the network that is tuned.
      target_network: follows it slowly, and values next states.
      reward_rnn: the prior, frozen.
    """

    def __init__(
        self, prior: SequenceRNN, task: Task, config: RLTunerConfig | None = None
    ):
        """Clones the prior.

        Raises:
          UserError: the prior and the task have different vocabularies.
        """
        task.check_model(prior)
        self.config = config or RLTunerConfig()
        self.task = task
        self.objective = objectives.get_objective(self.config.algorithm)
        self.q_network = prior.clone("q_network")
        self.target_network = prior.clone("target_network")
        self.reward_rnn = prior.clone("reward_rnn")
        trained_networks = [self.q_network]
        if self.config.reference_g_update and self.config.algorithm == "g":
            trained_networks.append(self.reward_rnn)
        self._trained: list[keras.Variable] = []
        self._clipping_groups: list[list[int]] = []
        for network in trained_networks:
            offset = len(self._trained)
            self._clipping_groups += [
                [offset + index for index in group]
                for group in clipping_groups(network)
            ]
            self._trained += network.trainable_variables
        self._optimizer = keras.optimizers.Adam(self.config.learning_rate, epsilon=1e-8)
        self._optimizer.build(self._trained)
        self._replay = UniformReplay(self.config.replay_capacity, self._fields())
        self._rounds = tf.Variable(0, dtype=tf.int64, trainable=False, name="rounds")
        primes = task.prime(self.config.num_sequences, self._seed(0, 0))
        self._rollout = tf.nest.map_structure(
            lambda value: tf.Variable(value, trainable=False),
            rollout.start(task, self.q_network, self.reward_rnn, primes),
        )

    @property
    def step(self) -> int:
        """Environment steps so far: tokens that were acted."""
        return int(self._rounds) * self.config.steps_per_round

    def train(
        self,
        num_steps: int,
        report: Callable[[TrainingProgress], None] | None = None,
        report_every: int = 10_000,
    ) -> None:
        """Trains for `num_steps` environment steps, rounded up to whole rounds.

        Args:
          num_steps: one step is one token of one sequence.
          report: called after each `report_every` steps, and at the end.
          report_every: steps that run compiled, without a look at the clock.
        """
        left = -(-num_steps // self.config.steps_per_round)
        stretch = max(1, report_every // self.config.steps_per_round)
        while left > 0:
            rounds = min(left, stretch)
            sums = self._train_rounds(tf.constant(rounds, tf.int64))
            left -= rounds
            loss, updates, reward, log_p = sums.numpy()
            steps = rounds * self.config.steps_per_round
            if not np.isfinite(loss):
                raise UserError(
                    f"the loss is {loss} at step {self.step}; try a smaller "
                    "learning_rate or reward_scaler"
                )
            if report:
                report(
                    TrainingProgress(
                        step=self.step,
                        loss=float(loss / max(updates, 1)),
                        task_reward=float(reward / steps),
                        log_prior=float(log_p / steps),
                        epsilon=float(self._epsilon(self._rounds)),
                    )
                )

    @functools.cached_property
    def policy(self) -> Policy:
        """What generates: the tuned policy as it stands, without exploration."""
        return Policy(self.q_network, self.reward_rnn, self.objective)

    def generate(
        self, num_sequences: int, temperature: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """Samples sequences of the task: [num_sequences, max_length] int32."""
        generated = evaluation.generate_for_task(
            self.policy, self.task, num_sequences, temperature, seed
        )
        return generated.sequences

    def evaluate(self, num_sequences: int, seed: int = 0) -> dict[str, float]:
        """Samples sequences and judges them.

        The metrics are those of `evaluation.evaluate_policy`.
        """
        return evaluation.evaluate_policy(self.policy, self.task, num_sequences, seed)

    def state(self) -> dict[str, np.ndarray]:
        """All of the run that `restore` needs to go on as if it had not been cut.

        Randomness is keyed by the seed and the step, and needs no state of its own.
        """
        state = {name: var.numpy() for name, var in self._state_variables().items()}
        replay = self._replay.state().items()
        return state | {f"replay/{name}": value for name, value in replay}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes back, or on, to where `state` was taken, of a run of the same config.

        Raises:
          ValueError, KeyError: the state is of another kind of run.
        """
        for name, variable in self._state_variables().items():
            variable.assign(state[name])
        prefix = "replay/"
        self._replay.restore(
            {
                k.removeprefix(prefix): v
                for k, v in state.items()
                if k.startswith(prefix)
            }
        )

    def _state_variables(self) -> dict[str, Any]:
        """Every variable but the replay memory's, by a name that no other has."""
        variables: dict[str, Any] = {"rounds": self._rounds}
        for network in (self.q_network, self.target_network, self.reward_rnn):
            for name, variable in network.named_weights().items():
                variables[f"{network.name}/{name}"] = variable
        for index, variable in enumerate(self._optimizer.variables):
            variables[f"optimizer/{index}"] = variable
        for name, variable in self._rollout._asdict().items():
            variables[f"rollout/{name}"] = variable
        return variables

    def td_targets(self, batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """What the Q network should put out for a batch, as `train_step` takes it.

        Returns:
          y = r + gamma V(s') [N], and V(s') [N] of the target network.
        """
        # The next observation is the action.
        target_logits, _ = self.target_network.step(
            batch["actions"], batch["new_states"]
        )
        prior_logits, _ = self.reward_rnn.step(
            batch["actions"], batch["new_prior_states"]
        )
        value = self.objective.state_value(target_logits, prior_logits)
        is_terminal_zero = self.config.terminal == "zero"
        target = objectives.td_target(
            batch["rewards"],
            value,
            self.config.discount_rate,
            batch["continues"] if is_terminal_zero else None,
        )
        return target, value

    def train_step(self, batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """One update of the Q network from a batch of transitions, then of the target.

        Args:
          batch: `observations`, `actions` [N] integers; `rewards` [N], in total;
            `continues` [N], 0. where the action ended the sequence; `states`,
            `new_states`, `new_prior_states` [N, state_size], of the Q network before
            and after it read the observation, and of the Reward RNN after.

        Returns:
          the loss, the mean of (y - Q(s, a))^2, and V(s') [N] of the target network.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            trained = [variable.value for variable in self._trained]
            tape.watch(trained)
            target, value = self.td_targets(batch)
            logits, _ = self.q_network.step(batch["observations"], batch["states"])
            taken = objectives.take_actions(logits, batch["actions"])
            loss = tf.reduce_mean(tf.square(target - taken))
        gradients = clip_by_group_norm(
            tape.gradient(loss, trained), self._clipping_groups, self.config.clip_norm
        )
        self._optimizer.apply(gradients, self._trained)
        rate = self.config.target_network_update_rate
        for slow, fast in zip(
            self.target_network.trainable_variables,
            self.q_network.trainable_variables,
            strict=True,
        ):
            slow.assign((1.0 - rate) * slow + rate * fast)
        return loss, value

    @tf.function(jit_compile=True)
    def _train_rounds(self, num_rounds: tf.Tensor) -> tf.Tensor:
        """Runs rounds of acting and updating: sums of loss, reward, log p, counts."""
        state = tf.nest.map_structure(tf.convert_to_tensor, self._rollout)
        index = tf.identity(self._rounds)
        last = index + num_rounds
        sums = tf.zeros([4])
        # Not `for ... in tf.range(num_rounds)`, which XLA compiles anew for each count.
        while index < last:
            state, outcome = self._round(state, index)
            sums += outcome
            index += 1
        tf.nest.map_structure(lambda var, val: var.assign(val), self._rollout, state)
        self._rounds.assign(last)
        return sums

    def _round(
        self, state: rollout.RolloutState, index: tf.Tensor
    ) -> tuple[rollout.RolloutState, tf.Tensor]:
        """Some steps of all sequences, then the updates that are due for them."""
        config = self.config
        seeds = tf.random.split(
            self._seed(1, index),
            config.acting_steps_per_round + config.updates_per_round,
        )
        epsilon = self._epsilon(index)
        acted = tf.zeros([2])
        for turn in tf.range(config.acting_steps_per_round):
            state, rewards = self._act_and_store(state, seeds[turn], epsilon)
            acted += rewards
        losses = tf.zeros([2])
        if self._replay.size >= config.minibatch_size:
            for turn in tf.range(config.updates_per_round):
                seed = seeds[config.acting_steps_per_round + turn]
                batch = self._replay.sample(config.minibatch_size, seed)
                losses += tf.stack([self.train_step(batch)[0], 1.0])
        return state, tf.concat([losses, acted], axis=0)

    def _act_and_store(
        self, state: rollout.RolloutState, seed: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[rollout.RolloutState, tf.Tensor]:
        """One token of each sequence: the next state, and sums of reward and log p."""
        count = self.config.num_sequences
        act_seed, random_seed, prime_seed = tf.unstack(tf.random.split(seed, 3))

        def choose(scores: tf.Tensor) -> tf.Tensor:
            if self.config.exploration_mode == "boltzmann":
                return exploration.boltzmann(scores, act_seed)
            random_actions = self.task.random_actions(count, random_seed)
            return exploration.epsilon_greedy(scores, random_actions, epsilon, act_seed)

        step, state = rollout.act(
            self.task, self.objective, self.q_network, self.reward_rnn, state, choose
        )
        rewards = objectives.total_reward(
            self.objective,
            step.task_rewards,
            step.log_priors,
            self.config.reward_scaler,
            self.task.uses_log_prior,
        )
        self._replay.add(
            {
                "observations": step.before.last_tokens,
                "actions": step.actions,
                "rewards": rewards,
                "continues": 1.0 - tf.cast(step.ended, tf.float32),
                "states": step.before.q_state,
                "new_states": step.q_state,
                "new_prior_states": step.prior_state,
            }
        )
        primes = self.task.prime(count, prime_seed)
        state = rollout.restart(
            self.q_network, self.reward_rnn, state, step.ended, primes
        )
        return state, tf.stack(
            [tf.reduce_sum(step.task_rewards), tf.reduce_sum(step.log_priors)]
        )

    def _fields(self) -> dict[str, tf.TensorSpec]:
        """Shape and type of one transition."""
        state = tf.TensorSpec([self.q_network.state_size])
        return {
            "observations": tf.TensorSpec([], tf.int32),
            "actions": tf.TensorSpec([], tf.int32),
            "rewards": tf.TensorSpec([]),
            "continues": tf.TensorSpec([]),
            "states": state,
            "new_states": state,
            "new_prior_states": state,
        }

    def _seed(self, purpose: int, index: int | tf.Tensor) -> tf.Tensor:
        """A key of its own for each purpose and round of this run."""
        key = tf.constant([self.config.seed, purpose], tf.int32)
        return tf.random.fold_in(key, tf.cast(index, tf.int32))

    def _epsilon(self, index: tf.Tensor) -> tf.Tensor:
        return exploration.linear_epsilon(
            index * self.config.steps_per_round,
            self.config.exploration_steps,
            self.config.initial_epsilon,
            self.config.final_epsilon,
        )
