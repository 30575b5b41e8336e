"""The package's exceptions: each message says what is wrong, where, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["ConfigError", "DataError", "DataWarning", "DownloadError", "InputError", "MemN2NError", "ModelError",
           "Setting", "TrainingError"]  # fmt: skip


class MemN2NError(Exception):
    """Base of every exception that this package raises on purpose.

    ``exit_status`` is what the command line exits with: 1 for a failure, 2 for bad input.
    """

    exit_status = 1


class InputError(MemN2NError, ValueError):
    """What the caller gave cannot be used; the message names the remedy."""

    exit_status = 2


class Setting(str):
    """The name of a setting in the message of a ConfigError; the command line writes it as its option."""

    __slots__ = ()


class ConfigError(InputError):
    """A setting is out of range, or contradicts another one.

    Args:
        parts: the message in pieces. The names of settings are pieces of their own, each a ``Setting``.

    >>> ConfigError(Setting("batch_size"), " is 0: it must be 1 or more").spelled(lambda name: "--batch-size")
    '--batch-size is 0: it must be 1 or more'
    """

    def __init__(self, *parts: str) -> None:
        super().__init__("".join(parts))
        self.parts = parts

    def spelled(self, spell: Callable[[str], str]) -> str:
        """The message with ``spell`` of each setting's name, such as its option on the command line."""
        return "".join(spell(part) if isinstance(part, Setting) else part for part in self.parts)


class DataError(InputError):
    """A data file is missing, empty or malformed; the message starts with ``file:line``.

    Args:
        path: the file, or a name for a stream (``<stdin>``).
        line: the line, counted from 1; ``None`` when the whole file is meant.
        message: what is wrong, and the remedy.
    """

    def __init__(self, path: str | Path, line: int | None, message: str) -> None:
        super().__init__(f"{path}: {message}" if line is None else f"{path}:{line}: {message}")
        self.path = str(path)
        self.line = line


class ModelError(InputError):
    """A model directory is missing, damaged, foreign or of another version."""


class TrainingError(MemN2NError):
    """Training failed: every restart diverged."""


class DownloadError(MemN2NError):
    """A download failed, or what arrived is not what was asked for."""


class DataWarning(UserWarning):
    """Part of the data was left out; the message says which part and why."""
