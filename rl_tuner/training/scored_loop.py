"""ScoredLoop: the loop of a task whose rewards come from outside the graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.scored_sequences import ScoredSequences
from rl_tuner.scored_task import Prefixes, ScoredTask
from rl_tuner.training.acting import ActingState
from rl_tuner.training.loop import Loop, begun
from rl_tuner.training.replay.memory import SequenceMemory
from rl_tuner.training.step_replica import StepReplica


class _Chunk(NamedTuple):
    """What was acted and is not yet rewarded: [K, N, ...], K steps of N sequences.

    Attributes:
      fields: what is remembered, by name, without the rewards.
      log_priors: log p(a|s).
      prefixes: with the action.
    """

    fields: dict[str, tf.Tensor]
    log_priors: tf.Tensor
    prefixes: Prefixes


class ScoredLoop(Loop):
    """Acts and updates in compiled loops, and scores between them.

    A chunk of `config.rounds_per_scoring` rounds is acted and handed to the task to be
    scored; the updates that are due for it are made from what was stored before; then
    its rewards are awaited and it is stored. After a chunk nothing is in flight, and
    when rewards arrive changes nothing: a run may be cut after any chunk, and depends
    on its seed alone.

    Attributes:
      rounds_at_once: a chunk's.
    """

    _scored: ScoredSequences

    def __init__(self, replica: StepReplica, task: ScoredTask, config: RLTunerConfig):
        """Takes what acts, remembers and learns.

        Raises:
          UserError: the memory is smaller than a chunk.
        """
        self._replica, self._task, self._config = replica, task, config
        self._scored = ScoredSequences(task)
        self.rounds_at_once = config.rounds_per_scoring
        at_once = self.rounds_at_once * config.steps_per_round
        if at_once > config.replay_capacity:
            raise UserError(
                f"replay_capacity {config.replay_capacity} does not hold the {at_once} "
                "steps that are scored at once; choose a larger one, or a smaller "
                "rounds_per_scoring"
            )
        # Batches of sequences are cut to their longest: XLA would compile every length.
        is_compiled = not isinstance(replica.memory, SequenceMemory)
        self._learn = tf.function(
            self._learn_chunk, jit_compile=is_compiled, autograph=False
        )

    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """As of `Loop`.

        Raises:
          UserError: the task's rewards are not numbers, or not one for each prefix.
        """
        sums = begun(sums)
        for _ in range(num_rounds // self.rounds_at_once):
            chunk = self._act()
            prefixes = Prefixes(
                *(x.numpy().reshape([-1, *x.shape[2:]]) for x in chunk.prefixes)
            )
            collect = self._task.start_scoring(prefixes)
            learned = self._learn()
            rewards = self._task.checked(collect(), len(prefixes.lengths))
            rewards = self._take(prefixes, rewards)
            self._store(chunk, tf.reshape(rewards, chunk.log_priors.shape))
            self._replica.rounds.assign_add(self.rounds_at_once)
            log_p = tf.reduce_sum(chunk.log_priors)
            sums += [*learned.numpy(), rewards.sum(), float(log_p), 0.0, rewards.size]
        return sums

    def _take(self, prefixes: Prefixes, rewards: np.ndarray) -> np.ndarray:
        """The rewards [N] of a chunk, as filtered; what has ended is written."""
        ended = np.flatnonzero(prefixes.ended)
        rewards = rewards.copy()
        rewards[ended] = self._scored.take(
            self._replica.steps + len(rewards),
            prefixes.tokens[ended],
            prefixes.lengths[ended],
            rewards[ended],
        )
        return rewards

    @tf.function(jit_compile=True, autograph=False)
    def _act(self) -> _Chunk:
        """Plays a chunk."""
        replica, steps = self._replica, self._config.acting_steps_per_round
        first = tf.identity(replica.rounds)
        number = self.rounds_at_once * steps
        specs = self._specs()
        arrays = [
            tf.TensorArray(spec.dtype, number, element_shape=spec.shape)
            for spec in tf.nest.flatten(specs)
        ]

        def play(
            turn: tf.Tensor, state: ActingState, arrays: list[tf.TensorArray]
        ) -> tuple[tf.Tensor, ActingState, list[tf.TensorArray]]:
            index = first + turn // steps
            seeds, _ = replica.seeds.of_round(index)
            step, state = replica.actor.act(
                state, seeds[turn % steps], replica.epsilon(index)
            )
            before = step.before
            here = tf.range(self._task.max_length) == before.positions[:, None]
            tokens = tf.where(here, step.actions[:, None], before.sequences)
            prefixes = Prefixes(tokens, before.positions + 1, step.ended)
            played = _Chunk(replica.remember(step), step.log_priors, prefixes)
            arrays = [
                array.write(tf.cast(turn, tf.int32), value)
                for array, value in zip(arrays, tf.nest.flatten(played), strict=True)
            ]
            return turn + 1, state, arrays

        _, state, arrays = tf.while_loop(
            lambda turn, *_: turn < number,
            play,
            (tf.constant(0, tf.int64), replica.actor.read_state(), arrays),
        )
        replica.actor.keep_state(state)
        return tf.nest.pack_sequence_as(specs, [array.stack() for array in arrays])

    def _specs(self) -> _Chunk:
        """Shapes and types of a step of a chunk."""
        count, length = self._replica.actor.variables.sequences.shape
        fields: dict[str, Any] = {
            name: tf.TensorSpec([count, *spec.shape], spec.dtype)
            for name, spec in self._replica.step_fields.items()
            if name != "rewards"
        }
        prefixes = Prefixes(
            tokens=tf.TensorSpec([count, length], tf.int32),
            lengths=tf.TensorSpec([count], tf.int32),
            ended=tf.TensorSpec([count], tf.bool),
        )
        return _Chunk(fields, tf.TensorSpec([count]), prefixes)

    def _learn_chunk(self) -> tf.Tensor:
        """The updates that are due for a chunk: sum of losses, and their number."""
        replica = self._replica

        def learn(turn: tf.Tensor, losses: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return turn + 1, losses + replica.learn(replica.rounds + turn)

        _, losses = tf.while_loop(
            lambda turn, _: turn < self.rounds_at_once,
            learn,
            (tf.constant(0, tf.int64), tf.zeros([2])),
        )
        return losses

    def _store(self, chunk: _Chunk, task_rewards: tf.Tensor) -> None:
        """Stores a chunk with its rewards."""
        replica = self._replica
        rewards = replica.total_rewards(task_rewards, chunk.log_priors, chunk.fields)
        fields = {**chunk.fields, "rewards": rewards}
        replica.memory.add_chunk(fields)
