"""Read models of format version 2, which earlier versions of memn2n wrote.

Such a model has three files: ``config.json`` with the settings and the SHA-256 of the other two, ``vocab.json`` and
``model.safetensors``. A save moved them to their folder from its subfolder ``.saved``. If it was killed meanwhile,
some of them are still there, and these are the latest ones.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from memn2n.errors import ModelError, file_error
from memn2n.files.model_file import FORMAT, Arrays, damaged, foreign, read_arrays
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG, _VOCABULARY, _WEIGHTS = "config.json", "vocab.json", "model.safetensors"
_SAVED, _SAVING = ".saved", ".saving-*"  # the second one is what a kill early in a save left behind
_HEAD = ("format", "version", "kind", "sha256")  # what config.json has beside the settings
_VERSION = 2


def has_version_2(folder: Path) -> bool:
    """Whether a folder has files of version 2; a model of a later version beside them is newer than they are."""
    return (folder / _SAVED).is_dir() or (folder / _VOCABULARY).is_file()


def read_version_2(folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Return a model's record, with the keys kind, config and vocabulary, and its arrays.

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
    for name in (_VOCABULARY, _WEIGHTS):
        found = hashlib.sha256(_bytes(folder, name)).hexdigest()
        if not isinstance(digests, dict) or digests.get(name) != found:
            raise damaged(_path(folder, name), f"its SHA-256 differs from the one in {_CONFIG}")
    settings = {name: value for name, value in config.items() if name not in _HEAD}
    record = {"kind": config.get("kind"), "config": settings, "vocabulary": _json(folder, _VOCABULARY)}
    return record, read_arrays(_path(folder, _WEIGHTS))


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


def _bytes(folder: Path, name: str) -> bytes:
    path = _path(folder, name)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{folder} is not a memn2n model directory: it has no {name}") from None
    except OSError as error:
        raise file_error(error, path, "cannot be read", ModelError) from None


def _json(folder: Path, name: str) -> Any:
    content = _bytes(folder, name)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise damaged(_path(folder, name), "it is not JSON") from None
