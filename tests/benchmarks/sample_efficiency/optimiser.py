"""Optimiser: a policy gradient on fresh and remembered molecules, for few calls.

The policy is sampled by the project's own rollouts and learns by one of its
algorithms on whole sequences, from batches that the best molecules so far fill up;
between, offspring of these are asked for by genetic steps, which the policy then learns
from as from its own.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from mol_ga.graph_ga.gen_candidates import graph_ga_blended_generation
from mol_ga.sample_population import uniform_quantile_sampling

from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import EOS
from rl_tuner.algorithms import get_algorithm
from rl_tuner.algorithms.algorithm import Batch, take_actions
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.networks.network import Network
from rl_tuner.on_policy import rollouts
from sample_efficiency.calls import OracleCalls
from sample_efficiency.memory import BestMolecules, Remembered
from sample_efficiency.patience import Patience

# Batches are cut to their longest, rounded up: each length is traced anew.
_BUCKET = 16


@dataclasses.dataclass(frozen=True)
class Settings:
    """One set for all oracles.

    Attributes:
      algorithm: one of the project's, `dap` or `reinforce`.
      reward_scaler: 1/c, what a score of 1 counts against the log likelihoods.
      prior_weight: the factor of log p in the reward; 1 is the papers' objective.
      sequences: sampled by the policy a round.
      offspring: asked for by genetic steps a round; 0 leaves them out.
      repeats: what a sampled molecule that was asked for before counts for, of its
        score.
      updates: a round, each from what is drawn anew.
      fresh_updates: the first of them, which learn from all that was sampled as well.
      replayed: remembered sequences of an update, and as many as were sampled twice.
      capacity: molecules that are remembered.
      rank_coefficient: how evenly they are drawn.
      population: the best of them that have offspring.
      learning_rate: of Adam.
    """

    algorithm: str = "dap"
    reward_scaler: float = 500.0
    prior_weight: float = 1.0
    sequences: int = 64
    offspring: int = 16
    repeats: float = 0.0
    updates: int = 3
    fresh_updates: int = 1
    replayed: int = 64
    capacity: int = 200
    rank_coefficient: float = 0.05
    population: int = 64
    learning_rate: float = 5e-4
    clip_norm: float = 1.0


class Optimiser:
    """Finds molecules for one oracle after the other, from the same prior."""

    def __init__(self, prior: Network, task: MoleculeTask, settings: Settings):
        """Takes the prior, whose weights stay, and compiles as it goes."""
        self._prior, self._task, self.settings = prior, task, settings
        self._policy = prior.clone()
        self._config = RLTunerConfig(algorithm="dap")
        self._algorithm = get_algorithm(settings.algorithm)
        self._optimizer = tf.keras.optimizers.Adam(
            settings.learning_rate, global_clipnorm=settings.clip_norm
        )
        self._optimizer.build(self._policy.trainable_variables)
        self._first_state = [v.numpy() for v in self._optimizer.variables]

    def run(
        self,
        calls: OracleCalls,
        seed: int,
        report: Callable[[OracleCalls], None] = lambda calls: None,
    ) -> BestMolecules:
        """Spends the calls; `report` is called after each round."""
        self._begin()
        settings, task = self.settings, self._task
        best = BestMolecules(settings.capacity, task.max_length)
        generator, genes = np.random.default_rng(seed), random.Random(seed)
        patience, number = Patience(), 0
        while calls.left > 0 and not patience.is_over and not _is_perfect(best):
            before = calls.left
            key = tf.constant([seed, number], tf.int32)
            played = [x.numpy() for x in self._sample(key)]
            fresh = self._ask(calls, best, *played)
            if settings.offspring and best.names:
                self._breed(calls, best, genes)
            if best.names:
                self._learn(best, fresh, generator)
            highest = max(best.stored.scores[:1], default=0.0)
            patience.see(before - calls.left, best.names, highest)
            number += 1
            report(calls)
        return best

    def _begin(self) -> None:
        self._policy.set_weights(self._prior.get_weights())
        for variable, value in zip(
            self._optimizer.variables, self._first_state, strict=True
        ):
            variable.assign(value)

    def _ask(
        self,
        calls: OracleCalls,
        best: BestMolecules,
        actions: np.ndarray,
        lengths: np.ndarray,
        log_priors: np.ndarray,
    ) -> Remembered:
        """Asks for what was sampled, and returns what is distinct of it."""
        answers = calls.ask(self._task.vocabulary.decode(actions))
        names = [name for name, _, _ in answers]
        scores = np.array([score for _, score, _ in answers], np.float32)
        asked = Remembered(actions, lengths, scores, log_priors)
        best.offer(names, asked)
        is_new = np.array([is_call for _, _, is_call in answers])
        factors = np.where(is_new, 1.0, self.settings.repeats).astype(np.float32)
        asked = asked._replace(scores=scores * factors)
        _, rows = np.unique(actions, axis=0, return_index=True)
        return Remembered(*(values[np.sort(rows)] for values in asked))

    def _breed(
        self, calls: OracleCalls, best: BestMolecules, genes: random.Random
    ) -> None:
        """Asks for offspring of the best, and remembers what is good of it."""
        number = self.settings.offspring
        scores = best.stored.scores[: self.settings.population].tolist()
        population = list(zip(scores, best.names, strict=False))
        parents = uniform_quantile_sampling(population, 2 * number, genes)
        # A third more, since some are no molecules, or known.
        children = graph_ga_blended_generation(parents, number * 4 // 3, genes)
        rows, strings = [], []
        for child in sorted(children):
            if child in calls.scores or len(strings) == number:
                continue
            try:
                tokens = [*self._task.vocabulary.encode(child), EOS]
            except UserError:  # an atom that the prior does not know
                continue
            if len(tokens) <= self._task.max_length:
                strings.append(child)
                rows.append(tokens)
        if not strings:
            return
        actions = np.zeros([len(rows), self._task.max_length], np.int32)
        for row, tokens in zip(actions, rows, strict=True):
            row[: len(tokens)] = tokens
        lengths = np.array([len(tokens) for tokens in rows], np.int32)
        answers = calls.ask(strings)
        scores = np.array([score for _, score, _ in answers], np.float32)
        log_priors = np.zeros([len(rows)], np.float32)
        if self.settings.prior_weight:
            padded = np.zeros([number, self._task.max_length], np.int32)
            padded[: len(rows)] = actions
            filled = np.ones([number], np.int32)
            filled[: len(rows)] = lengths
            log_priors = self._log_prior(padded, filled).numpy()[: len(rows)]
        names = [name for name, _, _ in answers]
        best.offer(names, Remembered(actions, lengths, scores, log_priors))

    def _learn(
        self, best: BestMolecules, fresh: Remembered, generator: np.random.Generator
    ) -> None:
        """A round's updates, from what was just sampled and some of the best."""
        settings = self.settings
        number = settings.sequences + settings.replayed - len(fresh.lengths)
        for update in range(settings.updates):
            if update == settings.fresh_updates:
                number = settings.replayed
            batch = best.draw(number, settings.rank_coefficient, generator)
            if update < settings.fresh_updates:
                pairs = zip(fresh, batch, strict=True)
                batch = Remembered(*(np.concatenate(pair) for pair in pairs))
            longest = int(batch.lengths.max())
            length = min(-(-longest // _BUCKET) * _BUCKET, self._task.max_length)
            batch = batch._replace(actions=batch.actions[:, :length])
            # What a sequence is worth against log pi: its reward over c, and log p.
            worth = settings.reward_scaler * batch.scores
            worth += settings.prior_weight * batch.log_priors
            self._update(*map(tf.constant, (batch.actions, batch.lengths, worth)))

    @tf.function(jit_compile=True, autograph=False)
    def _sample(self, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        played = rollouts.play(
            self._task,
            self._algorithm,
            self._policy,
            self._prior,
            self.settings.sequences,
            seed,
        )
        log_priors = tf.reduce_sum(played.log_priors, axis=1)
        return played.actions, played.lengths, log_priors

    @tf.function(jit_compile=True, autograph=False)
    def _log_prior(self, actions: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        logits = _logits(self._prior, actions)
        chosen = take_actions(tf.nn.log_softmax(logits), actions)
        return tf.reduce_sum(chosen * _is_token(actions, lengths), axis=1)

    @tf.function(jit_compile=True, autograph=False)
    def _update(
        self, actions: tf.Tensor, lengths: tf.Tensor, worth: tf.Tensor
    ) -> tf.Tensor:
        """One update from a batch [N, T], of what its sequences are worth [N]."""
        is_token = _is_token(actions, lengths)
        # All of it with the last token: only the sum of a sequence counts.
        is_last = tf.range(actions.shape[1]) == lengths[:, tf.newaxis] - 1
        rewards = tf.cast(is_last, tf.float32) * worth[:, tf.newaxis]
        with tf.GradientTape() as tape:
            batch = Batch(
                logits=_logits(self._policy, actions),
                actions=actions,
                rewards=rewards,
                continues=1.0 - tf.cast(is_last, tf.float32),
                is_token=is_token,
            )
            loss, _ = self._algorithm.loss(batch, self._config)
        variables = self._policy.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss


def _logits(network: Network, actions: tf.Tensor) -> tf.Tensor:
    start = tf.fill([actions.shape[0], 1], EOS)
    return network.unroll(tf.concat([start, actions[:, :-1]], axis=1))


def _is_token(actions: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    positions = tf.range(actions.shape[1])
    return tf.cast(positions < lengths[:, tf.newaxis], tf.float32)


def _is_perfect(best: BestMolecules) -> bool:
    """Whether a hundred molecules have the highest score that there is."""
    return len(best.names) >= 100 and bool(best.stored.scores[99] >= 1.0 - 1e-6)
