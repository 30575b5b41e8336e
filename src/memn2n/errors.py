"""The package's exceptions. Each message says what is wrong, where, and what to do about it.

MemN2NError            any failure: exit status 1
  InputError           bad input: exit status 2
    ConfigError        a setting
    DataError          a data file
    ModelError         the folder of a model
  TrainingError        a training without result
  DownloadError        a download
  StorageError         a disk that is full or broken
DataWarning            part of the data is not used
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["ConfigError", "DataError", "DataWarning", "DownloadError", "InputError", "MemN2NError", "ModelError",
           "Setting", "StorageError", "TrainingError"]  # fmt: skip

_WRONG_PATH = {
    getattr(errno, name)
    for name in ("EACCES", "EEXIST", "EINVAL", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENODEV", "ENOENT", "ENOTDIR",
                 "ENOTEMPTY", "ENXIO", "EPERM", "EROFS", "ETXTBSY")
    if hasattr(errno, name)
}  # fmt: skip


class MemN2NError(Exception):
    """Base class of the exceptions that this package raises on purpose.

    ``exit_status`` is the exit status of the command line: 1 for a failure, 2 for bad input.

    Args:
        parts: the message in pieces. Each name of a setting is a piece of its own, a ``Setting``.

    >>> ConfigError(Setting("batch_size"), " is 0: it must be 1 or more").spelled(lambda name: "--batch-size")
    '--batch-size is 0: it must be 1 or more'
    """

    exit_status = 1

    def __init__(self, *parts: str) -> None:
        super().__init__("".join(parts))
        self.parts = parts

    def spelled(self, spell: Callable[[str], str]) -> str:
        """The message, in which ``spell`` replaces each name of a setting, for example by the name of its option."""
        return "".join(spell(part) if isinstance(part, Setting) else part for part in self.parts)


class InputError(MemN2NError, ValueError):
    """An argument, file or option cannot be used; the message names the remedy."""

    exit_status = 2


class Setting(str):
    """The name of a setting in the message of an exception. The command line prints its option instead."""

    __slots__ = ()


class ConfigError(InputError):
    """A setting is out of range, or contradicts another setting."""


class DataError(InputError):
    """A data file is missing, empty or malformed; the message starts with ``file:line``.

    Args:
        path: the file, or a name for a stream (``<stdin>``).
        line: the line, counted from 1; None if the error is not in a particular line.
        message: what is wrong, and the remedy.
    """

    def __init__(self, path: str | Path, line: int | None, message: str) -> None:
        super().__init__(f"{path}: {message}" if line is None else f"{path}:{line}: {message}")
        self.path = str(path)
        self.line = line


class ModelError(InputError):
    """The folder of a model is missing, damaged, of another program or of another version."""


class TrainingError(MemN2NError):
    """Training failed: every restart diverged."""


class DownloadError(MemN2NError):
    """A download failed, or the downloaded file is not the expected one."""


class StorageError(MemN2NError):
    """A file cannot be read or written although its path is right: the disk is full or broken, a limit is reached."""


def is_failure(error: OSError) -> bool:
    """Whether an OSError is a failure of the machine, such as a full disk. Otherwise another path is the remedy."""
    return error.errno is not None and error.errno not in _WRONG_PATH


def file_error(error: OSError, path: str | Path, problem: str, kind: type[InputError]) -> MemN2NError:
    """Return the exception to raise for an OSError.

    Args:
        error: what happened.
        path: the file or folder.
        problem: what it could not do, such as "cannot be written".
        kind: the class of the exception if the path is wrong. It is StorageError if the machine failed.
    """
    message = f"{problem}: {error.strerror or error}"
    if is_failure(error):
        return StorageError(f"{path} {message}")
    return kind(path, None, message) if issubclass(kind, DataError) else kind(f"{path} {message}")


class DataWarning(UserWarning):
    """Part of the data is not used; the message says which part, and why."""
