"""A model is a directory: model.safetensors, vocab.json and config.json, written so that a kill loses nothing.

The three files are first written to ``DIR/.saving``. One rename to ``DIR/.saved`` makes the save valid; then they are
moved to their places. Whoever finds a ``.saved`` folder looks there first, so that at any moment either the old
three files or the new ones are read. Other files in the directory are never touched. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from memn2n.errors import ModelError
from memn2n.text import Vocabulary

FORMAT = "memn2n"
VERSION = 1

CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocab.json", "model.safetensors"
_FILES = (WEIGHTS, VOCABULARY, CONFIG)

Tensors = dict[str, npt.NDArray[Any]]


def prepare(folder: str | Path) -> Path:
    """Make sure that a model can be saved here, before it has been trained at length.

    Raises:
        ModelError: if the folder cannot be made or written, or its config.json is another program's.
    """
    folder = Path(folder)
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".saving"
        shutil.rmtree(probe, ignore_errors=True)
        probe.mkdir()
        probe.rmdir()
    config = folder / CONFIG
    if config.exists():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.loads(config.read_bytes()).get("format") == FORMAT:
                return folder
        raise ModelError(f"{config} is not a memn2n model's; choose another folder, or remove the file")
    return folder


def save_model(folder: str | Path, kind: str, config: dict[str, Any], vocabulary: Vocabulary, tensors: Tensors) -> None:
    """Save a model; an earlier model in the folder is replaced as a whole or not at all.

    Args:
        folder: made where it does not exist.
        kind: what the model does, such as "qa".
        config: JSON values.
        vocabulary: its words.
        tensors: parameters by name.

    Raises:
        ModelError: if the folder cannot be written, or its config.json is another program's.
    """
    folder = prepare(folder)
    weights = safetensors.numpy.save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    words = _json({"lowercase": vocabulary.lowercase, "words": vocabulary.words})
    digests = {WEIGHTS: _digest(weights), VOCABULARY: _digest(words)}
    header = {"format": FORMAT, "version": VERSION, "kind": kind, "sha256": digests}
    with _file_errors(folder):
        _settle(folder)
        staging = folder / ".saving"
        try:
            staging.mkdir()
            for name, content in ((WEIGHTS, weights), (VOCABULARY, words), (CONFIG, _json(header | config))):
                _write(staging / name, content)
            staging.rename(folder / ".saved")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        _settle(folder)


def load_model(folder: str | Path, kind: str) -> tuple[dict[str, Any], Vocabulary, Tensors]:
    """Read a model that ``save_model`` wrote.

    Returns:
        Its config, vocabulary and tensors.

    Raises:
        ModelError: if there is none, it is of another kind or version, or its files are damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such model directory")
    config = _parse(folder, CONFIG, _read(folder, CONFIG))
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{folder / CONFIG} is not a memn2n model's; name the folder that training wrote")
    if config.get("version") != VERSION:
        raise ModelError(f"{folder / CONFIG}: format version {config.get('version')!r}, but this memn2n reads "
                         f"{VERSION}; take the memn2n that wrote it, or train again")  # fmt: skip
    if config.get("kind") != kind:
        raise ModelError(f"{folder} holds a model of kind {config.get('kind')!r}, not {kind!r}")
    digests = config.get("sha256")
    content = {}
    for name in (VOCABULARY, WEIGHTS):
        content[name] = _read(folder, name)
        if not isinstance(digests, dict) or digests.get(name) != _digest(content[name]):
            raise ModelError(f"{folder / name} is damaged (its SHA-256 is not the one in {CONFIG}); "
                             "train again, or copy the folder again")  # fmt: skip
    words = _parse(folder, VOCABULARY, content[VOCABULARY])
    try:
        if not isinstance(words["lowercase"], bool) or not all(isinstance(word, str) for word in words["words"]):
            raise TypeError
        vocabulary = Vocabulary(tuple(words["words"]), words["lowercase"])
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"{folder / VOCABULARY} is not a memn2n vocabulary; train again") from None
    try:
        tensors = safetensors.numpy.load(content[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{folder / WEIGHTS} is not a safetensors file ({error}); train again") from None
    return config, vocabulary, tensors


def _settle(folder: Path) -> None:
    """Move the files of a save that became valid to their places."""
    saved = folder / ".saved"
    if not saved.is_dir():
        return
    for name in _FILES:
        if (saved / name).exists():
            (saved / name).replace(folder / name)
    saved.rmdir()


def _read(folder: Path, name: str) -> bytes:
    for path in (folder / ".saved" / name, folder / name):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    raise ModelError(f"{folder} is not a memn2n model directory: it has no {name}")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _parse(folder: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ModelError(f"{folder / name} is damaged: it is not JSON; train again") from None


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _file_errors(folder: Path) -> Any:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from None
