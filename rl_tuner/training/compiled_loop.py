"""CompiledLoop: acting, rewards, replay and updates in one compiled loop."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rl_tuner.training.acting import ActingState
from rl_tuner.training.loop import Loop
from rl_tuner.training.replica import Replica


class CompiledLoop(Loop):
    """Runs thousands of rounds a call, none of which crosses into Python."""

    def __init__(self, replica: Replica):
        """Takes what acts, remembers and learns."""
        self._replica = replica

    def run(self, num_rounds: int) -> np.ndarray:
        """As of `Loop`."""
        return self._run(tf.constant(num_rounds, tf.int64)).numpy()

    @tf.function(jit_compile=True, autograph=False)
    def _run(self, num_rounds: tf.Tensor) -> tf.Tensor:
        replica = self._replica
        first = tf.identity(replica.rounds)
        last = first + num_rounds

        def run_round(
            index: tf.Tensor, state: ActingState, sums: tf.Tensor
        ) -> tuple[tf.Tensor, ActingState, tf.Tensor]:
            state, acted = play_round(replica, state, index)
            _, seeds = replica.seeds.of_round(index)
            learned = replica.learner.learn(replica.memory, seeds)
            return index + 1, state, sums + tf.concat([learned, acted], axis=0)

        _, state, sums = tf.while_loop(
            lambda index, *_: index < last,
            run_round,
            (first, replica.actor.read_state(), tf.zeros([4])),
        )
        replica.actor.keep_state(state)
        replica.rounds.assign(last)
        return sums


def play_round(
    replica: Replica, state: ActingState, index: tf.Tensor
) -> tuple[ActingState, tf.Tensor]:
    """Plays and stores a round: next state, sums of task reward and log p(a|s)."""
    seeds, _ = replica.seeds.of_round(index)
    epsilon = replica.epsilon(index)
    actor, memory = replica.actor, replica.memory

    def play_step(
        turn: tf.Tensor, state: ActingState, sums: tf.Tensor
    ) -> tuple[tf.Tensor, ActingState, tf.Tensor]:
        step, state = actor.act(state, seeds[turn], epsilon)
        rewards = actor.total_rewards(step.task_rewards, step.log_priors)
        fields = {**replica.remember(step), "rewards": rewards}
        memory.add_step(fields)
        acted = [tf.reduce_sum(step.task_rewards), tf.reduce_sum(step.log_priors)]
        return turn + 1, state, sums + tf.stack(acted)

    _, state, sums = tf.while_loop(
        lambda turn, *_: turn < seeds.shape[0],
        play_step,
        (tf.constant(0), state, tf.zeros([2])),
    )
    return state, sums
