"""The base class of settings: frozen dataclasses that check their values and know their documentation.

A setting is written once, as a field with a docstring under it. The option of the command line, its help and the
table in docs/settings.md are derived from there.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

from memn2n.errors import ConfigError, Setting
from memn2n.terminal import quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LARGEST = 1e30  # well inside float32


@dataclass(frozen=True)
class Range:
    """Smallest and largest value of a number, written beside its type: ``Annotated[int, Range(1, 64)]``."""

    low: float
    high: float
    above: bool = False  # whether values must be above ``low``

    def __str__(self) -> str:
        return f"{f'above {self.low}, and at most' if self.above else f'from {self.low} to'} {self.high}"

    def check(self, name: str, value: float) -> None:
        """Raise ConfigError unless a value is in the range."""
        if not self.low <= value <= self.high or (self.above and value == self.low):  # also refuses nan
            raise ConfigError(Setting(name), f" is {quoted(value)}: it must be {self}")


POSITIVE = Range(0, LARGEST, above=True)


class Settings:
    """Base class of settings. Types, choices and ranges are checked when an object is made.

    An integer that is given for a setting of type float becomes a float.
    """

    def __post_init__(self) -> None:
        hints = _type_hints(type(self))  # type: ignore[arg-type]
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            _check_value(field.name, value, hints[field.name])
            if type(value) is int and float in _kinds(hints[field.name]):  # a library may refuse large integers
                object.__setattr__(self, field.name, float(value))
        self.check()

    def check(self) -> None:
        """Raise ConfigError if two settings contradict each other."""

    def changed(self, values: Mapping[str, Any]) -> Self:
        """A copy with other values. Names in ``values`` that are not settings of this class are ignored.

        Raises:
            ConfigError: for a value of the wrong type or range.
        """
        own = {field.name: values[field.name] for field in fields(self) if field.name in values}  # type: ignore[arg-type]
        return replace(self, **own)  # type: ignore[type-var]

    def summary(self) -> str:
        """The settings whose values are not the defaults, such as ``dim=30, hops=4``; "defaults" if there are none."""
        values = [(field.name, getattr(self, field.name), field.default) for field in fields(self)]  # type: ignore[arg-type]
        return ", ".join(f"{name}={value}" for name, value, default in values if value != default) or "defaults"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, complete: bool = False) -> Self:
        """Make settings from parsed JSON or TOML.

        Args:
            values: the value of each setting.
            complete: whether every setting must be given; otherwise the missing ones have their defaults.

        Raises:
            ConfigError: for an unknown or missing setting, or a value of the wrong type or range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        for name in values:
            if name not in known:
                raise ConfigError(
                    Setting(shortened(name)), f" is not a setting; the settings are {', '.join(sorted(known))}"
                )
        missing = sorted(known - values.keys())
        if complete and missing:
            raise ConfigError(f"{', '.join(missing)} is missing")
        return cls(**values)


@dataclass(frozen=True)
class DocumentedSetting:
    """What help and documentation say about one setting."""

    name: str  # in Python, such as ``batch_size``
    hint: Any  # the type, with its range if it has one
    default: Any
    text: str  # the docstring of the field, in one line

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        sentence, dot, _ = self.text.partition(". ")
        return sentence + dot.rstrip()


def documented_settings(config: type[Settings]) -> list[DocumentedSetting]:
    """The settings of a dataclass, in the order of its fields, with the docstrings from its source."""
    hints, texts = _type_hints(config), _field_docstrings(config)  # type: ignore[arg-type]
    return [
        DocumentedSetting(field.name, hints[field.name], field.default, texts.get(field.name, ""))
        for field in fields(config)  # type: ignore[arg-type]
    ]


def check_type(name: str, value: object, kind: type, instead: str = "") -> None:
    """Raise ConfigError unless a value is None or of a type.

    Args:
        name: the name of the setting or argument.
        value: the value.
        kind: the type.
        instead: an example of what to give, for the message.
    """
    if value is not None and not _is_of(value, kind):
        remedy = f", such as {instead}" if instead else ""
        raise ConfigError(Setting(name), f" is {quoted(value)}: it must be of type {kind.__name__}{remedy}")


def check_whole(name: str, value: object, least: int) -> None:
    """Raise ConfigError unless a value is an integer, and at least ``least``."""
    if not _is_of(value, int):
        raise ConfigError(Setting(name), f" is {quoted(value)}: it must be of type int")
    if value < least:  # type: ignore[operator]
        raise ConfigError(Setting(name), f" is {quoted(value)}: it must be {least} or more")


def _is_of(value: object, kind: type) -> bool:
    """Whether a value is of a type. Every integer, also one of NumPy, is an int; a truth value is not."""
    return isinstance(value, Integral) and not isinstance(value, bool) if kind is int else isinstance(value, kind)


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise ConfigError unless a value is one of the choices."""
    choices = tuple(choices)
    if value not in choices:
        raise ConfigError(Setting(name), f" is {quoted(value)}: it must be one of {', '.join(choices)}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless ``low`` <= value <= ``high``."""
    Range(low, high).check(name, value)


@cache
def _type_hints(config: type) -> dict[str, Any]:
    return get_type_hints(config, include_extras=True)


def _field_docstrings(config: type) -> dict[str, str]:
    """The docstring under each field of a dataclass and of its base classes. Python itself does not keep them."""
    texts: dict[str, str] = {}
    for cls in filter(is_dataclass, reversed(config.__mro__)):
        for field, below in pairwise(_class_bodies(cls.__module__).get(cls.__qualname__, [])):
            match field, below:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    texts[name] = " ".join(text.split())
    return texts


@cache
def _class_bodies(module: str) -> dict[str, list[ast.stmt]]:
    """The bodies of a module's top-level classes. ``inspect.getsource`` of each class would parse the module again."""
    return {node.name: node.body for node in ast.parse(inspect.getsource(sys.modules[module])).body
            if isinstance(node, ast.ClassDef)}  # fmt: skip


def _kinds(hint: Any) -> tuple[type, ...]:
    """The types that a hint allows, such as float and None for ``Annotated[float | None, POSITIVE]``."""
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return get_args(kind) or (kind,)


def _check_value(name: str, value: Any, hint: Any) -> None:
    if get_origin(hint) is Literal:
        check_choice(name, value, get_args(hint))
        return
    ranges = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    kinds = _kinds(hint)
    if type(value) not in kinds and not (float in kinds and type(value) is int):
        names = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigError(Setting(name), f" is {quoted(value)}: it must be of type {names}")
    for allowed in ranges:
        if value is not None:
            allowed.check(name, value)
