"""The file of a study: models, melodies, raters and trials in SQLite."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import threading
from collections.abc import Iterator

from rl_tuner.errors import UserError

# "RLTL", so that another program's database is never written to.
_APPLICATION_ID = 0x524C544C
_VERSION = 1

# A trial is a pair of melodies as one rater hears it; it is a vote once it has a
# rating. `low` and `high` are the same pair, and its models, without the order.
_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  directory TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  task TEXT NOT NULL,
  task_settings TEXT NOT NULL
);
CREATE TABLE melodies (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  model_id INTEGER NOT NULL REFERENCES models (id),
  generation INTEGER NOT NULL,
  in_study INTEGER NOT NULL,
  temperature REAL NOT NULL,
  seed INTEGER NOT NULL,
  number INTEGER NOT NULL,
  num_steps INTEGER NOT NULL,
  notes TEXT NOT NULL,
  rewards TEXT NOT NULL,
  favourite INTEGER NOT NULL DEFAULT 0,
  midi BLOB NOT NULL,
  audio BLOB NOT NULL,
  UNIQUE (model_id, temperature, seed, number)
);
CREATE INDEX study_melodies ON melodies (model_id, id) WHERE in_study;
CREATE VIEW shown_melodies AS
  SELECT public_id, model_id, models.name AS model_name, generation, temperature, seed,
    number, num_steps, notes, rewards, favourite, in_study
  FROM melodies JOIN models ON models.id = model_id;
CREATE TABLE raters (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL UNIQUE,
  joined_at REAL NOT NULL
);
CREATE TABLE trials (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  rater_id INTEGER NOT NULL REFERENCES raters (id),
  first_melody INTEGER NOT NULL REFERENCES melodies (id),
  second_melody INTEGER NOT NULL REFERENCES melodies (id),
  low_melody INTEGER NOT NULL,
  high_melody INTEGER NOT NULL CHECK (low_melody < high_melody),
  low_model INTEGER NOT NULL,
  high_model INTEGER NOT NULL CHECK (low_model < high_model),
  handed_out_at REAL NOT NULL,
  rating INTEGER CHECK (rating BETWEEN 1 AND 5),
  rated_at REAL,
  CHECK ((rating IS NULL) = (rated_at IS NULL)),
  UNIQUE (rater_id, low_melody, high_melody)
);
CREATE UNIQUE INDEX one_open_trial ON trials (rater_id) WHERE rating IS NULL;
CREATE INDEX trials_of_models ON trials (low_model, high_model);
"""


class Store:
    """One connection that all threads share, a transaction at a time.

    What a transaction wrote is on the disk when it ends: SQLite's write-ahead log,
    synchronised at every commit, so that not even a power cut takes it back.
    """

    def __init__(self, path: str | pathlib.Path):
        """Opens a study, or begins one.

        Raises:
          UserError: the file is of another kind, or cannot be opened or written.
        """
        self.path = pathlib.Path(path)
        self._lock = threading.Lock()
        with self.told():
            self._connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._prepare()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turns what SQLite cannot do into a line.

        Raises:
          UserError: says what it is: damaged, locked, full ...
        """
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(
                f"cannot use --study={self.path}: {error}; name a study of "
                "rl_tuner_listen, or a new file where you may write"
            ) from error

    def close(self) -> None:
        """Ends the connection; nothing needs it to keep what was written."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done within happens, or, on an exception, nothing of it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, parameters: tuple = ()) -> list[sqlite3.Row]:
        """The rows of a SELECT."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def row(self, query: str, parameters: tuple = ()) -> sqlite3.Row | None:
        """The first row of a SELECT; None without one."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchone()

    def one_row(self, query: str, parameters: tuple = ()) -> sqlite3.Row:
        """The row of a SELECT that always has one, as a count does."""
        found = self.row(query, parameters)
        assert found is not None
        return found

    def setting(self, name: str, default: str) -> str:
        """The setting of this name, which becomes `default` if there is none yet."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default)
            )
            found = connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
        return found["value"]

    def _prepare(self) -> None:
        """Writes the schema into a new file; refuses one that is not a study."""
        connection = self._connection
        connection.execute("PRAGMA foreign_keys = ON")
        # Tables first: who has just begun the study writes all three at once.
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if tables and kind != _APPLICATION_ID:
            raise sqlite3.DatabaseError("it is another program's database")
        if tables and version != _VERSION:
            raise sqlite3.DatabaseError(
                f"it has version {version}, but this program reads {_VERSION}"
            )
        (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if finding != "ok":
            line = " ".join(finding.split())
            raise sqlite3.DatabaseError(
                f"it is damaged, {line}; restore it from a copy"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Pages: so that little is written beside the file where a disk is nearly full.
        connection.execute("PRAGMA wal_autocheckpoint = 100")
        if not tables:
            self._begin()

    def _begin(self) -> None:
        """Writes the schema, unless another process did so at this moment."""
        with self.transaction() as connection:
            query = "SELECT count(*) FROM sqlite_master"
            (tables,) = connection.execute(query).fetchone()
            if tables:
                return
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
