"""The blind study: who hears which two melodies, and what they say of them."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
import random
import secrets
import sqlite3
import time
import unicodedata

from melody_rnn.listening.store import Store
from melody_rnn.listening.votes import Vote
from rl_tuner.errors import UserError

# A pair that was handed out and not answered for so long goes to somebody else.
HOLD_SECONDS = 1800.0
# A sitting is the fewest whole rounds of all pairs of models with as many trials.
_LEAST_TRIALS = 10
MAX_NAME_LENGTH = 40


@dataclasses.dataclass(frozen=True)
class Trial:
    """Two melodies that a rater is asked about.

    Attributes:
      public_id: names it in addresses, and says nothing of the models.
    """

    public_id: str


class AlreadyRatedError(Exception):
    """The trial has its vote."""


class Study:
    """Trials and votes in a `Store`."""

    def __init__(self, store: Store, rng: random.Random | None = None):
        """Takes up the study that the store holds; `rng` draws pairs and orders."""
        self._store = store
        self._rng = rng or random.SystemRandom()

    def join(self, name: str) -> int:
        """The rater of this name, who may have been here before.

        Returns:
          the rater's id.

        Raises:
          UserError: it is no name.
        """
        name = " ".join(unicodedata.normalize("NFKC", name).split())
        if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
            raise UserError(
                f"Please enter a name or initials of 1 to {MAX_NAME_LENGTH} characters."
            )
        folded = name.casefold()
        with self._store.transaction() as connection:
            connection.execute(
                """
                INSERT OR IGNORE INTO raters (name, folded_name, joined_at)
                VALUES (?, ?, ?)""",
                (name, folded, time.time()),
            )
            (rater_id,) = connection.execute(
                "SELECT id FROM raters WHERE folded_name = ?", (folded,)
            ).fetchone()
        return rater_id

    def rater_name(self, rater_id: int) -> str | None:
        """The rater's name; None if there is no such rater."""
        row = self._store.row("SELECT name FROM raters WHERE id = ?", (rater_id,))
        return row["name"] if row else None

    def num_votes(self, rater_id: int) -> int:
        """How many votes a rater has cast."""
        (number,) = self._store.one_row(
            "SELECT count(*) FROM trials WHERE rater_id = ? AND rating IS NOT NULL",
            (rater_id,),
        )
        return number

    def num_pairs(self) -> int:
        """How many pairs of models there are to compare."""
        (models,) = self._store.one_row(
            "SELECT count(DISTINCT model_id) FROM melodies WHERE in_study"
        )
        return math.comb(models, 2)

    def sitting(self) -> int:
        """Trials after which a rater is offered a rest.

        Whole rounds of all pairs, so that rests leave no pair of models behind.
        """
        pairs = max(self.num_pairs(), 1)
        return pairs * -(-_LEAST_TRIALS // pairs)

    def open_trial(self, rater_id: int) -> Trial | None:
        """The trial that the rater holds and has not answered yet; None without one.

        One that was held for too long is given up.
        """
        with self._store.transaction() as connection:
            return _open_trial(connection, rater_id)

    def hand_out(self, rater_id: int) -> Trial | None:
        """The rater's open trial, or a new one.

        A new one is of the two models that were handed out together least often, so
        that the numbers of trials of two pairs of models never differ by more than one
        (unless a rater has heard all there is of a pair); among such pairs of models,
        of those that the rater had least often. Melodies and order are random.

        Returns:
          None when the rater has judged every pair of melodies there is.
        """
        with self._store.transaction() as connection:
            trial = _open_trial(connection, rater_id)
            if trial is not None:
                return trial
            drawn = self._draw(connection, rater_id)
            if drawn is None:
                return None
            models, melodies = drawn
            order = self._rng.sample(melodies, 2)
            public_id = secrets.token_hex(8)
            connection.execute(
                """
                INSERT INTO trials
                  (public_id, rater_id, first_melody, second_melody, low_melody,
                   high_melody, low_model, high_model, handed_out_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (public_id, rater_id, *order, *sorted(order), *models, time.time()),
            )
            return Trial(public_id)

    def vote(self, rater_id: int, public_id: str, rating: int) -> None:
        """Stores the rater's answer; it is on the disk when this returns.

        Args:
          rater_id: must be the trial's rater.
          public_id: of the trial.
          rating: 1 (the first melody, clearly) to 5 (the second, clearly).

        Raises:
          UserError: not a rating.
          LookupError: the rater holds no such trial.
          AlreadyRatedError: it has a vote, which stays as it is.
        """
        if rating not in range(1, 6):
            raise UserError("Please choose one of the five answers.")
        with self._store.transaction() as connection:
            stored = connection.execute(
                """
                UPDATE trials SET rating = ?, rated_at = ?
                WHERE public_id = ? AND rater_id = ? AND rating IS NULL""",
                (rating, time.time(), public_id, rater_id),
            )
            if stored.rowcount == 1:
                return
            known = connection.execute(
                "SELECT 1 FROM trials WHERE public_id = ? AND rater_id = ?",
                (public_id, rater_id),
            ).fetchone()
        raise AlreadyRatedError if known else LookupError(public_id)

    def audio(self, rater_id: int, public_id: str, is_first: bool) -> bytes | None:
        """The WAV file of one of a trial's melodies; None if the rater has no such."""
        row = self._store.row(
            """
            SELECT audio FROM trials JOIN melodies
              ON melodies.id = CASE WHEN ? THEN first_melody ELSE second_melody END
            WHERE trials.public_id = ? AND rater_id = ?""",
            (is_first, public_id, rater_id),
        )
        return row["audio"] if row else None

    def votes(self) -> list[Vote]:
        """All votes, in the order of their trials."""
        rows = self._store.rows(
            """
            SELECT trials.id AS number, rater_id AS rater, rated_at,
              first_models.name AS first_model, second_models.name AS second_model,
              firsts.public_id AS first_melody, seconds.public_id AS second_melody,
              rating
            FROM trials
            JOIN melodies AS firsts ON firsts.id = first_melody
            JOIN melodies AS seconds ON seconds.id = second_melody
            JOIN models AS first_models ON first_models.id = firsts.model_id
            JOIN models AS second_models ON second_models.id = seconds.model_id
            WHERE rating IS NOT NULL ORDER BY trials.id"""
        )
        return [Vote(**dict(row)) for row in rows]

    def _draw(
        self, connection: sqlite3.Connection, rater_id: int
    ) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Two models, lower id first, and a melody of each for the rater to hear."""
        of_model = _melodies_of_models(connection)
        counts = _counts(connection, None)
        own = _counts(connection, rater_id)
        heard = {
            tuple(row)
            for row in connection.execute(
                "SELECT low_melody, high_melody FROM trials WHERE rater_id = ?",
                (rater_id,),
            )
        }
        pairs = _pairs(of_model)
        self._rng.shuffle(pairs)
        for models in sorted(pairs, key=lambda pair: (counts[pair], own[pair])):
            low, high = models
            unheard = [
                melodies
                for melodies in itertools.product(of_model[low], of_model[high])
                if tuple(sorted(melodies)) not in heard
            ]
            if unheard:
                return models, self._rng.choice(unheard)
        return None


def _melodies_of_models(connection: sqlite3.Connection) -> dict[int, list[int]]:
    """The ids of the study's melodies, by model."""
    of_model = collections.defaultdict(list)
    for model_id, melody_id in connection.execute(
        "SELECT model_id, id FROM melodies WHERE in_study ORDER BY model_id, id"
    ):
        of_model[model_id].append(melody_id)
    return dict(of_model)


def _pairs(of_model: dict[int, list[int]]) -> list[tuple[int, int]]:
    return list(itertools.combinations(sorted(of_model), 2))


def _counts(
    connection: sqlite3.Connection, rater_id: int | None
) -> collections.Counter:
    """Trials of each pair of models, answered or held; of one rater, or of all."""
    rows = connection.execute(
        """
        SELECT low_model, high_model, count(*) FROM trials
        WHERE (rating IS NOT NULL OR handed_out_at > ?1)
          AND (rater_id = ?2 OR ?2 IS NULL)
        GROUP BY low_model, high_model""",
        (time.time() - HOLD_SECONDS, rater_id),
    )
    return collections.Counter({(low, high): number for low, high, number in rows})


def _open_trial(connection: sqlite3.Connection, rater_id: int) -> Trial | None:
    connection.execute(
        """
        DELETE FROM trials
        WHERE rater_id = ? AND rating IS NULL AND handed_out_at <= ?""",
        (rater_id, time.time() - HOLD_SECONDS),
    )
    row = connection.execute(
        "SELECT public_id FROM trials WHERE rater_id = ? AND rating IS NULL",
        (rater_id,),
    ).fetchone()
    return Trial(row["public_id"]) if row else None
