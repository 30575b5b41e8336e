"""Word ids in a file that is mapped into memory, so that a text may be larger than memory.

The file is a safetensors file (8 bytes of header length, a JSON header padded with spaces, the tensor ``ids``). Its
header holds a key, which is the digest of everything that the ids depend on, and the digest of the ids themselves. So
a file that is stale, damaged or of another program is never used.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from memn2n.errors import DataError, file_error
from memn2n.files.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Ids = npt.NDArray[np.int32]
"""(tokens) word ids of a text."""

_HEADER_BYTES = 512
_DTYPE = np.dtype("<i4")


def read_ids(path: Path, key: str) -> Ids | None:
    """Map the ids that ``write_ids`` stored; return None if the file is missing or damaged, or has another key."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            if key.encode() not in header:
                return None
            size = os.fstat(file.fileno()).st_size - _HEADER_BYTES
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if header != _header(key, size // _DTYPE.itemsize, digest):
                return None
            return _map(file, size // _DTYPE.itemsize)
    except OSError:
        return None  # the caller then writes the file, and gets the error if it cannot


def write_ids(path: Path, key: str, chunks: Iterable[Ids]) -> Ids:
    """Store ids under a key, chunk by chunk, and map them. A killed program leaves an existing file as it was.

    Args:
        path: the file; an existing one is replaced.
        key: digest of everything that the ids depend on, in up to 100 ASCII characters.
        chunks: int32 arrays; together they have at least one id.

    Returns:
        (tokens) int32, a read-only np.memmap.

    Raises:
        DataError, StorageError: if the file cannot be written. It is then unchanged, also if ``chunks`` raises.
    """
    digest, number = hashlib.sha256(), 0
    try:
        with whole_file(path) as file:
            file.write(bytes(_HEADER_BYTES))
            for chunk in chunks:
                raw = np.ascontiguousarray(chunk, _DTYPE)
                file.write(raw.data)
                digest.update(raw.data)
                number += len(raw)
            file.seek(0)
            file.write(_header(key, number, digest.hexdigest()))
        with path.open("rb") as file:
            return _map(file, number)
    except OSError as error:
        raise file_error(error, path, "cannot be written", DataError) from None


def _header(key: str, number: int, digest: str) -> bytes:
    header = {
        "__metadata__": {"format": "memn2n ids", "key": key, "sha256": digest},
        "ids": {"dtype": "I32", "shape": [number], "data_offsets": [0, number * _DTYPE.itemsize]},
    }
    length = _HEADER_BYTES - 8
    return length.to_bytes(8, "little") + json.dumps(header).encode().ljust(length)


def _map(file: BinaryIO, number: int) -> Ids:
    return np.memmap(file, _DTYPE, "r", offset=_HEADER_BYTES, shape=(number,))
