"""Read worlds from TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError, InputError
from memn2n.files.lines import iter_lines
from memn2n.simulator.world import World, WorldError

if TYPE_CHECKING:
    from pathlib import Path


def read_world(path: str | Path) -> World:
    """Read a world from a TOML file.

    The keys are the fields of ``World``; a field that the file does not have keeps its default.

    Raises:
        DataError: if the file cannot be read or is not TOML, has an unknown key or a value of the wrong type, or if
            ``World`` rejects the values.
    """
    lines = [line for _, line in iter_lines(path)]
    try:
        found = tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError) as error:  # also raised for numbers that are too long, and for deep nesting
        raise DataError(path, None, f"this is not a valid TOML file: {error}") from None
    default = World()
    known = {kind.name for kind in fields(World)}
    chosen = {}
    for key, value in found.items():
        if key not in known:
            raise DataError(path, _line(lines, key), f'unknown key "{key}"; there are: {", ".join(sorted(known))}')
        try:
            chosen[key] = _value(key, value, getattr(default, key))
        except InputError as error:
            raise DataError(path, _line(lines, key), str(error)) from None
    try:
        return World(**chosen)
    except WorldError as error:
        raise DataError(path, _line(lines, error.key), str(error)) from None


def _value(key: str, value: object, default: object) -> Any:
    """A value of a TOML file, converted to the type of the field of ``World``."""
    if key == "motives":
        if isinstance(value, dict) and all(_are_strings(pair) and len(pair) == 2 for pair in value.values()):
            return {motive: tuple(pair) for motive, pair in value.items()}
        raise InputError(f"{key} must be a table of motive = [place, object]")
    if isinstance(default, Mapping):
        if isinstance(value, dict) and _are_strings(list(value.values())):
            return value
        raise InputError(f"{key} must be a table of strings")
    if isinstance(value, list) and _are_strings(value):
        return tuple(value)
    raise InputError(f"{key} must be a list of strings")


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _line(lines: list[str], key: str) -> int | None:
    """The number of the line that defines a key or a table."""
    starts = (f"{key} ", f"{key}=", f"[{key}]", f'"{key}"')
    return next((number for number, line in enumerate(lines, 1) if line.strip().startswith(starts)), None)
