"""CompiledTraining: acting, rewards, replay and updates in one compiled loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from rl_tuner.training import acting

if TYPE_CHECKING:
    from rl_tuner.rl_tuner import RLTuner


class CompiledTraining:
    """Runs thousands of rounds a call, none of which crosses into Python.

    Attributes:
      rounds_at_once: 1.
      variables: none.
    """

    rounds_at_once = 1

    def __init__(self, tuner: RLTuner):
        """Takes what is trained."""
        self._tuner = tuner
        self.variables: dict[str, tf.Variable] = {}

    def run(self, num_rounds: int) -> np.ndarray:
        """Trains: sums of loss, updates, task reward and log p(a|s), [4] floats."""
        return self._run(tf.constant(num_rounds, tf.int64)).numpy()

    @tf.function(jit_compile=True)
    def _run(self, num_rounds: tf.Tensor) -> tf.Tensor:
        tuner = self._tuner
        state = tf.nest.map_structure(tf.convert_to_tensor, tuner.acting)
        index = tf.identity(tuner.rounds)
        last = index + num_rounds
        sums = tf.zeros([4])
        # Not `for ... in tf.range(num_rounds)`, which XLA compiles anew for each count.
        while index < last:
            state, outcome = self._round(state, index)
            sums += outcome
            index += 1
        tf.nest.map_structure(lambda var, val: var.assign(val), tuner.acting, state)
        tuner.rounds.assign(last)
        return sums

    def _round(
        self, state: acting.RolloutState, index: tf.Tensor
    ) -> tuple[acting.RolloutState, tf.Tensor]:
        """Some steps of all sequences, then the updates that are due for them."""
        state, acted = self.play(state, index)
        _, update_seeds = self._tuner.round_seeds(index)
        return state, tf.concat([self._tuner.learn(update_seeds), acted], axis=0)

    def play(
        self, state: acting.RolloutState, index: tf.Tensor
    ) -> tuple[acting.RolloutState, tf.Tensor]:
        """A round's steps: the next state, and sums of task reward and log p(a|s)."""
        seeds, _ = self._tuner.round_seeds(index)
        epsilon = self._tuner.epsilon(index)
        acted = tf.zeros([2])
        for turn in tf.range(seeds.shape[0]):
            state, rewards = self._act_and_store(state, seeds[turn], epsilon)
            acted += rewards
        return state, acted

    def _act_and_store(
        self, state: acting.RolloutState, seed: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[acting.RolloutState, tf.Tensor]:
        """One token of each sequence: the next state, and sums of reward and log p."""
        tuner = self._tuner
        step, state = tuner.act(state, seed, epsilon)
        rewards = tuner.total_rewards(step.task_rewards, step.log_priors)
        batch = {**tuner.transition(step), "rewards": rewards}
        errors = tuner.td_errors(batch) if tuner.replay.needs_errors else None
        tuner.replay.add(batch, errors)
        return state, tf.stack(
            [tf.reduce_sum(step.task_rewards), tf.reduce_sum(step.log_priors)]
        )
