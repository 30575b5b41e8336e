"""A model in one file of the safetensors format: the arrays, and a JSON text in the format's metadata.

The text is a record with the keys format, version, kind, config, vocabulary and sha256. The last one is the SHA-256 of
the rest of the record, and of the name, type, shape and bytes of each array. Reading never unpickles anything.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from memn2n.errors import ModelError, file_error
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FORMAT = "memn2n"
VERSION = 3
HEADER_LIMIT = 1 << 24
"""Largest length in bytes of a file's header, which has the record and the names, types and shapes of the arrays."""

_RECORD = "memn2n"  # the key of the record in the metadata
_LENGTH_BYTES = 8  # at the start of a file; they hold the length of the header
_DTYPES = {"BOOL": "bool"} | {f"{kind}{bits}": f"{name}{bits}" for kind, name, sizes in (
    ("I", "int", (8, 16, 32, 64)), ("U", "uint", (8, 16, 32, 64)), ("F", "float", (16, 32, 64))) for bits in sizes
}  # fmt: skip
_FAULTS = (safetensors.SafetensorError, ValueError, TypeError, KeyError, AttributeError)  # of what the library reads

Arrays = dict[str, npt.NDArray[Any]]


class ArrayForm(NamedTuple):
    """The type of an array, such as "float32", and its shape."""

    dtype: str
    shape: tuple[int, ...]


Layout = dict[str, ArrayForm]
"""The arrays of a model, by name, without their values."""


def layout_of(arrays: Mapping[str, npt.NDArray[Any]]) -> Layout:
    """Return the layout of some arrays."""
    return {name: ArrayForm(array.dtype.name, array.shape) for name, array in arrays.items()}


class StoredModel(NamedTuple):
    """A model's file that is open.

    Args:
        record: its record, with the keys kind, config and vocabulary.
        layout: which arrays it has.
        arrays: reads and checks the arrays, each with memory of its own; raises ModelError if the file is damaged, or
            an array holds NaN or infinity.
    """

    record: dict[str, Any]
    layout: Layout
    arrays: Callable[[], Arrays]


def model_file(path: Path, record: dict[str, Any], arrays: Arrays) -> bytes:
    """Return the content of a model's file.

    Args:
        path: the file that will have this content, for errors.
        record: kind, config and vocabulary, as JSON values.
        arrays: the parameters by name.

    Raises:
        ModelError: if an array holds NaN or infinity, or the header is longer than ``HEADER_LIMIT``.
    """
    arrays = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("=")) for name, array in arrays.items()}
    _check_finite(path, arrays)
    record = {"format": FORMAT, "version": VERSION} | record
    content = safetensors.numpy.save(arrays, {_RECORD: json_text(record | {"sha256": _digest(record, arrays)})})
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    if length > HEADER_LIMIT:
        raise ModelError(f"{path}: vocabulary and settings take {length:,} bytes, but at most {HEADER_LIMIT:,} can be "
                         "saved; train with fewer words, such as by --max-words")  # fmt: skip
    return content


def read_record(path: Path) -> dict[str, Any]:
    """Read the record of a model's file, without reading the arrays and checking the SHA-256.

    Raises:
        ModelError: if the file cannot be read, is damaged, or was written by another program or version.
    """
    with _opened(path) as file:
        text = _text(file)
    return _parse(path, text)


@contextmanager
def open_model(path: Path) -> Iterator[StoredModel]:
    """Open a model's file; arrays take no memory before they are read. The errors are those of ``read_record``."""
    with _opened(path) as file:  # once, since another process may replace the file
        record = _parse(path, _text(file))
        digest = record.pop("sha256", None)

        def arrays() -> Arrays:
            found = _arrays(file)
            try:
                intact = digest == _digest(record, found)
            except RecursionError:  # json writes fewer levels than it reads
                intact = False
            if not intact:
                raise damaged(path, "its SHA-256 differs from the stored one")
            _check_finite(path, found)
            return found

        yield StoredModel(record, _layout(file), arrays)


@contextmanager
def open_arrays(path: Path) -> Iterator[tuple[Layout, Callable[[], Arrays]]]:
    """Open any file of the safetensors format; the values are like ``layout`` and ``arrays`` of a ``StoredModel``.

    Raises:
        ModelError: if the file cannot be read or is damaged.
    """
    with _opened(path) as file:

        def arrays() -> Arrays:
            found = _arrays(file)
            _check_finite(path, found)
            return found

        yield _layout(file), arrays


def is_model(path: Path) -> bool:
    """Whether a file has the record of a model, of any version."""
    with suppress(ModelError), _opened(path) as file:
        return _text(file) is not None
    return False


def json_text(value: object, indent: int | None = None) -> str:
    """Return JSON without lone surrogates, which UTF-8 cannot encode: they are replaced by their escapes."""
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace").decode()


def damaged(path: Path, reason: str) -> ModelError:
    """Return the error about a damaged file."""
    return ModelError(f"{path} is damaged ({reason}); train again, or copy the folder again")


def foreign(path: Path) -> ModelError:
    """Return the error about a file that another program wrote."""
    return ModelError(f"{path} was not written by memn2n; name the folder that training wrote")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file with the safetensors library, which maps it into memory.

    The library reads a header whatever its length, so its length is checked first.
    """
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
            raise ModelError(f"{path} is not a file; name the folder that training wrote")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if length > size - _LENGTH_BYTES:
            raise damaged(path, "it ends within its header")
        if length > HEADER_LIMIT:
            raise damaged(path, f"its header has {length:,} bytes, but at most {HEADER_LIMIT:,} are allowed")
        with safetensors.safe_open(path, "np") as opened:
            yield opened
    except OSError as error:
        raise file_error(error, path, "cannot be read", ModelError) from None
    except ModelError:
        raise
    except _FAULTS as error:
        raise damaged(path, f"{error!s:.200}") from None


def _text(file: Any) -> str | None:
    return (file.metadata() or {}).get(_RECORD)


def _arrays(file: Any) -> Arrays:
    return {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 - it is not a dictionary


def _layout(file: Any) -> Layout:
    parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    return {name: ArrayForm(_DTYPES.get(part.get_dtype(), part.get_dtype()), tuple(part.get_shape()))
            for name, part in parts.items()}  # fmt: skip


def _parse(path: Path, text: str | None) -> dict[str, Any]:
    """Parse a record, and check the types of its values, except for the vocabulary."""
    if text is None:
        raise foreign(path)
    record: dict[str, Any]
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise damaged(path, "its record is not JSON") from None
    ours = isinstance(record, dict) and record.get("format") == FORMAT and type(record.get("version")) is int
    if ours and record["version"] > VERSION:
        raise ModelError(f"{path} has format version {quoted(record['version'])}, but this memn2n reads versions up to "
                         f"{VERSION}; upgrade memn2n")  # fmt: skip
    complete = ours and isinstance(record.get("kind"), str) and isinstance(record.get("config"), dict)
    if not complete or record["version"] < VERSION:
        raise damaged(path, "its record is not that of a model")
    return record


def _digest(record: dict[str, Any], arrays: Arrays) -> str:
    in_order = sorted(arrays.items())
    layout = [(name, array.dtype.name, array.shape) for name, array in in_order]
    digest = hashlib.sha256(json.dumps([record, layout]).encode())
    for _, array in in_order:
        digest.update(array.data)
    return digest.hexdigest()


def _check_finite(path: Path, arrays: Arrays) -> None:
    for name, array in arrays.items():
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise ModelError(f"{path}: array {quoted(name)} holds NaN or infinity; train again")
