"""What the votes say: the listening study's statistics (Jaques et al. 2016, 6)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from melody_rnn.listening.votes import Vote

SIGNIFICANCE = 0.05
POWER = 0.8
# More than anyone collects: such models are as good as equal.
MOST_RATINGS = 100_000


@dataclasses.dataclass(frozen=True)
class ModelResult:
    """A bar of Figure 3.

    Attributes:
      wins: comparisons in which the model's melody was found more pleasing.
      ties: comparisons without a preference.
      losses: the others.
      error: standard deviation of the wins, of a binomial distribution fitted to wins
        and losses.
      mean_score: of all its scores, 1 to 5; NaN without any.
    """

    name: str
    wins: int
    ties: int
    losses: int
    error: float
    mean_score: float


@dataclasses.dataclass(frozen=True)
class KruskalWallis:
    """Whether the models differ at all; NaN where there is nothing to tell by.

    Attributes:
      h: the statistic.
      p: of the chi-squared distribution, which takes all scores for independent.
      p_mirrored: the share of random mirrorings of votes, each of which is as likely as
        the vote itself if models do not matter, whose H is as large.
    """

    h: float
    degrees_of_freedom: int
    p: float
    p_mirrored: float

    @property
    def is_significant(self) -> bool:
        """Whether they do."""
        return self.p_mirrored < SIGNIFICANCE


@dataclasses.dataclass(frozen=True)
class PairResult:
    """Whether two models differ.

    Attributes:
      a: the model with the higher mean score.
      b: the other.
      u: Mann-Whitney U of the scores of `a` against those of `b`.
      p: two-sided.
      p_holm: p after Holm's correction for all pairs.
      direct: wins of `a`, ties and wins of `b` where the two met.
      p_direct: of the sign test of these wins, which takes no scores for independent.
      more_ratings: ratings of the whole study, beside those there are, after which the
        pair should be settled; 0 if it is, None if it cannot be said.
    """

    a: str
    b: str
    u: float
    p: float
    p_holm: float
    direct: tuple[int, int, int]
    p_direct: float
    more_ratings: int | None

    @property
    def is_significant(self) -> bool:
        """Whether they do."""
        return self.p_holm < SIGNIFICANCE


def scores_by_model(
    votes: Sequence[Vote], models: Sequence[str]
) -> dict[str, list[int]]:
    """The scores of each model, 1 to 5: every vote gives one to each of its two."""
    scores: dict[str, list[int]] = {model: [] for model in models}
    for vote in votes:
        scores[vote.first_model].append(vote.first_score)
        scores[vote.second_model].append(vote.second_score)
    return scores


def model_results(votes: Sequence[Vote], models: Sequence[str]) -> list[ModelResult]:
    """The bars of Figure 3, in the order of `models`."""
    results = []
    for model, scores in scores_by_model(votes, models).items():
        wins, losses = sum(s > 3 for s in scores), sum(s < 3 for s in scores)
        decided = wins + losses
        share = wins / decided if decided else 0.0
        results.append(
            ModelResult(
                name=model,
                wins=wins,
                ties=len(scores) - decided,
                losses=losses,
                error=math.sqrt(decided * share * (1 - share)),
                mean_score=float(np.mean(scores)) if scores else math.nan,
            )
        )
    return results


def kruskal_wallis(votes: Sequence[Vote], models: Sequence[str]) -> KruskalWallis:
    """The Kruskal-Wallis H test over the scores of the models that have any."""
    groups = [scores for scores in scores_by_model(votes, models).values() if scores]
    freedom = max(len(groups) - 1, 0)
    if freedom < 1 or len(set(itertools.chain(*groups))) < 2:
        return KruskalWallis(math.nan, freedom, math.nan, math.nan)
    h, p = stats.kruskal(*groups)
    return KruskalWallis(float(h), freedom, float(p), _mirrored_p(votes))


def pair_results(votes: Sequence[Vote], models: Sequence[str]) -> list[PairResult]:
    """Mann-Whitney U tests of all pairs of models that have scores, corrected by Holm.

    As in the paper, a model's scores are those of all its comparisons. A vote's two
    scores mirror each other, so that these tests are too sure where there are few
    models; hence the sign test of the direct comparisons beside them.
    """
    scores = {k: v for k, v in scores_by_model(votes, models).items() if v}
    pairs = [
        sorted(pair, key=lambda model: -float(np.mean(scores[model])))
        for pair in itertools.combinations(scores, 2)
    ]
    tests = [_mann_whitney(scores[a], scores[b]) for a, b in pairs]
    corrected = holm([p for _, p in tests])
    results = []
    for (a, b), (u, p), p_holm in zip(pairs, tests, corrected, strict=True):
        direct = _direct(votes, a, b)
        is_settled = p_holm < SIGNIFICANCE
        results.append(
            PairResult(
                a=a,
                b=b,
                u=u,
                p=p,
                p_holm=p_holm,
                direct=direct,
                p_direct=_sign_test(direct[0], direct[2]),
                more_ratings=0
                if is_settled
                else more_ratings(scores[a], scores[b], len(votes), len(models)),
            )
        )
    return results


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p-values -> p-values that hold for all at once."""
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def more_ratings(
    a: Sequence[int], b: Sequence[int], num_votes: int, num_models: int
) -> int | None:
    """How many more ratings should settle whether two models differ.

    Noether (1987): to find P(A > B) + P(A = B) / 2 = q two-sided at level alpha with
    power 1 - beta, a Mann-Whitney test of two equal groups takes

        N = (z(1 - alpha/2) + z(1 - beta))^2 / (3 (q - 1/2)^2)

    scores together, fewer by the share of the variance that ties take. q is taken from
    the scores so far, alpha is .05 over the number of pairs of models, which is as
    strict as Holm's correction gets, and the power is .8. A rating scores two models
    of all, and all equally often.

    Args:
      a: scores of one model.
      b: scores of the other.
      num_votes: ratings so far, of all models.
      num_models: of the study.

    Returns:
      at least 1; None when no number below 100,000 would do.
    """
    together = np.concatenate([a, b])
    number = len(together)
    u, _ = _mann_whitney(a, b)
    effect = u / (len(a) * len(b)) - 0.5
    _, ties = np.unique(together, return_counts=True)
    untied = 1.0 - float(np.sum(ties**3 - ties)) / max(number**3 - number, 1)
    if effect == 0.0 or untied <= 0.0:
        return None
    level = SIGNIFICANCE / math.comb(num_models, 2)
    quantiles = stats.norm.ppf(1 - level / 2) + stats.norm.ppf(POWER)
    scores_needed = untied * quantiles**2 / (3 * effect**2)
    ratings_needed = scores_needed / 2 * num_models / 2
    if ratings_needed > MOST_RATINGS:
        return None
    return max(math.ceil(ratings_needed) - num_votes, 1)


def _mirrored_p(votes: Sequence[Vote], num_mirrorings: int = 1999) -> float:
    """The p-value of H when each vote may as well have been its mirror image.

    Mirroring leaves the scores as a whole, and so their ranks, as they are; a model's
    sum of ranks about their mean is then a sum of +-d over its votes.
    """
    ranks = stats.rankdata([[vote.first_score, vote.second_score] for vote in votes])
    d = (ranks - ranks.mean()).reshape(-1, 2)[:, 0]
    names = [(vote.first_model, vote.second_model) for vote in votes]
    _, models = np.unique(names, return_inverse=True)
    models = models.reshape(-1, 2)
    gains = np.zeros([len(votes), models.max() + 1], np.float32)
    rows = np.arange(len(votes))
    gains[rows, models[:, 0]], gains[rows, models[:, 1]] = d, -d
    weights = 1.0 / np.bincount(models.ravel())
    rng = np.random.default_rng(0)
    observed = np.sum(gains.sum(axis=0) ** 2 * weights)
    as_large = 0
    chunk = 1 + 4_000_000 // len(votes)  # so that memory does not grow with the votes
    for start in range(0, num_mirrorings, chunk):
        count = min(chunk, num_mirrorings - start)
        signs = rng.integers(0, 2, [count, len(votes)], np.int8) * np.float32(2) - 1
        mirrored = (signs @ gains) ** 2 @ weights
        as_large += np.count_nonzero(mirrored >= observed * (1 - 1e-6))
    return float(1 + as_large) / (1 + num_mirrorings)


def _mann_whitney(a: Sequence[int], b: Sequence[int]) -> tuple[float, float]:
    """U of `a`, and the two-sided p-value."""
    u, p = stats.mannwhitneyu(a, b, alternative="two-sided")
    return float(u), float(p)


def _direct(votes: Sequence[Vote], a: str, b: str) -> tuple[int, int, int]:
    """Wins of `a`, ties and wins of `b` among the votes on both."""
    met = [vote for vote in votes if {vote.first_model, vote.second_model} == {a, b}]
    scores = [
        vote.first_score if vote.first_model == a else vote.second_score for vote in met
    ]
    return (
        sum(score > 3 for score in scores),
        sum(score == 3 for score in scores),
        sum(score < 3 for score in scores),
    )


def _sign_test(wins: int, losses: int) -> float:
    """The two-sided p-value of wins and losses under a fair coin."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses).pvalue)
