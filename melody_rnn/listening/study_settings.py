"""What the melodies of a study have in common; settled when the study begins."""

from __future__ import annotations

import dataclasses
from typing import Any

from melody_rnn.listening.store import Store
from rl_tuner.errors import UserError


@dataclasses.dataclass(frozen=True)
class StudySettings:
    """What the melodies of all models have in common.

    Attributes:
      num_melodies: of each model in the study.
      num_steps: sixteenths in each, so that no length gives a model away.
      temperature: they are sampled with.
      seed: they are sampled with.
    """

    num_melodies: int = 20
    num_steps: int = 32
    temperature: float = 1.0
    seed: int = 0

    @classmethod
    def of_study(cls, store: Store, **given: float | None) -> StudySettings:
        """The settings that a study was begun with; a new one begins with `given`.

        Args:
          store: of the study.
          **given: settings by name; None leaves one as it is, or to the default.

        Raises:
          UserError: the study was begun with others.
        """
        values = {}
        for field in dataclasses.fields(cls):
            wanted = given.get(field.name)
            kind: type[Any] = type(field.default)
            begun_with = kind(
                store.setting(
                    field.name, str(field.default if wanted is None else kind(wanted))
                )
            )
            if wanted is not None and wanted != begun_with:
                raise UserError(
                    f"--study={store.path} was begun with --{field.name}={begun_with}; "
                    "leave the flag out, or begin another study"
                )
            values[field.name] = begun_with
        return cls(**values)
