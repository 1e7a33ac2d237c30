"""Settings said once: a dataclass field with its help, its bounds and its choices.

From that come the checks of a config, its documentation, and the flags of the commands
(`commands/setting_flags.py`):

  @settings.documented
  @dataclasses.dataclass(frozen=True)
  class Config:
      rate: float = setting(0.1, "How fast it learns.", above=0, high=1)
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rl_tuner.errors import UserError

_KEY = "setting"
_Default = TypeVar("_Default")
_Class = TypeVar("_Class", bound=type)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of a field.

    Attributes:
      help: what it is, for the documentation and `--help`.
      low: the least value; of a tuple, that of each element.
      high: the greatest value.
      above: what every value is greater than.
      choices: the values that a text can have; empty for any.
      own: how a user's own choice is written, where one is taken: "my_module:MyClass".
      flag: the flag's name, where it is not the field's.
      of: other defaults, by what decides about them: see `resolve`.
      default: the default; of a setting with others the field's is None.
    """

    help: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    choices: Sequence[str] = ()
    own: str = ""
    flag: str = ""
    of: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    default: Any = None

    @property
    def text(self) -> str:
        """The help, with the choices before it, and defaults that depend behind it."""
        text = self.help
        if self.choices:
            text = f"One of {', '.join(self.choices)}: {text}"
        if self.of:
            names: dict[Any, list[str]] = {}
            for name, default in self.of.items():
                names.setdefault(default, []).append(name)
            others = [f"{value} of {', '.join(by)}" for value, by in names.items()]
            text += f" By default {'; '.join([str(self.default), *others])}."
        return text

    def check(self, name: str, value: Any) -> None:
        """Raises a `UserError` that names the setting if it cannot have this value."""
        if self.choices:
            is_own = self.own and isinstance(value, str) and ":" in value
            if value not in self.choices and not is_own:
                known = ", ".join(self.choices)
                known += f", or {self.own}" if self.own else ""
                raise UserError(f"unknown {name} {value!r}; choose one of {known}")
            return
        numbers = value if isinstance(value, tuple | list) else (value,)
        if not numbers:
            raise UserError(f"{name} is empty; it must be one number or more")
        if any(self._is_outside(number) for number in numbers):
            raise UserError(f"{name} is {value}; it must be {self._bounds()}")
        if not all(map(math.isfinite, numbers)):
            raise UserError(f"{name} is {value}; it must be a finite number")

    def _is_outside(self, number: float) -> bool:
        """Written so that it is true of NaN, which no comparison is."""
        return (
            (self.low is not None and not number >= self.low)
            or (self.above is not None and not number > self.above)
            or (self.high is not None and not number <= self.high)
        )

    def _bounds(self) -> str:
        sides = (("at least", self.low), ("above", self.above), ("at most", self.high))
        return " and ".join(f"{side} {n}" for side, n in sides if n is not None)


def setting(
    default: _Default,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    choices: Sequence[str] = (),
    own: str = "",
    flag: str = "",
    of: Mapping[str, _Default] | None = None,
) -> _Default:
    """A dataclass field with a default; the rest is as in `Setting`.

    With other defaults the field is None until `resolve`.
    """
    found = Setting(help, low, high, above, choices, own, flag, of or {}, default)
    field: Any = dataclasses.field(
        default=None if of else default, metadata={_KEY: found}
    )
    return field


def resolve(config: Any, name: str) -> None:
    """Gives each field that is None and has several defaults that of this name."""
    for field, found in fields(config).items():
        if found.of and getattr(config, field) is None:
            object.__setattr__(config, field, found.of.get(name, found.default))


def with_default(config: type, name: str, default: _Default) -> _Default:
    """The field `name` of another config class, for a subclass with this default."""
    found = fields(config)[name]
    field: Any = dataclasses.field(default=default, metadata={_KEY: found})
    return field


def fields(config: Any) -> dict[str, Setting]:
    """The settings of a config or its class, by the name of the field."""
    return {
        field.name: field.metadata[_KEY]
        for field in dataclasses.fields(config)
        if _KEY in field.metadata
    }


def check(config: Any) -> None:
    """Raises a `UserError` that names the first field whose value makes no sense.

    None stands for no value where it is the default.
    """
    for name, found in fields(config).items():
        value = getattr(config, name)
        if value is not None or getattr(type(config), name) is not None:
            found.check(found.flag or name, value)


def documented(config: _Class) -> _Class:
    """Completes the docstring of a config class by its `Attributes`."""
    lines = [inspect.cleandoc(config.__doc__ or ""), "", "Attributes:"]
    for name, found in fields(config).items():
        lines += textwrap.wrap(
            f"{name}: {found.text}",
            80,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
    config.__doc__ = "\n".join(lines)
    return config
