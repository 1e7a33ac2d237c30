"""MoleculeTask: molecules that should be valid, drug-like and easy to make."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from molecule_rnn.own_scores import (
    CUT_ROW,
    own_components,
    own_rows,
    with_own_means,
    with_share_cut,
)
from molecule_rnn.scoring import molecule_statistics
from molecule_rnn.scoring.components import SCORE
from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.diversity_filter import ScaffoldFilter, ScaffoldSettings
from molecule_rnn.scoring.rewards import RewardSettings, carbon_runs, prefix_rewards
from molecule_rnn.scoring.scoring_pool import ScoringPool
from molecule_rnn.smiles_rnn.config import (
    LONGEST,
    PROTOCOLS,
    RANDOM_TOKEN,
    START_TOKEN,
    USUAL_LENGTH,
)
from molecule_rnn.smiles_rnn.statistics import CARBON
from molecule_rnn.structures import write_structures
from molecule_rnn.table2 import (
    DIVERSITY_ROWS,
    TABLE2_ROWS,
    table2_metrics,
    table2_standard_errors,
)
from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.errors import UserError
from rl_tuner.metrics import Judgement, MetricRow
from rl_tuner.scored_task import Prefixes, ScoredTask
from rl_tuner.task import Tokens

_PROTOCOL_REMARKS = {
    RANDOM_TOKEN: "Few of the untuned model's strings are valid, here as in the paper, "
    "because the random token that it reads first is not part of the molecule.",
    START_TOKEN: "These models begin molecules with a start token, which the paper's "
    "did not: it read a random token that is not part of the molecule, and the share "
    "of valid molecules is low in its column because of that.",
}


class MoleculeTask(ScoredTask):
    """SMILES strings, rewarded on every prefix (Jaques et al. 2017, section 6).

    A molecule ends with class 0, or with its 120th token. Processes score what was
    acted while the networks learn.
    """

    name = "molecule"
    end_token = EOS
    uses_autograph = False

    def __init__(
        self,
        vocabulary: Vocabulary,
        reward: RewardSettings | None = None,
        protocol: str = RANDOM_TOKEN,
        max_length: int = USUAL_LENGTH,
        num_processes: int | None = None,
        diversity: ScaffoldSettings | None = None,
    ):
        """Chooses what is rewarded; nothing is started before something is scored.

        Args:
          vocabulary: that of the model.
          reward: what molecules are rewarded for; as in the paper if None.
          protocol: what the networks read first, which is no part of the molecule.
            `random_token`: a random token, neither the end nor the last class, as the
            paper did. `start_token`: the end of the sequence, which a model must be
            trained for.
          max_length: tokens in a molecule, its end included where it fits.
          num_processes: that score; by default one for each core, with 0 none but this.
          diversity: how often a scaffold may be found while tuning; None for any.

        Raises:
          UserError: a setting is unknown or makes no sense.
        """
        if protocol not in PROTOCOLS:
            raise UserError(
                f"unknown protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}"
            )
        if not 1 <= max_length <= LONGEST:
            raise UserError(
                f"max_length is {max_length}; it must be at least 1 and at most "
                f"{LONGEST}"
            )
        self.vocabulary = vocabulary
        self.reward_settings = reward or RewardSettings()
        self.scores_prefixes = self.reward_settings.scores_prefixes
        self.protocol = protocol
        self.max_length = max_length
        self.num_classes = vocabulary.num_classes
        self._num_processes = num_processes
        self._diversity = diversity
        self._last_corpus: tuple[Sequence[Tokens | str], frozenset[str]] | None = None
        self._own_components = own_components(self.reward_settings)
        rows = (*TABLE2_ROWS, *own_rows(self.reward_settings))
        self.curve_panels = {row.name: row.label for row in rows}
        tokens = vocabulary.tokens
        self._carbon = 1 + tokens.index(CARBON) if CARBON in tokens else None

    def prime(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        """A random token each, or the end of the sequence: [N] int32."""
        if self.protocol != RANDOM_TOKEN:
            return tf.fill([batch_size], EOS)
        last = max(2, self.num_classes - 1)
        return tf.random.stateless_uniform(
            [batch_size], seed, minval=1, maxval=last, dtype=tf.int32
        )

    def start_scoring(self, prefixes: Prefixes) -> Callable[[], np.ndarray]:
        """Begins to score: see `ScoredTask.start_scoring` and `prefix_rewards`."""
        is_read = np.arange(prefixes.tokens.shape[1]) < prefixes.lengths[:, np.newaxis]
        tokens = np.where(is_read, prefixes.tokens, EOS)
        strings = np.full([len(tokens)], "", object)
        is_scored = prefixes.ended | self.scores_prefixes
        strings[is_scored] = self.vocabulary.decode(tokens[is_scored])
        pending = self._pool.start(strings.tolist())
        runs = carbon_runs(tokens, prefixes.lengths, self._carbon)

        def collect() -> np.ndarray:
            return prefix_rewards(
                pending.result(),
                prefixes.lengths,
                prefixes.ended,
                runs,
                self.reward_settings,
            )

        return collect

    def make_filter(self) -> ScaffoldFilter | None:
        """As of `ScoredTask`: the diversity filter, if one was asked for."""
        if self._diversity is None:
            return None
        score = None
        if self.reward_settings.scoring:
            score = lambda smiles: self._pool.score(smiles).column(SCORE)  # noqa: E731
        return ScaffoldFilter(
            self._diversity, self.vocabulary.decode, self._num_processes, score
        )

    def scored_columns(self, sequences: np.ndarray) -> dict[str, Sequence[Any]]:
        """The strings, whether they are molecules, and what components count there."""
        smiles = self.vocabulary.decode(sequences)
        scores = self._pool.score(smiles)
        columns: dict[str, Sequence[Any]] = {
            "smiles": smiles,
            "valid": scores.parsed.astype(int).tolist(),
        }
        for name in scores.components:
            columns[name] = [
                value if is_molecule else None
                for value, is_molecule in zip(
                    scores.column(name), scores.parsed, strict=True
                )
            ]
        return columns

    def remarks_on(self, sequences: np.ndarray) -> list[str]:
        """How many of the molecules [N, T] have no end within T tokens."""
        cut = self._number_cut(sequences)
        if not cut:
            return []
        return [
            f"{cut:,} of {len(sequences):,} molecules do not end within "
            f"{sequences.shape[1]} tokens and are cut there; --max_length allows more"
        ]

    def _number_cut(self, sequences: np.ndarray) -> int:
        return int((np.asarray(sequences) != EOS).all(axis=1).sum())

    def metrics(self, sequences: np.ndarray) -> dict[str, float]:
        """The rows of Table 2 in Jaques et al. 2017, and of diversity."""
        return self.judge(sequences).metrics

    def judge(
        self, sequences: np.ndarray, corpus: Sequence[Tokens | str] | None = None
    ) -> Judgement:
        """Table 2 of sequences [N, T], its errors, and the counts behind it.

        With a corpus, molecules that are not in it are counted too: it is compared as
        canonical SMILES, whatever vocabulary it was written in.
        """
        judgement = self._judge(self.vocabulary.decode(sequences), corpus)
        return with_share_cut(judgement, self._number_cut(sequences), len(sequences))

    def judge_lines(self, lines: Sequence[str]) -> Judgement:
        """The same of SMILES strings, of whatever tokens and length."""
        return self._judge(lines)

    def _judge(
        self, smiles: Sequence[str], corpus: Sequence[Tokens | str] | None = None
    ) -> Judgement:
        known = self._canonical_of(corpus) if corpus is not None else None
        stats = molecule_statistics.molecule_stats(smiles, training_set=known)
        judgement = Judgement(
            table2_metrics(stats), table2_standard_errors(stats), stats
        )
        if not self._own_components:
            return judgement
        scores = self._pool.score(smiles)
        return with_own_means(judgement, scores, self._own_components)

    def _canonical_of(self, corpus: Sequence[Tokens | str]) -> Collection[str]:
        """The molecules of a corpus; those of the last one are kept."""
        if self._last_corpus is None or self._last_corpus[0] is not corpus:
            strings = [
                row if isinstance(row, str) else self.to_lines(np.array([row]))[0]
                for row in corpus
            ]
            workers = molecule_statistics.profile_workers(len(strings))
            try:
                canonical = molecule_statistics.canonical_smiles(strings, workers)
            finally:
                workers.close()
            self._last_corpus = corpus, frozenset(canonical)
        return self._last_corpus[1]

    def metric_rows(self) -> list[MetricRow]:
        """The rows of Table 2, of the reward's own components, and of diversity."""
        own = own_rows(self.reward_settings)
        return [*TABLE2_ROWS, *own, *DIVERSITY_ROWS, CUT_ROW]

    def remarks(self) -> list[str]:
        """What is odd about the paper's table, and not like it in ours."""
        return [
            "Means are over valid molecules; the SA penalty is minus the SA score.",
            "The header of the paper's table says Q, but its text says that Psi is "
            "what it reports; its figures stand beside Psi here.",
            _PROTOCOL_REMARKS[self.protocol],
        ]

    def token_labels(self) -> list[str]:
        """The end, and the texts of the tokens."""
        return ["end", *self.vocabulary.tokens]

    def write_samples(
        self,
        sequences: np.ndarray,
        directory: pathlib.Path,
        title: str,
        sdf: bool = False,
    ) -> None:
        """Writes the strings with their scores as CSV, and the structures as a PNG.

        With `sdf` as an SD file as well.
        """
        del title
        smiles = self.vocabulary.decode(sequences)
        own = {}
        if self._own_components:
            scores = self._pool.score(smiles)
            own = {name: scores.column(name) for name in self._own_components}
        write_structures(smiles, directory, sdf, own)

    def to_lines(self, sequences: np.ndarray) -> list[str]:
        """The SMILES string of each molecule: [N, T] integers -> N lines."""
        return self.vocabulary.decode(sequences)

    def from_lines(self, lines: Sequence[str]) -> np.ndarray:
        """The tokens of SMILES strings: N lines -> [N, max_length] int32."""
        sequences = np.full([len(lines), self.max_length], EOS, np.int32)
        for row, line in zip(sequences, lines, strict=True):
            tokens = self.vocabulary.encode(line)
            if len(tokens) > self.max_length:
                raise UserError(
                    f"{line[:60]!r} has {len(tokens)} tokens; a molecule of this task "
                    f"has at most {self.max_length}"
                )
            row[: len(tokens)] = tokens
        return sequences

    def score_lines(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """Whether a string is a molecule, and each component of the reward, unweighted.

        Those that are worth nothing to the reward are among them. Of a string that is
        no molecule there are no components: NaN. Columns [N] by name.
        """
        scores = self._line_pool.score(lines)
        columns = {
            name: np.where(scores.parsed, scores.column(name), np.nan)
            for name in scores.components
        }
        return {"valid": scores.parsed, **columns}

    @functools.cached_property
    def _line_pool(self) -> ScoringPool:
        reported = self.reward_settings.reported_components
        return self._new_pool(None, tuple(dict.fromkeys((*COMPONENTS, *reported))))

    @functools.cached_property
    def _pool(self) -> ScoringPool:
        return self._new_pool(
            self._num_processes, self.reward_settings.reported_components
        )

    def _new_pool(
        self, num_processes: int | None, components: Sequence[str]
    ) -> ScoringPool:
        reward = self.reward_settings
        return ScoringPool(
            components,
            num_processes=num_processes,
            scoring=reward.scoring.to_json() if reward.scoring else None,
        )
