"""RLTuner: tunes a sequence model by rewards, near its prior by KL control."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner import assembly
from rl_tuner.algorithms import get_algorithm
from rl_tuner.config import RLTunerConfig
from rl_tuner.generation import evaluation
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training import divergence
from rl_tuner.training.actor import Actor
from rl_tuner.training.learner import Learner, Update
from rl_tuner.training.replay.memory import Memory
from rl_tuner.training.replay.replay_modes import Fields
from rl_tuner.training.stretch import Pace, Stretch

__all__ = ["RLTuner", "RLTunerConfig", "TrainingProgress"]


class TrainingProgress(NamedTuple):
    """Means over the last stretch of training.

    Attributes:
      step: environment steps so far.
      loss: the mean loss of the updates.
      task_reward: r(s, a) a token, unscaled, of the exploring policy.
      log_prior: log p(a|s) a token under the Reward RNN, of the exploring policy.
      epsilon: at this step.
      kl: of the policy from the prior, a token, in the states that were sampled; NaN
        of a policy that explored.
      reward_scaler: 1/c at this step.
    """

    step: int
    loss: float
    task_reward: float
    log_prior: float
    epsilon: float
    kl: float = math.nan
    reward_scaler: float = math.nan


class RLTuner:
    """Tunes a prior p(a|s) on a task (Jaques et al. 2016, section 3).

    Attributes:
      config: the settings.
      task: the world.
      algorithm: what is learned, and the policy that it makes.
      replicas: the networks, actor, memory and learner of each device of this process;
        without tf.distribute there is one.
    """

    def __init__(
        self,
        prior: Network,
        task: Task,
        config: RLTunerConfig | None = None,
        strategy: tf.distribute.Strategy | None = None,
        is_restored: bool = False,
    ):
        """Clones the prior.

        Args:
          prior: p(a|s).
          task: what it is tuned for.
          config: the settings.
          strategy: of tf.distribute, whose replicas act apart and learn together.
          is_restored: whether `restore` comes next, so that the prior need not be
            sampled for `initial_values`.

        Raises:
          UserError: the prior and the task have different vocabularies, or the settings
            do not go together.
        """
        task.check_model(prior)
        self.config = config or RLTunerConfig()
        self.task = task
        self.algorithm = get_algorithm(self.config.algorithm)
        self.replicas = assembly.make_replicas(
            prior, task, self.algorithm, self.config, strategy, is_restored
        )
        self.loop = assembly.make_loop(self.replicas, task, self.config, strategy)
        self._stretch = Stretch()

    @property
    def q_network(self) -> Network:
        """The network that is tuned."""
        return self.replicas[0].q_network

    @property
    def target_network(self) -> Network:
        """Follows it slowly, and values next states."""
        return self.replicas[0].target_network

    @property
    def reward_rnn(self) -> Network:
        """The prior, frozen."""
        return self.replicas[0].reward_rnn

    @property
    def actor(self) -> Actor:
        """Plays."""
        return self.replicas[0].actor

    @property
    def memory(self) -> Memory:
        """Of what was played."""
        return self.replicas[0].memory

    @property
    def learner(self) -> Learner:
        """Learns from it."""
        return self.replicas[0].learner

    @property
    def reward_scaler(self) -> float:
        """1/c, which a target KL moves."""
        if self.algorithm.is_on_policy:
            return float(self.replicas[0].reward_scaler)
        return self.config.reward_scaler

    @property
    def step(self) -> int:
        """Environment steps so far, tokens that were acted, of all replicas."""
        return int(self.replicas[0].steps)

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round, of all replicas together, at the most."""
        return int(self.replicas[0].steps_per_round)

    def train(
        self,
        num_steps: int,
        report: Callable[[TrainingProgress], None] | None = None,
        report_every: int = 10_000,
        look: Callable[[TrainingProgress], None] | None = None,
    ) -> None:
        """Trains for `num_steps` environment steps, rounded up to whole rounds.

        Where the task's rewards come from outside the graph, they are rounded up to
        the rounds that are scored at once, and so is `report_every`.

        Args:
          num_steps: one step is one token of one sequence. Where the config names no
            `exploration_steps`, they are half of those of the first call.
          report: called after each `report_every` steps, and at the end.
          report_every: steps.
          look: called about once a second, between reports and after each, with the
            progress since the last, but not while the training seems to diverge; what
            is trained does not depend on when.

        Raises:
          divergence.Diverged: the loss is not finite, or explodes.
          UserError: the task's rewards make no sense.
        """
        for replica in self.replicas:
            replica.expect(num_steps)
        at_once = self.loop.rounds_at_once
        steps_at_once = at_once * self.steps_per_round
        most = max(1, report_every // steps_at_once) * at_once
        last = self.step + num_steps
        pace = Pace(self.loop)
        while self.step < last:
            if not self._stretch.goal:
                left = -(-(last - self.step) // steps_at_once) * at_once
                self._stretch = Stretch(min(left, most))
            stretch = self._stretch
            if look:
                pace.run(stretch)
            else:
                stretch.run(self.loop, stretch.goal - stretch.done)
            progress = self._progress(stretch.sums)
            is_whole = stretch.done >= stretch.goal
            try:
                divergence.check(
                    self.step,
                    progress.loss,
                    self.replicas[0].loss_limit,
                    self.q_network.get_weights(),
                )
            except divergence.Diverged:
                if is_whole:
                    raise
                continue  # parts come and go with the clock, and decide nothing
            if is_whole:
                self._stretch = Stretch()
                if report:
                    report(progress)
            if look:
                look(progress)

    def train_step(self, batch: Fields, weights: tf.Tensor | None = None) -> Update:
        """One update of the Q network from a batch, then of the target network.

        The target is that of `algorithm`: see `value_learning`, and `Learner.update`.
        """
        return self.learner.update(batch, weights)

    @functools.cached_property
    def policy(self) -> Policy:
        """What generates: the tuned policy as it stands, without exploration."""
        return Policy(self.q_network, self.reward_rnn, self.algorithm)

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
            self.policy,
            self.task,
            num_sequences,
            seed,
            reward_scaler=self.reward_scaler,
        ).metrics

    def state(self) -> LazyArrays:
        """All of the run that `restore` needs to resume as if it had not been cut.

        A view: an array is what it is when it is asked for. Randomness is keyed by the
        seed and the step, and needs no state of its own.
        """
        first, *others = self.replicas
        state = first.state() | LazyArrays({"stretch": self._stretch.state})
        for other in others:
            state |= other.state().in_folder(f"replica_{other.number}")
        return state | self.loop.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes to where `state` was taken, of a run of the same config.

        Raises:
          ValueError, KeyError: the state is of another kind of run.
        """
        first, *others = self.replicas
        first.restore(state)
        # Earlier versions saved between stretches.
        self._stretch = Stretch()
        if "stretch" in state:
            self._stretch = Stretch.from_state(state["stretch"])
        for other in others:
            other.restore(LazyArrays.of_folder(state, f"replica_{other.number}"))
        self.loop.restore(state)

    def _progress(self, sums: np.ndarray) -> TrainingProgress:
        """The means of a stretch of steps, from its sums."""
        loss, updates, reward, log_p, kl, tokens = sums
        is_known = self.algorithm.is_on_policy
        return TrainingProgress(
            step=self.step,
            loss=float(loss / max(updates, 1)),
            task_reward=float(reward / tokens),
            log_prior=float(log_p / tokens),
            epsilon=float(self.replicas[0].epsilon(self.replicas[0].rounds)),
            kl=float(kl / tokens) if is_known else math.nan,
            reward_scaler=self.reward_scaler,
        )
