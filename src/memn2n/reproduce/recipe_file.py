"""The file of a recipe: how a column or row of a table is trained, in TOML."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from memn2n.errors import ConfigError
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SETTINGS = {"network": dict, "training": dict}


def parse_recipe(path: Path, required: Mapping[str, type], from_the_call: Sequence[str]) -> dict[str, Any]:
    """Read the keys of a recipe. The settings in its tables ``network`` and ``training`` are not checked here.

    Args:
        path: the file.
        required: the keys that it must have, and their types.
        from_the_call: settings of the training that only the call may choose.

    Raises:
        ValueError: for a file that is not UTF-8 or not TOML; as ConfigError, for a key that is wrong or missing.
    """
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for key in values.keys() - required.keys() - _SETTINGS.keys():
        raise ConfigError(f"there is no key {quoted(key)}; there are: {', '.join((*required, *_SETTINGS))}")
    for key, kind in (*required.items(), *_SETTINGS.items()):
        if type(values.get(key)) is not kind and (key in values or key in required):
            raise ConfigError(f"{key} is missing or not of type {kind.__name__}")
    for key in from_the_call:
        if key in values.get("training", {}):
            raise ConfigError(f"{key} cannot be set in a recipe: it is an option of the call")
    return values
