"""Save a model to a folder and load it; a killed program loses neither the old model nor the new one.

A model is one file, ``model.safetensors``, which a save replaces atomically. Beside it is ``config.json``, a copy of
the settings for people and for model hubs. It is never read to load a model. After a kill it may be missing, but it is
never that of another model.

Other files in the folder are never touched, except for those of a model of format version 2.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, overload

from memn2n.errors import ModelError, file_error
from memn2n.files.folder_lock import locked
from memn2n.files.model_file import (
    FORMAT,
    VERSION,
    Arrays,
    Layout,
    damaged,
    is_model,
    json_text,
    layout_of,
    model_file,
    open_model,
    read_record,
)
from memn2n.files.model_version_2 import has_version_2, open_version_2, remove_version_2
from memn2n.files.whole_file import whole_files, write_whole
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_SECONDS_TO_WAIT = 10.0  # for another save, which takes some seconds for a large model
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)  # of records and arrays
_USE = {
    "qa": "a question answering model: memn2n qa ask {}, or StoryQA.load",
    "lm": "a language model: memn2n lm next {}, or MemoryLM.load",
    "lm training": "the checkpoint of a language model; memn2n lm train --resume continues the training in its parent",
    "lstm": "the LSTM of memn2n reproduce ptb, which only that command reads",
}
"""What a model of each kind is, and what reads it; ``{}`` stands for its folder."""


class Words(Protocol):
    """The vocabulary of a model of any kind."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make the vocabulary that ``to_dict`` returned; raises ValueError for other values."""


class Record(Protocol):
    """The settings of a model of any kind."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""


V = TypeVar("V", bound=Words)
R = TypeVar("R")


@contextlib.contextmanager
def hold_folder(folder: str | Path, *, wait: float = 0.0) -> Iterator[Path]:
    """Hold the lock of a folder in which a model can be saved, so that a long training does not fail at its end.

    The folder is made if it does not exist; if nothing was written to it, it is removed again at the end.

    Args:
        folder: the folder of the model.
        wait: seconds to wait while another process or thread writes to the folder.

    Raises:
        ModelError: if the folder cannot be made or written, or another program wrote one of the files to replace.
        InputError: if another process or thread writes to the folder.
    """
    folder = Path(folder)
    with contextlib.ExitStack() as stack:
        with _file_errors(folder):
            stack.enter_context(locked(folder, wait=wait))
        _check_ours(folder)
        yield folder


def _check_ours(folder: Path) -> None:
    config, weights = folder / CONFIG, folder / WEIGHTS
    with _file_errors(folder):
        for path in (config, weights):
            if path.is_dir():
                raise ModelError(f"{path} is a folder, but a model needs a file of this name; remove it")
    if config.exists():
        other = None if _is_our_config(config) else config
    else:  # a kill before the copy was written, or another program's weights
        ours = not weights.exists() or is_model(weights) or (folder / ".saved").is_dir()  # of a killed version 2 save
        other = None if ours else weights
    if other is not None:
        raise ModelError(f"{other} was not written by memn2n; choose another folder, or remove the file")


def save_model(
    folder: str | Path, kind: str, config: dict[str, Any], vocabulary: V, tensors: Arrays,
    read: Callable[[dict[str, Any], V, Layout], Record] | None = None,
) -> None:  # fmt: skip
    """Save a model. An earlier model in the folder is replaced as a whole or not at all.

    If another process or thread saves to the folder, this waits up to ten seconds.

    Args:
        folder: the folder of the model; it is made if it does not exist.
        kind: what the model does: "qa" or "lm", or "lm training" for a checkpoint.
        config: the settings, as JSON values.
        vocabulary: its words.
        tensors: its parameters by name.
        read: the function that ``load_model`` will get. It is called before anything is written, so that no model
            replaces an earlier one and then cannot be loaded.

    Raises:
        ModelError: if ``read`` refuses the model or would change it, the folder cannot be written, another program
            wrote one of the files to replace, an array holds NaN or infinity, or the vocabulary is too large.
        InputError: if another process or thread writes to the folder for a longer time, such as a training.
    """
    folder = Path(folder)
    record = {"kind": kind, "config": config, "vocabulary": vocabulary.to_dict()}
    try:
        stored = json.loads(json_text(record))
        words = type(vocabulary).from_dict(stored["vocabulary"])
        if json_text(words.to_dict()) != json_text(record["vocabulary"]):
            raise ValueError("a word of its vocabulary would be read as another one")
        if read is not None:
            found = read(stored["config"], words, layout_of(tensors))
            if json_text(found.to_dict()) != json_text(config):
                raise ValueError("its settings would be read as other ones")
    except _UNUSABLE as error:
        raise ModelError(f"{folder}: this model is not saved, because it could not be loaded ({error})") from None
    content = model_file(folder / WEIGHTS, record, tensors)
    head = {"format": FORMAT, "version": VERSION, "kind": kind}
    copy = json_text(head | config | head, indent=1)
    with hold_folder(folder, wait=_SECONDS_TO_WAIT), _file_errors(folder):
        if has_version_2(folder):  # its config.json is part of the model, which a kill must not lose
            write_whole(folder / WEIGHTS, content)
        remove_version_2(folder)
        with whole_files(folder / WEIGHTS, folder / CONFIG) as (weights_file, config_file):
            weights_file.write(content)
            config_file.write(f"{copy}\n".encode())


def has_model(folder: Path) -> bool:
    """Whether a folder has a model."""
    return (folder / WEIGHTS).is_file() or has_version_2(folder)


def kind_of(folder: str | Path) -> str:
    """Return the kind of the model in a folder, such as "qa" or "lm".

    Raises:
        ModelError: like ``load_model``, except that the arrays are not checked.
    """
    return str(_record(Path(folder))["kind"])


def config_of(folder: str | Path) -> dict[str, Any]:
    """Return the settings of the model in a folder; the errors are those of ``kind_of``."""
    config: dict[str, Any] = _record(Path(folder))["config"]
    return config


@overload
def load_model(folder: str | Path, kind: str, vocabulary: type[V]) -> tuple[dict[str, Any], V, Arrays]: ...


@overload
def load_model(
    folder: str | Path, kind: str, vocabulary: type[V], read: Callable[[dict[str, Any], V, Layout], R]
) -> tuple[R, V, Arrays]: ...


def load_model(
    folder: str | Path, kind: str, vocabulary: type[V], read: Callable[[dict[str, Any], V, Layout], Any] | None = None
) -> tuple[Any, V, Arrays]:
    """Load the settings, vocabulary and tensors of a model that ``save_model`` wrote.

    Another process may save to the folder at the same time; this returns the earlier model or the new one.

    Args:
        folder: the folder of the model.
        kind: the kind that it must have, such as "qa".
        vocabulary: the class of its vocabulary.
        read: makes the settings from their JSON values, and checks them against the vocabulary and the layout of the
            tensors, before these take memory. What it raises becomes a ModelError; a ModelError names its own remedy.
            By default the settings are their JSON values, unchecked.

    Returns:
        The settings, the vocabulary, and the tensors, which are writable and share no memory with anything else.

    Raises:
        ModelError: if there is no model, it has another kind or version, ``read`` refuses it, it is damaged, or an
            array holds NaN or infinity.
    """
    folder = Path(folder)
    older = _model_in(folder) is None
    try:
        return _load(folder, kind, vocabulary, read)
    except ModelError:
        if not (older and is_model(folder / WEIGHTS)):
            raise
        return _load(folder, kind, vocabulary, read)  # a save has just replaced the model of version 2


def _load(
    folder: Path, kind: str, vocabulary: type[V], read: Callable[[dict[str, Any], V, Layout], Any] | None
) -> tuple[Any, V, Arrays]:
    path = _model_in(folder)
    with open_version_2(folder) if path is None else open_model(path) as stored:
        found = stored.record["kind"]
        if found != kind:
            use = f": it is {_USE[str(found)].format(folder)}" if str(found) in _USE else ""
            raise ModelError(f"{folder} holds a model of kind {quoted(found)}, not {quoted(kind)}{use}")
        try:
            words = vocabulary.from_dict(stored.record.get("vocabulary"))
        except ValueError:
            raise damaged(folder / WEIGHTS, "its vocabulary is not one of memn2n") from None
        try:
            config = stored.record["config"]
            settings = config if read is None else read(config, words, stored.layout)
        except ModelError as error:
            raise ModelError(f"{folder}: {error}") from None
        except _UNUSABLE as error:
            raise ModelError(f"{folder}: the model cannot be used ({error}); train again") from None
        return settings, words, stored.arrays()


def _record(folder: Path) -> dict[str, Any]:
    path = _model_in(folder)
    if path is not None:
        return read_record(path)
    with open_version_2(folder) as stored:
        return stored.record


def _model_in(folder: Path) -> Path | None:
    """Return the path of the model's file, or None if the folder has a model of version 2."""
    path = folder / WEIGHTS
    try:
        if folder.is_file():
            raise ModelError(f"{folder} is a file; name its folder, {folder.parent}")
        if not folder.is_dir():
            raise ModelError(f"{folder}: there is no such model directory; name the folder that training wrote")
        if has_version_2(folder) and not is_model(path):
            return None
        if not path.exists():
            raise ModelError(f"{folder} is not a memn2n model directory: it has no {WEIGHTS}; name the folder that "
                             "training wrote")  # fmt: skip
    except OSError as error:
        raise file_error(error, folder, "cannot be read", ModelError) from None
    return path


def _is_our_config(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, RecursionError, AttributeError):
        return bool(json.loads(path.read_bytes()).get("format") == FORMAT)
    return False


@contextlib.contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise ModelError(f"{folder} cannot be written: it or one of its parents is a file; name a folder") from None
    except OSError as error:
        raise file_error(error, folder, "cannot be written", ModelError) from None
