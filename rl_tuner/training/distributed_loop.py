"""DistributedTraining: tuners that act apart and learn together, by tf.distribute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import Replica, RLTuner
from rl_tuner.scored_task import ScoredTask
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.task import Task
from rl_tuner.training.compiled_loop import CompiledTraining


class DistributedTuner(RLTuner):
    """An `RLTuner` whose networks learn from what several replicas act.

    Each replica has its own sequences, replay memory and randomness. Gradients are
    averaged over replicas before they are clipped, and each replica applies them to its
    own copy of the networks, so that the copies stay the same: an update learns from
    `minibatch_size` transitions of each replica. Steps are those of all replicas.

    This object is the first replica of its process; with one replica in all, it learns
    what an `RLTuner` learns.

    Attributes:
      strategy: of tf.distribute.
    """

    def __init__(
        self,
        prior: SequenceRNN,
        task: Task,
        config: RLTunerConfig,
        strategy: tf.distribute.Strategy,
    ):
        """Makes this process' replicas, each on its device.

        Raises:
          UserError: the task scores outside the graph, or as of `RLTuner`.
        """
        if isinstance(task, ScoredTask):
            raise UserError(
                f"the task {task.name!r} scores outside of the compiled loop, which "
                "cannot be distributed; its processes use all cores as it is"
            )
        self.strategy = strategy
        devices = strategy.extended.worker_devices
        count = strategy.num_replicas_in_sync
        first = _first_replica(strategy)
        with tf.device(devices[0]):
            super().__init__(prior, task, config, Replica(first, count))
        self._others: list[RLTuner] = []
        for number, device in enumerate(devices[1:], first + 1):
            with tf.device(device):
                replica = Replica(number, count)
                self._others.append(RLTuner(prior, task, config, replica))
        self._training = _DistributedLoop(strategy, self.local_replicas)

    @property
    def local_replicas(self) -> list[RLTuner]:
        """As of `RLTuner`."""
        return [self, *self._others]

    def any_wishes(self, wish: bool) -> bool:
        """As of `RLTuner`."""
        return bool(max(self._gathered(int(wish))))

    def least(self, number: int) -> int:
        """As of `RLTuner`."""
        return min(self._gathered(number))

    def state(self) -> LazyArrays:
        """As of `RLTuner`, with what the other replicas of this process remember."""
        state = super().state()
        for other in self._others:
            state |= other.state().in_folder(_folder(other))
        return state

    def restore(self, state) -> None:
        """As of `RLTuner`."""
        super().restore(state)
        for other in self._others:
            other.restore(LazyArrays.of_folder(state, _folder(other)))

    def _gathered(self, number: int) -> list[int]:
        """The numbers of all replicas."""

        @tf.function
        def gather(number):
            context = tf.distribute.get_replica_context()
            return context.all_gather(number[tf.newaxis], axis=0)

        found = self.strategy.run(gather, args=(tf.constant(number, tf.int64),))
        return self.strategy.experimental_local_results(found)[0].numpy().tolist()


class _DistributedLoop:
    """Rounds of all replicas, gradients being averaged before each update.

    Playing, finding gradients and applying them are compiled; only what crosses from
    one replica to another is not.

    Attributes:
      rounds_at_once: 1.
      variables: none.
    """

    rounds_at_once = 1

    def __init__(self, strategy: tf.distribute.Strategy, tuners: list[RLTuner]):
        self.variables: dict[str, tf.Variable] = {}
        self._strategy = strategy
        self._loops = [_ReplicaLoop(tuner) for tuner in tuners]
        self._first = tuners[0].replica.number
        self._updates = tuners[0].config.updates_per_round

    def run(self, num_rounds: int) -> np.ndarray:
        """Trains: sums of loss, updates, task reward and log p(a|s), [4] floats.

        Losses are means over replicas, rewards sums.

        Raises:
          UserError: another process ended.
        """
        try:
            return self._run(tf.constant(num_rounds, tf.int64)).numpy()
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            raise UserError(
                "another worker ended, and with it the training; the same commands go "
                "on from the last save"
            ) from error

    @tf.function
    def _run(self, num_rounds: tf.Tensor) -> tf.Tensor:
        index = tf.constant(0, tf.int64)
        sums = tf.zeros([4])
        while index < num_rounds:
            of_replicas = self._strategy.run(self._round)
            # They are averaged already, and the same everywhere.
            sums += self._strategy.experimental_local_results(of_replicas)[0]
            index += 1
        return sums

    def _round(self) -> tf.Tensor:
        """One replica's round: loss, updates, task reward, log p(a|s)."""
        context = tf.distribute.get_replica_context()
        number = tf.get_static_value(context.replica_id_in_sync_group)
        loop = self._loops[0 if number is None else int(number) - self._first]
        acted = loop.play()
        learned = tf.zeros([2])
        for turn in range(self._updates):
            found = loop.find_gradients(tf.constant(turn))
            # All that crosses over in one go.
            row = tf.concat([found, acted], axis=0)
            row = context.all_reduce(tf.distribute.ReduceOp.MEAN, row)
            learned += loop.apply_gradients(row[:-2])
        loop.end_round()
        return tf.concat([learned, row[-2:] * context.num_replicas_in_sync], axis=0)


class _ReplicaLoop:
    """The compiled parts of a replica's round.

    They are traced at once, outside of the strategy: inside of it Keras' optimizer
    would sum the gradients of all replicas, which must not be done in a compiled part.

    Attributes:
      play: () -> sums of task reward and log p(a|s), [2]; acts and stores.
      find_gradients: which of the round's updates [] -> all gradients in a row, then
        the loss, and 1, or zeros as long as there is not enough to learn from.
      apply_gradients: what was found, averaged -> the loss and 1, or zeros; updates.
      end_round: () -> nothing; counts the round.
    """

    def __init__(self, tuner: RLTuner):
        self._tuner = tuner
        self._training = CompiledTraining(tuner)
        self._sizes = [shape.num_elements() for shape in tuner.gradient_shapes]
        found = tf.TensorSpec([sum(self._sizes) + 2])
        self.play = _traced(self._play)
        self.find_gradients = _traced(self._find_gradients, tf.TensorSpec([], tf.int32))
        self.apply_gradients = _traced(self._apply_gradients, found)
        self.end_round = _traced(self._end_round)

    def _play(self) -> tf.Tensor:
        tuner = self._tuner
        state = tf.nest.map_structure(tf.convert_to_tensor, tuner.acting)
        state, acted = self._training.play(state, tf.identity(tuner.rounds))
        tf.nest.map_structure(lambda var, val: var.assign(val), tuner.acting, state)
        return acted

    def _find_gradients(self, turn: tf.Tensor) -> tf.Tensor:
        tuner = self._tuner
        found = tf.zeros([sum(self._sizes) + 2])
        if tuner.can_learn:
            _, seeds = tuner.round_seeds(tf.identity(tuner.rounds))
            loss, gradients = tuner.sample_gradients(seeds[turn])
            rows = [tf.reshape(gradient, [-1]) for gradient in gradients]
            found = tf.concat([*rows, [loss, 1.0]], axis=0)
        return found

    def _apply_gradients(self, found: tf.Tensor) -> tf.Tensor:
        tuner = self._tuner
        if tuner.can_learn:
            *rows, _ = tf.split(found, [*self._sizes, 2])
            shaped = zip(rows, tuner.gradient_shapes, strict=True)
            tuner.apply_gradients([tf.reshape(row, shape) for row, shape in shaped])
        return found[-2:]

    def _end_round(self) -> None:
        self._tuner.rounds.assign_add(1)


def _traced(function: Callable[..., Any], *inputs: tf.TensorSpec) -> Callable[..., Any]:
    """The function for inputs of this kind, to be compiled."""
    return tf.function(function, jit_compile=True).get_concrete_function(*inputs)


def _first_replica(strategy: tf.distribute.Strategy) -> int:
    """The number of this process' first replica."""
    numbers = strategy.run(
        lambda: tf.distribute.get_replica_context().replica_id_in_sync_group
    )
    return int(strategy.experimental_local_results(numbers)[0])


def _folder(other: RLTuner) -> str:
    return f"replica_{other.replica.number}"
