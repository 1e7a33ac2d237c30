"""What a training set says of its molecules: the limits of the tuning reward."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.errors import UserError

CARBON = "C"
NO_TOKEN = -1
# The share of a normal distribution that lies more than 3 standard deviations below
# its mean, in percent.
_VERY_SHORT_PERCENTILE = 0.135


@dataclasses.dataclass(frozen=True)
class TrainingStatistics:
    """Lengths and carbon runs of a set of molecules; all lengths count the EOS.

    Attributes:
      num_molecules: how many molecules there are.
      mean_length: in tokens.
      length_deviation: the standard deviation of the length (of a population), tokens.
      min_length: of the shortest molecule, tokens.
      max_length: of the longest, tokens.
      very_short_length: molecules of fewer tokens are far too short: the 0.135 %
        percentile of the length, which is where 3 standard deviations below the mean
        would lie if lengths were normal. They are skewed, so that the mean less 3
        deviations itself is shorter than is typical (17.3 in ZINC 250k). Jaques et al.
        2017 have 19; ZINC 250k by characters gives 19.
      short_length: molecules of fewer tokens are too short: the mean less 2 standard
        deviations. Jaques et al. 2017 have 27.08; ZINC 250k by characters, 26.66.
      carbon_limit: the most tokens "C" in a row that occur. Jaques et al. 2017 and
        ZINC 250k have 11.
    """

    num_molecules: int
    mean_length: float
    length_deviation: float
    min_length: int
    max_length: int
    very_short_length: int
    short_length: float
    carbon_limit: int

    @classmethod
    def measure(
        cls, smiles: Iterable[str], vocabulary: Vocabulary
    ) -> TrainingStatistics:
        """Measures molecules, one at least, by the tokens of a vocabulary.

        Raises:
          UserError: a molecule holds a token that the vocabulary lacks.
        """
        has_carbon = CARBON in vocabulary.tokens
        carbon = vocabulary.encode(CARBON)[0] if has_carbon else NO_TOKEN
        sequences = [[*vocabulary.encode(string), EOS] for string in smiles]
        lengths = np.array([len(sequence) for sequence in sequences])
        tokens = np.fromiter(itertools.chain.from_iterable(sequences), np.int32)
        mean, deviation = float(lengths.mean()), float(lengths.std())
        very_short = np.percentile(
            lengths, _VERY_SHORT_PERCENTILE, method="inverted_cdf"
        )
        return cls(
            num_molecules=len(lengths),
            mean_length=mean,
            length_deviation=deviation,
            min_length=int(lengths.min()),
            max_length=int(lengths.max()),
            very_short_length=int(very_short),
            short_length=mean - 2 * deviation,
            carbon_limit=longest_run(tokens, carbon),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingStatistics:
        """Reads what `to_json` returned, as in a model's `metadata["statistics"]`.

        Raises:
          UserError: a number is missing or none.
        """
        try:
            names = [field.name for field in dataclasses.fields(cls)]
            numbers = {name: value[name] for name in names}
            if not all(np.isfinite(number) for number in numbers.values()):
                raise ValueError
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"no statistics of a training set of molecules: {value!r:.60}; "
                "expected what smiles_rnn_create_dataset writes"
            ) from error
        return cls(**numbers)

    def to_json(self) -> dict[str, Any]:
        """For JSON: the numbers by name."""
        return dataclasses.asdict(self)


def longest_run(tokens: np.ndarray, token: int) -> int:
    """The most times that `token` occurs in a row in `tokens` [T]."""
    others = np.flatnonzero(np.asarray(tokens) != token)
    return int(np.diff(others, prepend=-1, append=len(tokens)).max()) - 1
