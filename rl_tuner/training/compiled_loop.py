"""CompiledLoop: acting, rewards, replay and updates in one compiled loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.training.loop import Loop, begun
from rl_tuner.training.replica import Replica


class CompiledLoop(Loop):
    """Runs thousands of rounds a call, none of which crosses into Python."""

    def __init__(self, replica: Replica):
        """Takes what acts, remembers and learns."""
        self._replica = replica

    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """As of `Loop`."""
        before = tf.constant(begun(sums), tf.float32)
        return self._run(tf.constant(num_rounds, tf.int64), before).numpy()

    @tf.function(jit_compile=True, autograph=False)
    def _run(self, num_rounds: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        replica = self._replica
        first = tf.identity(replica.rounds)
        last = first + num_rounds

        def run_round(
            index: tf.Tensor, state: Any, sums: tf.Tensor
        ) -> tuple[tf.Tensor, Any, tf.Tensor]:
            state, played = replica.play(state, index)
            learned = replica.learn(index)
            replica.end_round(played)
            return index + 1, state, sums + tf.concat([learned, played], axis=0)

        _, state, sums = tf.while_loop(
            lambda index, *_: index < last,
            run_round,
            (first, replica.read_state(), before),
        )
        replica.keep_state(state)
        replica.rounds.assign(last)
        return sums
