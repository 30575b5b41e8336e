"""Settings, as frozen dataclasses: one for the network, one for its training.

Where the paper and its official code differ, the defaults are the official code, which answers better;
``variant`` gives either. docs/qa.md lists the differences.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from memn2n.errors import ConfigError, Setting

LARGEST = 1e30  # well inside float32


class Settings:
    """What both settings share: types and choices are checked when they are made."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):  # type: ignore[arg-type]
            _check_type(field.name, getattr(self, field.name), hints[field.name])
        self.check()

    def check(self) -> None:
        """Raise ConfigError if a value is out of range, or two settings contradict each other."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, complete: bool = False) -> Self:
        """Settings from parsed JSON or TOML.

        Args:
            values: setting -> value.
            complete: whether every setting must be there; otherwise the others are left at their defaults.

        Raises:
            ConfigError: for a key that does not exist, a missing one, or a value of the wrong type or range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        for name in values:
            if name not in known:
                raise ConfigError(Setting(name), f" is not a setting; there are: {', '.join(sorted(known))}")
        missing = sorted(known - values.keys())
        if complete and missing:
            raise ConfigError(f"{', '.join(missing)} is missing")
        return cls(**values)


def _check_type(name: str, value: object, hint: Any) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(Setting(name), f" is {value!r}: it must be one of {', '.join(get_args(hint))}")
        return
    kinds = get_args(hint) or (hint,)  # float | None
    if float in kinds and type(value) is int:
        return
    if type(value) not in kinds:
        names = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigError(Setting(name), f" is {value!r}: it must be of type {names}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless ``low`` <= value <= ``high``."""
    if not low <= value <= high:  # also refuses nan
        raise ConfigError(Setting(name), f" is {value}: it must be from {low} to {high}")


def check_positive(name: str, value: float) -> None:
    """Raise ConfigError unless a value is above 0 and well inside float32."""
    if not 0 < value <= LARGEST:
        raise ConfigError(Setting(name), f" is {value}: it must be above 0, and at most {LARGEST:g}")
