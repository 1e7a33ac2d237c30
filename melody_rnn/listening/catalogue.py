"""The models and melodies of a study: added once, kept, and shown."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import secrets
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Protocol

from melody_rnn.listening import render, sources
from melody_rnn.listening.sources import Judge, ModelSource
from melody_rnn.listening.store import Store
from melody_rnn.listening.study_settings import StudySettings
from rl_tuner.errors import UserError


@dataclasses.dataclass(frozen=True)
class Model:
    """A model of the study."""

    id: int
    name: str
    directory: pathlib.Path
    judge: Judge

    @property
    def rules(self) -> str:
        """By what its melodies are judged, in words."""
        reading = self.judge.settings.get("rules", "paper")
        return f"{reading} rules, {self.judge.settings.get('key', 'C major')}"


@dataclasses.dataclass(frozen=True)
class Melody:
    """A melody as it is shown.

    Attributes:
      public_id: names it in addresses.
      generation: those made together have the same; later ones have more.
      number: of those from one seed, from 1.
      num_steps: its length in sixteenths.
      notes: (start, end, pitch) of each.
      rewards: {rule: one reward an event}.
      favourite: whether somebody keeps it.
    """

    public_id: str
    model_id: int
    model_name: str
    generation: int
    temperature: float
    seed: int
    number: int
    num_steps: int
    notes: list[tuple[int, int, int]]
    rewards: dict[str, list[float]]
    favourite: bool
    in_study: bool


class Maker(Protocol):
    """What generates: `melody_maker.MelodyMaker`."""

    def make(self, count: int, num_steps: int, temperature: float, seed: int) -> Any:
        """Generates and judges melodies."""


def _load_maker(model: Model) -> Maker:
    """Loads the model, and TensorFlow first if it is not there yet."""
    import sys

    from rl_tuner.commands import cli

    if "tensorflow" not in sys.modules:
        cli.load_tensorflow()
    from melody_rnn.listening.melody_maker import MelodyMaker

    return MelodyMaker(model.directory, model.judge)


class Catalogue:
    """Models and melodies in a `Store`."""

    def __init__(
        self,
        store: Store,
        settings: StudySettings,
        load_maker: Callable[[Model], Maker] = _load_maker,
    ):
        """Takes up the study that the store holds.

        Args:
          store: of the study.
          settings: of its melodies.
          load_maker: loads a model; called once for each that generates.
        """
        self._store = store
        self.settings = settings
        self._load_maker = load_maker
        self._makers: dict[int, Maker] = {}
        self._making = threading.Lock()
        self.sound = store.setting("sound", render.available_sound())

    def models(self) -> list[Model]:
        """All models, in the order in which they were added."""
        rows = self._store.rows("SELECT * FROM models ORDER BY id")
        return [
            Model(
                row["id"],
                row["name"],
                pathlib.Path(os.fsdecode(row["directory"])),
                Judge(row["task"], json.loads(row["task_settings"])),
            )
            for row in rows
        ]

    def add_models(self, models: list[ModelSource]) -> None:
        """Adds models, with their melodies, that the study does not have yet.

        Raises:
          UserError: the study has another model of a name, or one cannot generate.
        """
        for source in models:
            fingerprint = sources.fingerprint(source)
            known = self._store.row(
                "SELECT * FROM models WHERE name = ?", (source.name,)
            )
            if known is None:
                try:
                    judge = sources.judge_of(source, models)
                    self._add_model(source, fingerprint, judge)
                except sqlite3.IntegrityError:  # another process has just done so
                    self.add_models([source])
            elif known["fingerprint"] != fingerprint:
                raise UserError(
                    f"--study={self._store.path} has another model named "
                    f"{source.name!r}, from {known['directory']}; choose another name, "
                    "or begin another study"
                )

    def generate_more(
        self, model: Model, count: int, temperature: float, seed: int
    ) -> None:
        """Adds melodies that are not part of the study; those that are there stay.

        Raises:
          UserError: the model is not where it was, or is another by now.
        """
        source = ModelSource(model.name, model.directory)
        fingerprint = sources.fingerprint(source)
        if not self._store.row(
            "SELECT 1 FROM models WHERE id = ? AND fingerprint = ?",
            (model.id, fingerprint),
        ):
            raise UserError(
                f"{model.directory} is not the model {model.name!r} that it was; "
                "restore it, or begin another study"
            )
        made = self._make(model, count, temperature, seed)
        with self._store.transaction() as connection:
            _insert(connection, model.id, made)

    def melodies(
        self, model_id: int | None, favourites: bool, limit: int, offset: int
    ) -> list[Melody]:
        """Melodies of a model or of all, those generated last first."""
        rows = self._store.rows(
            """
            SELECT * FROM shown_melodies
            WHERE (model_id = ?1 OR ?1 IS NULL) AND favourite >= ?2
            ORDER BY in_study, generation DESC, number LIMIT ?3 OFFSET ?4""",
            (model_id, int(favourites), limit, offset),
        )
        return [_melody(row) for row in rows]

    def count(self, model_id: int | None, favourites: bool) -> int:
        """How many melodies `melodies` has without a limit."""
        (number,) = self._store.one_row(
            """
            SELECT count(*) FROM melodies
            WHERE (model_id = ?1 OR ?1 IS NULL) AND favourite >= ?2""",
            (model_id, int(favourites)),
        )
        return number

    def next_seed(self) -> int:
        """A seed that no melody has."""
        (largest,) = self._store.one_row("SELECT coalesce(max(seed), -1) FROM melodies")
        return min(largest + 1, 2**31 - 1)

    def melody(self, public_id: str) -> Melody | None:
        """The melody of this name; None if there is none."""
        row = self._store.row(
            "SELECT * FROM shown_melodies WHERE public_id = ?", (public_id,)
        )
        return _melody(row) if row else None

    def midi(self, public_id: str) -> bytes | None:
        """The MIDI file of a melody; None if there is none."""
        row = self._store.row(
            "SELECT midi FROM melodies WHERE public_id = ?", (public_id,)
        )
        return row["midi"] if row else None

    def audio(self, public_id: str) -> bytes | None:
        """The WAV file of a melody; None if there is none."""
        row = self._store.row(
            "SELECT audio FROM melodies WHERE public_id = ?", (public_id,)
        )
        return row["audio"] if row else None

    def keep(self, public_id: str, favourite: bool) -> bool:
        """Marks a melody as a favourite, or not; False if there is none."""
        with self._store.transaction() as connection:
            changed = connection.execute(
                "UPDATE melodies SET favourite = ? WHERE public_id = ?",
                (int(favourite), public_id),
            )
        return changed.rowcount == 1

    def _add_model(self, source: ModelSource, fingerprint: str, judge: Judge) -> None:
        """The model and its melodies, or neither."""
        directory = source.directory.resolve()
        unsaved = Model(-1, source.name, directory, judge)
        settings = self.settings
        made = self._make(
            unsaved, settings.num_melodies, settings.temperature, settings.seed, True
        )
        with self._store.transaction() as connection:
            added = connection.execute(
                """
                INSERT INTO models (name, directory, fingerprint, task, task_settings)
                VALUES (?, ?, ?, ?, ?)""",
                (
                    source.name,
                    _storable(directory),
                    fingerprint,
                    judge.task,
                    json.dumps(judge.settings),
                ),
            )
            model_id = added.lastrowid
            assert model_id is not None  # a row was inserted
            _insert(connection, model_id, made)
        self._makers[model_id] = self._makers.pop(unsaved.id)

    def _make(
        self,
        model: Model,
        count: int,
        temperature: float,
        seed: int,
        in_study: bool = False,
    ) -> list[dict[str, Any]]:
        """Generates and renders; rows of melodies without their model."""
        with self._making:
            if model.id not in self._makers:
                self._makers[model.id] = self._load_maker(model)
            melodies = self._makers[model.id].make(
                count, self.settings.num_steps, temperature, seed
            )
        made = []
        for index, melody in enumerate(melodies):
            rendering = render.render(melody.classes, self.sound)
            made.append(
                {
                    "public_id": secrets.token_hex(8),
                    "in_study": int(in_study),
                    "temperature": float(temperature),
                    "seed": seed,
                    "number": index + 1,
                    "num_steps": len(melody.classes),
                    "notes": json.dumps(rendering.notes),
                    "rewards": json.dumps(melody.rewards),
                    "midi": rendering.midi,
                    "audio": rendering.audio,
                }
            )
        return made


def _storable(path: pathlib.Path) -> str | bytes:
    """A path as SQLite keeps it: bytes where it is not UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def _insert(
    connection: sqlite3.Connection, model_id: int, melodies: list[dict[str, Any]]
) -> None:
    (generation,) = connection.execute(
        "SELECT coalesce(max(generation), 0) + 1 FROM melodies"
    ).fetchone()
    connection.executemany(
        """
        INSERT OR IGNORE INTO melodies
          (public_id, model_id, generation, in_study, temperature, seed, number,
           num_steps, notes, rewards, midi, audio)
        VALUES
          (:public_id, :model_id, :generation, :in_study, :temperature, :seed, :number,
           :num_steps, :notes, :rewards, :midi, :audio)""",
        [
            {"model_id": model_id, "generation": generation, **melody}
            for melody in melodies
        ],
    )


def _melody(row: sqlite3.Row) -> Melody:
    fields = dict(row)
    for name in ("notes", "rewards"):
        fields[name] = json.loads(fields[name])
    for name in ("favourite", "in_study"):
        fields[name] = bool(fields[name])
    return Melody(**fields)
