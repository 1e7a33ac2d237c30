"""What raters answer, and its export as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Vote:
    """One answer.

    Attributes:
      number: orders the votes.
      rater: a number; names are not passed on.
      rated_at: seconds since 1970.
      first_model: of the melody that was heard first.
      second_model: of the other.
      first_melody: names it in addresses.
      second_melody: names it in addresses.
      rating: 1 (the first, clearly) to 5 (the second, clearly); 3 is a tie.
    """

    number: int
    rater: int
    rated_at: float
    first_model: str
    second_model: str
    first_melody: str
    second_melody: str
    rating: int

    @property
    def first_score(self) -> int:
        """What the first melody got, 1 to 5; more is better."""
        return 6 - self.rating

    @property
    def second_score(self) -> int:
        """What the second melody got, 1 to 5; more is better."""
        return self.rating


def votes_csv(votes: Sequence[Vote]) -> str:
    """The votes as CSV, one a line, with the scores that the tests are of."""
    columns = [field.name for field in dataclasses.fields(Vote)]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([*columns, "first_score", "second_score"])
    for vote in votes:
        scores = (vote.first_score, vote.second_score)
        writer.writerow([*dataclasses.astuple(vote), *scores])
    return file.getvalue()
