"""DistributedLoop: replicas that act apart and learn together, by tf.distribute."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.training.loop import NUM_PLAYED, Loop, begun
from rl_tuner.training.replica import Replica


class DistributedLoop(Loop):
    """Rounds of all replicas, gradients being averaged before each update.

    Each replica has its own sequences, replay memory and randomness. Gradients are
    averaged over replicas before they are clipped, and each replica applies them to its
    own copy of the networks, so that the copies stay the same: an update learns from
    `minibatch_size` transitions of each replica. Steps are those of all replicas; with
    one replica in all, it learns what a `CompiledLoop` learns.

    Playing, finding gradients and applying them are compiled; only what crosses from
    one replica to another is not.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        replicas: Sequence[Replica],
    ):
        """Takes this process' replicas, each on its device."""
        self._strategy = strategy
        self._replicas = replicas
        self._loops: list[_ReplicaLoop] = []

    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """As of `Loop`; losses are means over replicas, rewards sums.

        Raises:
          UserError: another process ended.
        """
        if not self._loops:
            self._loops = [_ReplicaLoop(replica) for replica in self._replicas]
        try:
            before = tf.constant(begun(sums), tf.float32)
            return self._run(tf.constant(num_rounds, tf.int64), before).numpy()
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            raise UserError(
                "another worker ended, and with it the training; the same commands "
                "resume from the last save"
            ) from error

    def any_wishes(self, wish: bool) -> bool:
        """As of `Loop`."""
        return bool(max(self._gathered(int(wish))))

    def least(self, number: int) -> int:
        """As of `Loop`."""
        return min(self._gathered(number))

    def _gathered(self, number: int) -> list[int]:
        """The numbers of all replicas."""
        found = self._strategy.run(self._gather, args=(tf.constant(number, tf.int64),))
        return self._strategy.experimental_local_results(found)[0].numpy().tolist()

    @functools.cached_property
    def _gather(self) -> Any:
        """Traced once."""

        @tf.function(autograph=False)
        def gather(number: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            return context.all_gather(number[tf.newaxis], axis=0)

        return gather

    @tf.function(autograph=False)
    def _run(self, num_rounds: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        def run_round(index: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            of_replicas = self._strategy.run(self._round)
            # They are averaged already, and the same everywhere.
            found = self._strategy.experimental_local_results(of_replicas)[0]
            return index + 1, sums + found

        _, sums = tf.while_loop(
            lambda index, _: index < num_rounds,
            run_round,
            (tf.constant(0, tf.int64), before),
        )
        return sums

    def _round(self) -> tf.Tensor:
        """One replica's round: the sums of all replicas, [NUM_SUMS]."""
        context = tf.distribute.get_replica_context()
        number = tf.get_static_value(context.replica_id_in_sync_group)
        loop = self._loops[
            0 if number is None else int(number) - self._replicas[0].number
        ]
        acted = loop.play()
        learned = tf.zeros([2])
        for turn in range(self._replicas[0].seeds.updates):
            found = loop.find_gradients(tf.constant(turn))
            # All that crosses over in one go.
            row = tf.concat([found, acted], axis=0)
            row = context.all_reduce(tf.distribute.ReduceOp.MEAN, row)
            learned += loop.apply_gradients(row[:-NUM_PLAYED])
        played = row[-NUM_PLAYED:]
        loop.end_round(played)
        return tf.concat([learned, played * context.num_replicas_in_sync], axis=0)


class _ReplicaLoop:
    """The compiled parts of a replica's round.

    They are traced at once, outside of the strategy: inside of it Keras' optimizer
    would sum the gradients of all replicas, which must not be done in a compiled part.

    Attributes:
      play: () -> sums [NUM_PLAYED]; acts and stores.
      find_gradients: which of the round's updates [] -> all gradients in a row, then
        the loss, and 1, or zeros as long as there is not enough to learn from.
      apply_gradients: what was found, averaged -> the loss and 1, or zeros; updates.
      end_round: sums of `play`, averaged -> nothing; counts the round.
    """

    def __init__(self, replica: Replica):
        self._replica = replica
        shapes = replica.learner.gradient_shapes
        self._sizes = [shape.num_elements() for shape in shapes]
        found = tf.TensorSpec([sum(self._sizes) + 2])
        self.play = _traced(self._play)
        self.find_gradients = _traced(self._find_gradients, tf.TensorSpec([], tf.int32))
        self.apply_gradients = _traced(self._apply_gradients, found)
        self.end_round = _traced(self._end_round, tf.TensorSpec([NUM_PLAYED]))

    def _play(self) -> tf.Tensor:
        replica = self._replica
        state, played = replica.play(replica.read_state(), tf.identity(replica.rounds))
        replica.keep_state(state)
        return played

    def _find_gradients(self, turn: tf.Tensor) -> tf.Tensor:
        replica = self._replica

        def find() -> tf.Tensor:
            _, seeds = replica.seeds.of_round(tf.identity(replica.rounds))
            loss, gradients = replica.learner.sample_gradients(
                replica.memory, seeds[turn]
            )
            rows = [tf.reshape(gradient, [-1]) for gradient in gradients]
            return tf.concat([*rows, [loss, 1.0]], axis=0)

        nothing = tf.zeros([sum(self._sizes) + 2])
        return tf.cond(replica.memory.can_learn, find, lambda: nothing)

    def _apply_gradients(self, found: tf.Tensor) -> tf.Tensor:
        replica = self._replica

        def apply() -> tf.Tensor:
            *rows, _ = tf.split(found, [*self._sizes, 2])
            shaped = zip(rows, replica.learner.gradient_shapes, strict=True)
            replica.learner.apply_gradients([tf.reshape(x, s) for x, s in shaped])
            return tf.constant(True)

        tf.cond(replica.memory.can_learn, apply, lambda: tf.constant(False))
        return found[-2:]

    def _end_round(self, played: tf.Tensor) -> None:
        self._replica.end_round(played)
        self._replica.rounds.assign_add(1)


def _traced(function: Callable[..., Any], *inputs: tf.TensorSpec) -> Callable[..., Any]:
    """The function for inputs of this kind, to be compiled."""
    compiled = tf.function(function, jit_compile=True, autograph=False)
    return compiled.get_concrete_function(*inputs)


def first_replica(strategy: tf.distribute.Strategy) -> int:
    """The number of this process' first replica."""
    numbers = strategy.run(
        lambda: tf.distribute.get_replica_context().replica_id_in_sync_group
    )
    return int(strategy.experimental_local_results(numbers)[0])
