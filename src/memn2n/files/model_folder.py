"""A model is a directory: model.safetensors, vocab.json and config.json, written so that a kill loses nothing.

The three files are first written to a folder ``DIR/.saving-...``. One rename to ``DIR/.saved`` makes the save valid;
then they are moved to their places. Whoever finds a ``.saved`` folder looks there first, so that after a kill at any
moment either the old three files or the new ones are read. Other files in the directory are never touched. Nothing is
ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from memn2n.errors import ModelError
from memn2n.files.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "memn2n"
VERSION = 2

CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocab.json", "model.safetensors"
_FILES = (WEIGHTS, VOCABULARY, CONFIG)
_SAVING = ".saving-"
_READ_TRIES = 5

Tensors = dict[str, npt.NDArray[Any]]


class Words(Protocol):
    """A vocabulary, of whatever model."""

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which ``from_dict`` makes the same vocabulary."""

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make what ``to_dict`` recorded, or raise ValueError."""


V = TypeVar("V", bound=Words)


def prepare(folder: str | Path) -> Path:
    """Make sure that a model can be saved here, before it has been trained at length.

    Raises:
        ModelError: if the folder cannot be made or written, or its config.json is another program's.
    """
    folder = Path(folder)
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _staging(folder).rmdir()
        for name in _FILES:
            if (folder / name).is_dir():
                raise ModelError(f"{folder / name} is a folder, and in the way of a model's file; remove it")
    config = folder / CONFIG
    if config.exists():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.loads(config.read_bytes()).get("format") == FORMAT:
                return folder
        raise ModelError(f"{config} is not a memn2n model's; choose another folder, or remove the file")
    return folder


def save_model(folder: str | Path, kind: str, config: dict[str, Any], vocabulary: Words, tensors: Tensors) -> None:
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
    words = _json(vocabulary.to_dict())
    digests = {WEIGHTS: _digest(weights), VOCABULARY: _digest(words)}
    header = {"format": FORMAT, "version": VERSION, "kind": kind, "sha256": digests}
    with _file_errors(folder):
        _settle(folder)
        for left in folder.glob(f"{_SAVING}*"):  # by a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        staging = _staging(folder)
        try:
            for name, content in ((WEIGHTS, weights), (VOCABULARY, words), (CONFIG, _json(header | config))):
                write_whole(staging / name, content)
            staging.rename(folder / ".saved")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        _settle(folder)


def has_model(folder: Path) -> bool:
    """Whether a save into a folder was ever made valid; a kill in the first one leaves none."""
    return any((place / CONFIG).is_file() for place in (folder, folder / ".saved"))


def kind_of(folder: str | Path) -> str:
    """What the model in a folder does: "qa" or "lm".

    Raises:
        ModelError: if there is none, or it is of another version.
    """
    return str(_config(Path(folder)).get("kind"))


class _MixedError(ModelError):
    """The files are not of one save: damaged, or read while another process was saving."""


def load_model(folder: str | Path, kind: str, vocabulary: type[V]) -> tuple[dict[str, Any], V, Tensors]:
    """Read a model that ``save_model`` wrote.

    Args:
        folder: where it is.
        kind: what it must do, such as "qa".
        vocabulary: the class of that kind's vocabulary.

    Returns:
        Its config, vocabulary and tensors.

    Raises:
        ModelError: if there is none, it is of another kind or version, or its files are damaged.
    """
    for _ in range(_READ_TRIES - 1):
        with contextlib.suppress(_MixedError):
            return _load(Path(folder), kind, vocabulary)
        time.sleep(0.02)
    return _load(Path(folder), kind, vocabulary)


def _load(folder: Path, kind: str, vocabulary: type[V]) -> tuple[dict[str, Any], V, Tensors]:
    config = _config(folder)
    if config.get("kind") != kind:
        raise ModelError(f"{folder} holds a model of kind {config.get('kind')!r}, not {kind!r}")
    digests = config.get("sha256")
    content = {}
    for name in (VOCABULARY, WEIGHTS):
        content[name] = _read(folder, name)
        if not isinstance(digests, dict) or digests.get(name) != _digest(content[name]):
            raise _MixedError(f"{folder / name} is damaged (its SHA-256 is not the one in {CONFIG}); "
                              "train again, or copy the folder again")  # fmt: skip
    record = _parse(folder, VOCABULARY, content[VOCABULARY])
    try:
        words = vocabulary.from_dict(record)
    except ValueError:
        raise ModelError(f"{folder / VOCABULARY} is not a memn2n vocabulary; train again") from None
    try:
        tensors = safetensors.numpy.load(content[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{folder / WEIGHTS} is not a safetensors file ({error}); train again") from None
    return config, words, tensors


def _config(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such model directory")
    config = _parse(folder, CONFIG, _read(folder, CONFIG))
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{folder / CONFIG} is not a memn2n model's; name the folder that training wrote")
    if config.get("version") != VERSION:
        raise ModelError(f"{folder / CONFIG}: format version {config.get('version')!r}, but this memn2n reads "
                         f"{VERSION}; take the memn2n that wrote it, or train again")  # fmt: skip
    return config


def _staging(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_SAVING, dir=folder))


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
def _file_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise ModelError(f"{folder} cannot be written: a file is in the way; name a folder") from None
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from None
