"""ScoredTraining: the loop of a task whose rewards come from outside the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.scored_task import Prefixes
from rl_tuner.training.unfinished_sequences import OpenSequences

if TYPE_CHECKING:
    from rl_tuner.rl_tuner import RLTuner


class _Chunk(NamedTuple):
    """What was acted and is not yet rewarded: [K, N, ...], K steps of N sequences.

    Attributes:
      transitions: fields by name, without the rewards.
      log_priors: log p(a|s).
      prefixes: with the action.
    """

    transitions: dict[str, tf.Tensor]
    log_priors: tf.Tensor
    prefixes: Prefixes


class ScoredTraining:
    """Acts and updates in compiled loops, and scores between them.

    A chunk of `config.rounds_per_scoring` rounds is acted and handed to the task to be
    scored; the updates that are due for it are made from what was stored before; then
    its rewards are awaited and it is stored. After a chunk nothing is in flight, and
    when rewards arrive changes nothing: a run may be cut after any chunk, and depends
    on its seed alone.

    Attributes:
      rounds_at_once: a chunk's.
      variables: what sequences have earned that have not ended, if they are stored
        when they have.
    """

    def __init__(self, tuner: RLTuner):
        """Takes what is trained."""
        self._tuner = tuner
        config = tuner.config
        self.rounds_at_once = config.rounds_per_scoring
        at_once = self.rounds_at_once * config.steps_per_round
        if at_once > config.replay_capacity:
            raise UserError(
                f"replay_capacity {config.replay_capacity} does not hold the {at_once} "
                "steps that are scored at once; choose a larger one, or a smaller "
                "rounds_per_scoring"
            )
        self._open: OpenSequences | None = None
        self.variables: dict[str, tf.Variable] = {}
        if tuner.replay_mode.stores_sequences:
            self._open = OpenSequences(config.num_sequences, tuner.task.max_length)
            self.variables["open_rewards"] = self._open.rewards
        # Sequences are cut to the longest of a batch: XLA would compile every length.
        self._learn = tf.function(self._learn_chunk, jit_compile=self._open is None)

    def run(self, num_rounds: int) -> np.ndarray:
        """Trains: sums of loss, updates, task reward and log p(a|s), [4] floats.

        Raises:
          UserError: the task's rewards are not numbers, or not one for each prefix.
        """
        sums = np.zeros(4)
        for _ in range(num_rounds // self.rounds_at_once):
            chunk = self._act()
            prefixes = Prefixes(*(_in_a_row(x).numpy() for x in chunk.prefixes))
            collect = self._tuner.task.start_scoring(prefixes)
            learned = self._learn()
            rewards = self._checked(collect(), len(prefixes.lengths))
            self._store(chunk, tf.reshape(rewards, chunk.log_priors.shape))
            self._tuner.rounds.assign_add(self.rounds_at_once)
            log_p = tf.reduce_sum(chunk.log_priors)
            sums += [*learned.numpy(), rewards.sum(), float(log_p)]
        return sums

    @tf.function(jit_compile=True)
    def _act(self) -> _Chunk:
        """Plays a chunk."""
        tuner, steps = self._tuner, self._tuner.config.acting_steps_per_round
        number = self.rounds_at_once * steps
        state = tf.nest.map_structure(tf.convert_to_tensor, tuner.acting)
        index = tf.identity(tuner.rounds)

        def play(state, turn):
            acting_seeds, _ = tuner.round_seeds(index + turn // steps)
            epsilon = tuner.epsilon(index + turn // steps)
            step, after = tuner.act(state, acting_seeds[turn % steps], epsilon)
            here = tf.range(tuner.task.max_length) == step.before.positions[:, None]
            tokens = tf.where(here, step.actions[:, None], step.before.sequences)
            prefixes = Prefixes(tokens, step.before.positions + 1, step.ended)
            return after, _Chunk(tuner.transition(step), step.log_priors, prefixes)

        kinds = self._kinds()
        arrays = [
            tf.TensorArray(kind.dtype, number, element_shape=kind.shape)
            for kind in tf.nest.flatten(kinds)
        ]
        for turn in tf.range(number, dtype=tf.int64):
            state, played = play(state, turn)
            arrays = [
                array.write(tf.cast(turn, tf.int32), value)
                for array, value in zip(arrays, tf.nest.flatten(played), strict=True)
            ]
        tf.nest.map_structure(lambda var, val: var.assign(val), tuner.acting, state)
        return tf.nest.pack_sequence_as(kinds, [array.stack() for array in arrays])

    def _kinds(self) -> _Chunk:
        """Shapes and types of a step of a chunk."""
        count, length = self._tuner.acting.sequences.shape
        fields = {
            name: tf.TensorSpec([count, *spec.shape], spec.dtype)
            for name, spec in self._tuner.transition_fields.items()
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
        tuner = self._tuner
        losses = tf.zeros([2])
        for turn in tf.range(self.rounds_at_once, dtype=tf.int64):
            _, seeds = tuner.round_seeds(tuner.rounds + turn)
            losses += tuner.learn(seeds)
        return losses

    def _store(self, chunk: _Chunk, task_rewards: tf.Tensor) -> None:
        """Stores a chunk with its rewards."""
        rewards = self._tuner.total_rewards(task_rewards, chunk.log_priors)
        batch = {**chunk.transitions, "rewards": rewards}
        if self._open is not None:
            self._add_ended(batch)
            return
        errors = self._errors(batch) if self._tuner.replay.needs_errors else rewards
        # Not compiled: XLA would copy a memory of gigabytes to change some rows of it.
        self._add({k: _in_a_row(v) for k, v in batch.items()}, _in_a_row(errors))

    @tf.function(jit_compile=True)
    def _errors(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """Temporal difference errors, step by step: fields [K, N, ...] -> [K, N]."""
        return tf.map_fn(
            self._tuner.td_errors, batch, fn_output_signature=batch["rewards"].dtype
        )

    @tf.function
    def _add_ended(self, batch: dict[str, tf.Tensor]) -> None:
        tuner = self._tuner
        ended = self._open.close(batch)
        # With none the longest of them has no length.
        if tf.shape(ended["num_read"])[0] > 0:
            errors = tuner.td_errors(ended) if tuner.replay.needs_errors else None
            tuner.replay.add(ended, errors)

    @tf.function
    def _add(self, batch: dict[str, tf.Tensor], errors: tf.Tensor) -> None:
        self._tuner.replay.add(batch, errors)

    def _checked(self, rewards: np.ndarray, number: int) -> np.ndarray:
        rewards = np.asarray(rewards, np.float32)
        if rewards.shape != (number,):
            raise UserError(
                f"the task {self._tuner.task.name!r} gave rewards of shape "
                f"{rewards.shape} for {number} prefixes; it must give one for each"
            )
        if not np.isfinite(rewards).all():
            raise UserError(
                f"the task {self._tuner.task.name!r} gave a reward that is not finite "
                f"at step {self._tuner.step}; rewards must be numbers"
            )
        return rewards


def _in_a_row(value: tf.Tensor) -> tf.Tensor:
    """Joins the steps of all sequences: [K, N, ...] -> [K * N, ...]."""
    return tf.reshape(value, [-1, *value.shape[2:]])
