"""Read models of format version 2, which earlier versions of memn2n wrote.

Such a model has three files: ``config.json`` with the settings and the SHA-256 of the other two, ``vocab.json`` and
``model.safetensors``. A save moved them to their folder from its subfolder ``.saved``. If it was killed meanwhile,
some of them are still there, and these are the latest ones.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from memn2n.errors import MemN2NError, ModelError, file_error
from memn2n.files.model_file import FORMAT, Arrays, StoredModel, damaged, foreign, open_arrays
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONFIG, _VOCABULARY, _WEIGHTS = "config.json", "vocab.json", "model.safetensors"
_SAVED, _SAVING = ".saved", ".saving-*"  # the second one is what a kill early in a save left behind
_HEAD = ("format", "version", "kind", "sha256")  # what config.json has beside the settings
_VERSION = 2


def has_version_2(folder: Path) -> bool:
    """Whether a folder has files of version 2; a model of a later version beside them is newer than they are."""
    return (folder / _SAVED).is_dir() or (folder / _VOCABULARY).is_file()


@contextmanager
def open_version_2(folder: Path) -> Iterator[StoredModel]:
    """Open a model; arrays take no memory before they are read.

    Raises:
        ModelError: if a file is missing, damaged, or was not written by memn2n.
    """
    config = _json(folder, _CONFIG)
    path = _path(folder, _CONFIG)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise foreign(path)
    if config.get("version") != _VERSION:
        raise ModelError(f"{path} has format version {quoted(config.get('version'))}, which this memn2n cannot read; "
                         "use the memn2n that wrote it, or train again")  # fmt: skip
    digests = config.get("sha256")

    def check(name: str) -> None:
        try:
            with _path(folder, name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(folder, name, error) from None
        if not isinstance(digests, dict) or digests.get(name) != found:
            raise damaged(_path(folder, name), f"its SHA-256 differs from the one in {_CONFIG}")

    check(_VOCABULARY)
    settings = {name: value for name, value in config.items() if name not in _HEAD}
    record = {"kind": config.get("kind"), "config": settings, "vocabulary": _json(folder, _VOCABULARY)}
    if not _path(folder, _WEIGHTS).exists():
        raise _unreadable(folder, _WEIGHTS, FileNotFoundError())
    with open_arrays(_path(folder, _WEIGHTS)) as (layout, read):

        def arrays() -> Arrays:
            check(_WEIGHTS)
            return read()

        yield StoredModel(record, layout, arrays)


def remove_version_2(folder: Path) -> None:
    """Remove the files of version 2, except those that a model of a later version replaces."""
    with suppress(ModelError, AttributeError):
        if _json(folder, _CONFIG).get("version") == _VERSION:
            (folder / _VOCABULARY).unlink(missing_ok=True)
    for left in (folder / _SAVED, *folder.glob(_SAVING)):
        shutil.rmtree(left, ignore_errors=True)


def _path(folder: Path, name: str) -> Path:
    saved = folder / _SAVED / name
    return saved if saved.exists() else folder / name


def _unreadable(folder: Path, name: str, error: OSError) -> MemN2NError:
    if isinstance(error, FileNotFoundError):
        return ModelError(f"{folder} is not a memn2n model directory: it has no {name}")
    return file_error(error, _path(folder, name), "cannot be read", ModelError)


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads(_path(folder, name).read_bytes())
    except OSError as error:
        raise _unreadable(folder, name, error) from None
    except (ValueError, RecursionError):
        raise damaged(_path(folder, name), "it is not JSON") from None
