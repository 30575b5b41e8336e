"""Write a file so that readers find the old content or the new content, never a part of it."""

from __future__ import annotations

import glob
import os
import secrets
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANDOM_BYTES = 6  # in a temporary name, so that two programs may write the same file
_STALE_SECONDS = 3600.0  # a file that is still being written changes more often than this


@contextmanager
def whole_file(path: str | Path, *, stale_seconds: float = _STALE_SECONDS) -> Iterator[BinaryIO]:
    """Open a binary stream whose content replaces a file when the block ends without an exception.

    The stream writes to a temporary file in the same folder, ``NAME.<12 hexadecimal digits>.partial``. After the block
    its content is flushed to the disk, and one rename puts it in the place of ``path``. After an exception the
    temporary file is removed. A killed program leaves its temporary file behind; a later call for the same path
    removes it. A symbolic link stays, and the file that it points to is replaced. Pipes and devices cannot be
    replaced, so they are written directly.

    Args:
        path: the file, in a folder that exists.
        stale_seconds: age from which a temporary file counts as left behind by a killed program. Pass 0 where no
            other program writes the same file.

    Raises:
        OSError: if the file cannot be written; ``path`` is then unchanged.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    _remove_stale(target, stale_seconds)
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(_RANDOM_BYTES)}.partial")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        with suppress(OSError):  # after the rename there is nothing to remove
            temporary.unlink()


def write_whole(path: str | Path, content: bytes, *, stale_seconds: float = _STALE_SECONDS) -> None:
    """Write a file as ``whole_file`` does.

    Raises:
        OSError: if the file cannot be written; ``path`` is then unchanged.
    """
    with whole_file(path, stale_seconds=stale_seconds) as stream:
        stream.write(content)


def _remove_stale(target: Path, stale_seconds: float) -> None:
    for left in target.parent.glob(f"{glob.escape(target.name)}.{'[0-9a-f]' * 2 * _RANDOM_BYTES}.partial"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime >= stale_seconds:
                left.unlink()
