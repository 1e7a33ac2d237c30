"""RLTuner: tunes a sequence model by rewards, near its prior by KL control."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

from rl_tuner.algorithms import exploration, value_learning
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.generation import evaluation
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.scored_task import ScoredTask
from rl_tuner.system import free_space
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training import acting, divergence, replay_modes
from rl_tuner.training.compiled_loop import CompiledTraining
from rl_tuner.training.gradients import clip_by_group_norm, clipping_groups
from rl_tuner.training.replay import (
    PrioritizedReplay,
    Replay,
    UniformReplay,
    bytes_needed,
)
from rl_tuner.training.scored_loop import ScoredTraining

# Of the prior, whose median return a network may begin with.
_SEQUENCES_FOR_MEDIAN = 512

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


class Update(NamedTuple):
    """What an update found.

    Attributes:
      loss: the mean of the (weighted) squares of the errors.
      values: [N], V(s') of the target network; [N, T] of sequences.
      errors: [N], y - Q(s, a) before the update; of sequences the mean size of it.
    """

    loss: tf.Tensor
    values: tf.Tensor
    errors: tf.Tensor


class Replica(NamedTuple):
    """One of several tuners that act apart, and learn together.

    Attributes:
      number: from 0.
      count: how many they are.
    """

    number: int = 0
    count: int = 1


class Training(Protocol):
    """A loop of acting and updating.

    Attributes:
      rounds_at_once: `run` takes multiples of it.
      variables: what it remembers beside what the tuner does, by name.
    """

    rounds_at_once: int
    variables: dict[str, tf.Variable]

    def run(self, num_rounds: int) -> np.ndarray:
        """Trains: sums of loss, updates, task reward and log p(a|s), [4] floats."""


class RLTuner:
    """Tunes a prior p(a|s) on a task (Jaques et al. 2016, section 3).

    The prior is cloned into the Q network, the target network and the frozen Reward
    RNN, which supplies log p(a|s).

    Attributes:
      config: the settings.
      task: the world.
      objective: what the algorithm takes for reward, policy and value.
      q_network: the network that is tuned.
      target_network: follows it slowly, and values next states.
      reward_rnn: the prior, frozen.
      replay_mode: how transitions are remembered.
      rounds: int64 variable, rounds of acting and updating so far.
      replay: the memory of transitions.
      acting: variables, where the sequences stand that are being played.
      replica: which one this is, where several train the same networks.
    """

    def __init__(
        self,
        prior: SequenceRNN,
        task: Task,
        config: RLTunerConfig | None = None,
        replica: Replica | None = None,
    ):
        """Clones the prior.

        Args:
          prior: p(a|s).
          task: what it is tuned for.
          config: the settings.
          replica: which one this is; by default the only one. See `DistributedTuner`.

        Raises:
          UserError: the prior and the task have different vocabularies.
        """
        self.replica = replica or Replica()
        task.check_model(prior)
        self.config = config or RLTunerConfig()
        self.task = task
        self.objective = value_learning.get_objective(self.config.algorithm)
        self.q_network = prior.clone("q_network")
        self.target_network = prior.clone("target_network")
        self.reward_rnn = prior.clone("reward_rnn")
        if self.config.initial_values != "prior":
            value = self._initial_value()
            for network in (self.q_network, self.target_network):
                kernel, bias = network.logits_layer.trainable_variables
                kernel.assign(tf.zeros_like(kernel))
                bias.assign(tf.fill(bias.shape, value))
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
        self.rounds = tf.Variable(0, dtype=tf.int64, trainable=False, name="rounds")
        primes = task.prime(self.config.num_sequences, self._seed(0, 0))
        self.acting = tf.nest.map_structure(
            lambda value: tf.Variable(value, trainable=False),
            acting.start(task, self.q_network, self.reward_rnn, primes),
        )
        self.replay_mode = replay_modes.REPLAY_MODES[self.config.replay_mode]
        self.replay = self._make_replay()
        is_scored = isinstance(task, ScoredTask)
        if self.replay_mode.stores_sequences and not is_scored:
            raise UserError(
                f"replay_mode {self.config.replay_mode!r} is for tasks whose rewards "
                f"come from outside the graph, which those of {task.name!r} do not; "
                "choose another"
            )
        self._training: Training = (ScoredTraining if is_scored else CompiledTraining)(
            self
        )

    @property
    def step(self) -> int:
        """Environment steps so far: tokens that were acted."""
        return int(self.rounds) * self.steps_per_round

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round, of all replicas together."""
        return self.config.steps_per_round * self.replica.count

    def train(
        self,
        num_steps: int,
        report: Callable[[TrainingProgress], None] | None = None,
        report_every: int = 10_000,
    ) -> None:
        """Trains for `num_steps` environment steps, rounded up to whole rounds.

        Where the task's rewards come from outside the graph, they are rounded up to
        the rounds that are scored at once, and so is `report_every`.

        Args:
          num_steps: one step is one token of one sequence.
          report: called after each `report_every` steps, and at the end.
          report_every: steps that run without a look at the clock.

        Raises:
          divergence.Diverged: the loss is not finite, or explodes.
          UserError: the task's rewards make no sense.
        """
        at_once = self._training.rounds_at_once
        steps_at_once = at_once * self.steps_per_round
        left = -(-num_steps // steps_at_once) * at_once
        stretch = max(1, report_every // steps_at_once) * at_once
        while left > 0:
            rounds = min(left, stretch)
            loss, updates, reward, log_p = self._training.run(rounds)
            left -= rounds
            steps = rounds * self.steps_per_round
            loss = float(loss / max(updates, 1))
            divergence.check(
                self.step,
                loss,
                self.replay.stored("rewards"),
                self.config.discount_rate,
                self.q_network.get_weights(),
            )
            if report:
                report(
                    TrainingProgress(
                        step=self.step,
                        loss=loss,
                        task_reward=float(reward / steps),
                        log_prior=float(log_p / steps),
                        epsilon=float(self.epsilon(self.rounds)),
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
        return evaluation.evaluate_policy(
            self.policy, self.task, num_sequences, seed
        ).metrics

    @property
    def local_replicas(self) -> list[RLTuner]:
        """The tuners of this process that learn together, this one first."""
        return [self]

    def any_wishes(self, wish: bool) -> bool:
        """Whether any process that trains wishes it: all hear the same.

        All must ask, after the same step; here there is one process.
        """
        return wish

    def least(self, number: int) -> int:
        """The least number of any process that trains: see `any_wishes`."""
        return number

    def state(self) -> LazyArrays:
        """All of the run that `restore` needs to go on as if it had not been cut.

        A view: an array is what it is when it is asked for. Randomness is keyed by the
        seed and the step, and needs no state of its own.
        """
        variables = LazyArrays(
            {name: var.numpy for name, var in self._state_variables().items()}
        )
        return variables | self.replay.state().in_folder("replay")

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes back, or on, to where `state` was taken, of a run of the same config.

        Raises:
          ValueError, KeyError: the state is of another kind of run.
        """
        for name, variable in self._state_variables().items():
            variable.assign(state[name])
        self.replay.restore(LazyArrays.of_folder(state, "replay"))

    def _state_variables(self) -> dict[str, Any]:
        """Every variable but the replay memory's, by a name that no other has."""
        variables: dict[str, Any] = {"rounds": self.rounds}
        for network in (self.q_network, self.target_network, self.reward_rnn):
            for name, variable in network.named_weights().items():
                variables[f"{network.name}/{name}"] = variable
        for index, variable in enumerate(self._optimizer.variables):
            variables[f"optimizer/{index}"] = variable
        for name, variable in self.acting._asdict().items():
            variables[f"rollout/{name}"] = variable
        for name, variable in self._training.variables.items():
            variables[f"training/{name}"] = variable
        return variables

    def td_targets(self, batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """What the Q network should put out for a batch, as `train_step` takes it.

        Returns:
          y = r + gamma V(s') [N], and V(s') [N] of the target network.
        """
        target_logits, prior_logits = self.replay_mode.next_logits(
            self.target_network, self.reward_rnn, batch
        )
        value = self.objective.state_value(target_logits, prior_logits)
        is_terminal_zero = self.config.terminal == "zero"
        target = value_learning.td_target(
            batch["rewards"],
            value,
            self.config.discount_rate,
            batch["continues"] if is_terminal_zero else None,
        )
        if self.config.trace_decay:
            target = self._traced_targets(target, target_logits, batch)
        return target, value

    def _traced_targets(
        self, target: tf.Tensor, target_logits: tf.Tensor, batch: replay_modes.Batch
    ) -> tf.Tensor:
        """`objectives.traced_targets` of a batch of sequences."""
        next_actions = tf.roll(batch["actions"], -1, axis=1)
        next_taken = value_learning.take_actions(target_logits, next_actions)
        return value_learning.traced_targets(
            target,
            next_taken,
            batch["continues"],
            self.config.discount_rate,
            self.config.trace_decay,
        )

    def td_errors(self, batch: replay_modes.Batch) -> tf.Tensor:
        """Errors of a batch as `train_step` takes it: [N], as of `Update`."""
        batch = self.replay_mode.read(batch)
        logits = self.replay_mode.logits(self.q_network, batch)
        taken = value_learning.take_actions(logits, batch["actions"])
        return self._of_rows(self.td_targets(batch)[0] - taken, batch)

    def _of_rows(self, errors: tf.Tensor, batch: replay_modes.Batch) -> tf.Tensor:
        """Errors of what is stored: of a sequence the mean size of its tokens'."""
        if not self.replay_mode.stores_sequences:
            return errors
        is_token = batch["is_token"]
        sums = tf.reduce_sum(tf.abs(errors) * is_token, axis=1)
        return sums / tf.reduce_sum(is_token, axis=1)

    def train_step(
        self, batch: replay_modes.Batch, weights: tf.Tensor | None = None
    ) -> Update:
        """One update of the Q network from a batch of transitions, then of the target.

        Args:
          batch: `actions` [N] integers; `rewards` [N], in total; `continues` [N], 0.
            where the action ended the sequence; and what the replay mode remembers. Of
            a mode that stores sequences, what is stored of N of them.
          weights: [N], factors of the losses.
        """
        update, gradients = self.gradients(batch, weights)
        self.apply_gradients(gradients)
        return update

    def gradients(
        self, batch: replay_modes.Batch, weights: tf.Tensor | None = None
    ) -> tuple[Update, list[tf.Tensor]]:
        """What `train_step` finds, and the gradients that it applies."""
        batch = self.replay_mode.read(batch)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            trained = [variable.value for variable in self._trained]
            tape.watch(trained)
            target, value = self.td_targets(batch)
            logits = self.replay_mode.logits(self.q_network, batch)
            errors = target - value_learning.take_actions(logits, batch["actions"])
            squared = tf.square(errors)
            if weights is not None:
                squared = tf.transpose(tf.transpose(squared) * weights)
            if self.replay_mode.stores_sequences:
                squared *= batch["is_token"]
                loss = tf.reduce_sum(squared) / tf.reduce_sum(batch["is_token"])
            else:
                loss = tf.reduce_mean(squared)
        rows = self._of_rows(errors, batch)
        return Update(loss, value, rows), tape.gradient(loss, trained)

    def apply_gradients(self, gradients: Sequence[tf.Tensor]) -> None:
        """Clips them, moves the Q network by them, and the target network after it."""
        clipped = clip_by_group_norm(
            gradients, self._clipping_groups, self.config.clip_norm
        )
        self._optimizer.apply(clipped, self._trained)
        rate = self.config.target_network_update_rate
        for slow, fast in zip(
            self.target_network.trainable_variables,
            self.q_network.trainable_variables,
            strict=True,
        ):
            slow.assign((1.0 - rate) * slow + rate * fast)

    def learn(self, seeds: tf.Tensor) -> tf.Tensor:
        """The updates that are due, one for each seed [K, 2]: sum of losses, count.

        There are none before a batch of transitions is stored.
        """
        losses = tf.zeros([2])
        # Not an `if` around the loop: XLA would copy all weights into and out of it.
        due = tf.where(self.can_learn, seeds.shape[0], 0)
        turn = 0
        while turn < due:
            loss, gradients = self.sample_gradients(seeds[turn])
            self.apply_gradients(gradients)
            losses += tf.stack([loss, 1.0])
            turn += 1
        return losses

    @property
    def can_learn(self) -> tf.Tensor:
        """Whether a batch of transitions is stored, a scalar bool."""
        return self.replay.size >= self.config.minibatch_size

    @property
    def gradient_shapes(self) -> list[tf.TensorShape]:
        """Those of the gradients that `apply_gradients` takes."""
        return [variable.shape for variable in self._trained]

    def sample_gradients(self, seed: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The loss and the gradients of a batch that is drawn from the memory."""
        config = self.config
        sample = self.replay.sample(config.minibatch_size, seed)
        weights = sample.weights if config.importance_exponent else None
        update, gradients = self.gradients(sample.transitions, weights)
        self.replay.update(sample.rows, update.errors)
        return update.loss, gradients

    def act(
        self, state: acting.RolloutState, seed: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[acting.Step, acting.RolloutState]:
        """One token of each sequence, explored; where one ended, a new one begins."""
        count = self.config.num_sequences
        act_seed, random_seed, prime_seed = tf.unstack(tf.random.split(seed, 3))

        def choose(scores: tf.Tensor) -> tf.Tensor:
            if self.config.exploration_mode == "boltzmann":
                return exploration.boltzmann(scores, act_seed)
            random_actions = self.task.random_actions(count, random_seed)
            return exploration.epsilon_greedy(scores, random_actions, epsilon, act_seed)

        step, state = acting.act(
            self.task, self.objective, self.q_network, self.reward_rnn, state, choose
        )
        primes = self.task.prime(count, prime_seed)
        state = acting.restart(
            self.q_network, self.reward_rnn, state, step.ended, primes
        )
        return step, state

    def transition(self, step: acting.Step) -> dict[str, tf.Tensor]:
        """What is remembered of a step but for its reward: fields [N, ...] by name."""
        return {
            "actions": step.actions,
            "continues": 1.0 - tf.cast(step.ended, tf.float32),
            **self.replay_mode.remember(step),
        }

    @property
    def transition_fields(self) -> dict[str, tf.TensorSpec]:
        """Shape and type of what `transition` gives of each, and of its reward."""
        return {
            **replay_modes.common_fields(),
            **self.replay_mode.fields(self.q_network, self.acting),
        }

    def total_rewards(
        self, task_rewards: tf.Tensor, log_priors: tf.Tensor
    ) -> tf.Tensor:
        """What is learned from, of the task's rewards and log p(a|s): [N] -> [N]."""
        return value_learning.total_reward(
            self.objective,
            task_rewards,
            log_priors,
            self.config.reward_scaler,
            self.task.uses_log_prior,
        )

    def round_seeds(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A round's seeds, one for each step of acting [K, 2] and update [L, 2]."""
        steps = self.config.acting_steps_per_round
        seeds = tf.random.split(
            self._seed(1, index), steps + self.config.updates_per_round
        )
        return seeds[:steps], seeds[steps:]

    def _initial_value(self) -> float:
        """What G is everywhere before anything is learned."""
        if self.config.initial_values == "zero":
            return 0.0
        prior = Policy.of_prior(self.reward_rnn)
        generated = evaluation.generate_for_task(
            prior, self.task, _SEQUENCES_FOR_MEDIAN, seed=self.config.seed
        )
        rewards = np.asarray(self.task.rewards(generated.sequences))
        discounts = self.config.discount_rate ** np.arange(rewards.shape[1])
        return self.config.reward_scaler * float(np.median(rewards @ discounts))

    def _make_replay(self) -> Replay:
        config = self.config
        fields = self.transition_fields
        if self.replay_mode.stores_sequences:
            fields = replay_modes.sequence_fields(fields, self.task.max_length)
        size = bytes_needed(config.replay_capacity, fields)
        free_space.check_replay(size, config.replay_capacity)
        if config.replay == "uniform":
            return UniformReplay(config.replay_capacity, fields)
        return PrioritizedReplay(
            config.replay_capacity,
            fields,
            config.priority_exponent,
            config.importance_exponent,
        )

    def _seed(self, purpose: int, index: int | tf.Tensor) -> tf.Tensor:
        """A key of its own for each purpose and round of this run."""
        key = tf.constant([self.config.seed, purpose], tf.int32)
        if self.replica.number:
            key = tf.random.fold_in(key, self.replica.number)
        return tf.random.fold_in(key, tf.cast(index, tf.int32))

    def epsilon(self, index: tf.Tensor) -> tf.Tensor:
        """The share of random actions in a round."""
        return exploration.linear_epsilon(
            index * self.steps_per_round,
            self.config.exploration_steps,
            self.config.initial_epsilon,
            self.config.final_epsilon,
        )
