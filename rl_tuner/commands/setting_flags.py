"""Flags made of the settings of a config class: names, kinds, defaults and help."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from typing import Any

from absl import flags

from rl_tuner import settings

FLAGS = flags.FLAGS
_DEFINE: dict[type, Any] = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
}


def define(config: type, names: Iterable[str]) -> None:
    """Defines the flags of some fields of a config class."""
    kinds = typing.get_type_hints(config)
    for name in names:
        found = settings.fields(config)[name]
        kind = kinds[name]
        if type(None) in typing.get_args(kind):  # int | None
            kind = typing.get_args(kind)[0]
        kind = typing.get_origin(kind) or kind  # tuple[int, ...]
        default = getattr(config, name)
        if kind is tuple:
            default = [str(part) for part in default]
        _DEFINE[kind](found.flag or name, default, found.text)


def values(config: type, defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the flags of a config class say, by the names of the fields.

    Fields without a flag are left out. A list is one of texts.

    Args:
      config: the class.
      defaults: values of flags that are not given, where they are not the class's.
    """
    named = {
        name: found.flag or name for name, found in settings.fields(config).items()
    }
    defaults = defaults or {}
    return {
        name: defaults[name]
        if name in defaults and not FLAGS[flag].present
        else FLAGS[flag].value
        for name, flag in named.items()
        if flag in FLAGS
    }
