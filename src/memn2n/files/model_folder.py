"""Save a model to a folder and load it; a killed program loses neither the old model nor the new one.

A model consists of three files. ``model.safetensors`` holds the parameters, ``vocab.json`` the words, ``config.json``
the settings and the SHA-256 of the other two. A save takes three steps:

1. Write the three files to a temporary folder ``DIR/.saving-XXXX``.
2. Rename it to ``DIR/.saved``. From this moment on, the new model is the model of the folder.
3. Move the three files from ``DIR/.saved`` to ``DIR``, and remove ``DIR/.saved``.

A load looks for each file in ``DIR/.saved`` first. If the program is killed before step 2, a load finds the old model;
if it is killed later, a load finds the new one. The next save finishes step 3 and removes temporary folders. While
another process is in step 3, a load may read files of two saves. It notices that from the SHA-256, and reads again.

Other files in the folder are never touched. Loading never unpickles anything.
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
_SAVING, _SAVED = ".saving-", ".saved"
_READ_ATTEMPTS = 5  # how often a load reads files that do not belong together
_READ_PAUSE = 0.02  # seconds between two attempts

Tensors = dict[str, npt.NDArray[Any]]


class Words(Protocol):
    """The vocabulary of a model of any kind."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make the vocabulary that ``to_dict`` returned; raises ValueError for other values."""


V = TypeVar("V", bound=Words)


def prepare(folder: str | Path) -> Path:
    """Check that a model can be saved in a folder, so that a long training does not fail at its end.

    The folder is made if it does not exist.

    Raises:
        ModelError: if the folder cannot be made or written, or another program wrote its config.json.
    """
    folder = Path(folder)
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=_SAVING, dir=folder)).rmdir()
        for name in (WEIGHTS, VOCABULARY, CONFIG):
            if (folder / name).is_dir():
                raise ModelError(f"{folder / name} is a folder, but a model needs a file of this name; remove it")
    config = folder / CONFIG
    if config.exists():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.loads(config.read_bytes()).get("format") == FORMAT:
                return folder
        raise ModelError(f"{config} was not written by memn2n; choose another folder, or remove the file")
    return folder


def save_model(folder: str | Path, kind: str, config: dict[str, Any], vocabulary: Words, tensors: Tensors) -> None:
    """Save a model. An earlier model in the folder is replaced as a whole or not at all.

    Args:
        folder: the folder of the model; it is made if it does not exist.
        kind: what the model does: "qa" or "lm", or "lm training" for a checkpoint.
        config: the settings, as JSON values.
        vocabulary: its words.
        tensors: its parameters by name.

    Raises:
        ModelError: if the folder cannot be written, or another program wrote its config.json.
    """
    folder = prepare(folder)
    weights = safetensors.numpy.save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    files = {WEIGHTS: weights, VOCABULARY: _json(vocabulary.to_dict())}
    digests = {name: _digest(content) for name, content in files.items()}
    files[CONFIG] = _json({"format": FORMAT, "version": VERSION, "kind": kind, "sha256": digests} | config)
    with _file_errors(folder):
        _move_saved(folder)
        for left in folder.glob(f"{_SAVING}*"):  # from a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_SAVING, dir=folder))
        try:
            for name, content in files.items():
                write_whole(staging / name, content)
            staging.rename(folder / _SAVED)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        _move_saved(folder)


def has_model(folder: Path) -> bool:
    """Whether a folder has a model."""
    return any((place / CONFIG).is_file() for place in (folder, folder / _SAVED))


def kind_of(folder: str | Path) -> str:
    """Return the kind of the model in a folder, such as "qa" or "lm".

    Raises:
        ModelError: if there is no model, or another version of memn2n wrote it.
    """
    return str(_config(Path(folder)).get("kind"))


class _MixedError(ModelError):
    """The files do not belong together: they are damaged, or another process was saving while they were read."""


def load_model(folder: str | Path, kind: str, vocabulary: type[V]) -> tuple[dict[str, Any], V, Tensors]:
    """Load the config, vocabulary and tensors of a model that ``save_model`` wrote.

    Args:
        folder: the folder of the model.
        kind: the kind that it must have, such as "qa".
        vocabulary: the class of its vocabulary.

    Raises:
        ModelError: if there is no model, it has another kind or version, or its files are damaged.
    """
    for _ in range(_READ_ATTEMPTS - 1):
        with contextlib.suppress(_MixedError):
            return _load(Path(folder), kind, vocabulary)
        time.sleep(_READ_PAUSE)
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
            raise _MixedError(f"{folder / name} is damaged (its SHA-256 differs from the one in {CONFIG}); "
                              "train again, or copy the folder again")  # fmt: skip
    record = _parse(folder, VOCABULARY, content[VOCABULARY])
    try:
        words = vocabulary.from_dict(record)
    except ValueError:
        raise ModelError(f"{folder / VOCABULARY} is not a memn2n vocabulary; train again") from None
    try:
        return config, words, safetensors.numpy.load(content[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{folder / WEIGHTS} is not a safetensors file ({error}); train again") from None


def _config(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such model directory")
    config = _parse(folder, CONFIG, _read(folder, CONFIG))
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{folder / CONFIG} was not written by memn2n; name the folder that training wrote")
    if config.get("version") != VERSION:
        raise ModelError(f"{folder / CONFIG} has format version {config.get('version')!r}, but this memn2n reads "
                         f"version {VERSION}; use the memn2n that wrote it, or train again")  # fmt: skip
    return config


def _move_saved(folder: Path) -> None:
    """Move the files of a save to their final places: step 3, also of a save that was killed."""
    saved = folder / _SAVED
    if saved.is_dir():
        for path in list(saved.iterdir()):
            path.replace(folder / path.name)
        saved.rmdir()


def _read(folder: Path, name: str) -> bytes:
    for path in (folder / _SAVED / name, folder / name):
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
        raise ModelError(f"{folder} cannot be written: it or one of its parents is a file; name a folder") from None
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from None
