"""Save a model to a folder and load it; a killed program loses neither the old model nor the new one.

A model is one file, ``model.safetensors``, which a save replaces atomically. Beside it is ``config.json``, a copy of
the settings for people and for model hubs. It is never read to load a model. After a kill it may be missing, but it is
never that of another model.

Other files in the folder are never touched, except for those of a model of format version 2.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from memn2n.errors import ModelError, file_error
from memn2n.files.model_file import (
    FORMAT,
    VERSION,
    Arrays,
    damaged,
    is_model,
    json_text,
    model_file,
    read_model,
    read_record,
)
from memn2n.files.model_version_2 import has_version_2, read_version_2, remove_version_2
from memn2n.files.whole_file import make_folder, whole_files, write_whole
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG, WEIGHTS = "config.json", "model.safetensors"


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
        ModelError: if the folder cannot be made or written, or another program wrote one of the files to replace.
    """
    folder = Path(folder)
    config, weights = folder / CONFIG, folder / WEIGHTS
    with _file_errors(folder):
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
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
    return folder


def save_model(folder: str | Path, kind: str, config: dict[str, Any], vocabulary: Words, tensors: Arrays) -> None:
    """Save a model. An earlier model in the folder is replaced as a whole or not at all.

    Args:
        folder: the folder of the model; it is made if it does not exist.
        kind: what the model does: "qa" or "lm", or "lm training" for a checkpoint.
        config: the settings, as JSON values.
        vocabulary: its words.
        tensors: its parameters by name.

    Raises:
        ModelError: if the folder cannot be written, another program wrote one of the files to replace, an array holds
            NaN or infinity, or the vocabulary is too large.
    """
    folder = prepare(folder)
    record = {"kind": kind, "config": config, "vocabulary": vocabulary.to_dict()}
    content = model_file(folder / WEIGHTS, record, tensors)
    head = {"format": FORMAT, "version": VERSION, "kind": kind}
    copy = json_text(head | config | head, indent=1)
    with _file_errors(folder):
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


def load_model(folder: str | Path, kind: str, vocabulary: type[V]) -> tuple[dict[str, Any], V, Arrays]:
    """Load the config, vocabulary and tensors of a model that ``save_model`` wrote.

    Args:
        folder: the folder of the model.
        kind: the kind that it must have, such as "qa".
        vocabulary: the class of its vocabulary.

    Returns:
        The config, the vocabulary, and the tensors, which are writable and share no memory with anything else.

    Raises:
        ModelError: if there is no model, it has another kind or version, it is damaged, or an array holds NaN or
            infinity.
    """
    folder = Path(folder)
    path = _model_in(folder)
    record, arrays = read_version_2(folder) if path is None else read_model(path)
    if record["kind"] != kind:
        raise ModelError(f"{folder} holds a model of kind {quoted(record['kind'])}, not {quoted(kind)}")
    try:
        return record["config"], vocabulary.from_dict(record.get("vocabulary")), arrays
    except ValueError:
        raise damaged(folder / WEIGHTS, "its vocabulary is not one of memn2n") from None


def _record(folder: Path) -> dict[str, Any]:
    path = _model_in(folder)
    return read_version_2(folder)[0] if path is None else read_record(path)


def _model_in(folder: Path) -> Path | None:
    """Return the path of the model's file, or None if the folder has a model of version 2."""
    path = folder / WEIGHTS
    try:
        if not folder.is_dir():
            raise ModelError(f"{folder}: there is no such model directory")
        if has_version_2(folder) and not is_model(path):
            return None
        if not path.exists():
            raise ModelError(f"{folder} is not a memn2n model directory: it has no {WEIGHTS}")
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
