"""Write files and folders so that readers find the old content or the new content, never a part of it.

Everything is first written under a temporary name in the same folder, ``NAME.<12 hexadecimal digits>.partial``. Then it
is flushed to the disk, and a rename gives it its name. The folder is flushed too, so that a power failure loses nothing
that was reported as written.

A killed program leaves its temporary files behind. The next program that writes the same name removes them: the writer
of a temporary file holds a lock on it (``flock``), which the system releases when the process ends.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RANDOM_BYTES = 6  # in a temporary name, so that two programs may write the same file


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a binary stream whose content replaces a file when the block ends without an exception.

    A symbolic link stays, and the file that it points to is replaced. Pipes and devices cannot be replaced, so they are
    written directly.

    Args:
        path: the file, in a folder that exists.

    Raises:
        OSError: if the file cannot be written. ``path`` is then unchanged, unless only flushing the folder failed.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    with whole_files(target) as (stream,):
        yield stream


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file as ``whole_file`` does.

    Raises:
        OSError: as ``whole_file``.
    """
    with whole_file(path) as stream:
        stream.write(content)


@contextmanager
def whole_files(*paths: str | Path) -> Iterator[tuple[BinaryIO, ...]]:
    """Open streams whose contents replace files that belong together when the block ends without an exception.

    An old file never stands beside a new one, also after a kill: all old files but the first one are removed before the
    first one is replaced. So a kill can leave the first file alone, old or new, and the next call makes the set whole.

    Args:
        paths: the files, in folders that exist. The first one should be the file without which the others are useless.

    Raises:
        OSError: if a file cannot be written. All are then unchanged, unless a rename or flushing a folder failed.
    """
    targets = [Path(path).resolve() for path in paths]
    for target in targets:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with ExitStack() as stack:
        written = [stack.enter_context(_temporary_file(target)) for target in targets]
        yield tuple(stream for _, stream in written)
        for _, stream in written:
            stream.flush()
            os.fsync(stream.fileno())
        for target in targets[1:]:
            if target.exists():
                target.unlink()
                flush_folder(target.parent)
        for (temporary, stream), target in zip(written, targets, strict=True):
            if sys.platform == "win32":
                stream.close()  # an open file cannot be renamed there
            temporary.replace(target)
            flush_folder(target.parent)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Make a folder that gets its name, ``path``, when the block ends without an exception. The block fills it.

    Raises:
        OSError: if it cannot be written, or ``path`` is a file or a folder that is not empty.
    """
    target = Path(path).resolve()
    temporary, lock = _new_temporary(target, _make_folder)
    try:
        yield temporary
        for folder, _, files in os.walk(temporary):
            for path in (Path(folder, name) for name in files):
                if not path.is_symlink():
                    _flush(path)
            flush_folder(Path(folder))
        os.rename(temporary, target)  # noqa: PTH104 - fails if the folder exists, where Path.replace may overwrite it
        flush_folder(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # after the rename there is nothing to remove
        if lock is not None:
            os.close(lock)


def make_folder(path: str | Path) -> None:
    """Make a folder and its parents where they are missing, so that a power failure does not lose them.

    Raises:
        OSError: if one of them cannot be made, or is a file.
    """
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk. Nothing is done where the system has no way to do so."""
    if sys.platform != "win32":
        _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:  # of file systems that cannot do it
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _temporary_file(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a new temporary file for a target; remove it at the end if it is still there."""
    temporary, descriptor = _new_temporary(target, _make_file)
    with open(descriptor, "wb") as stream:  # noqa: PTH123 - there is no path to open
        try:
            yield temporary, stream
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


D = TypeVar("D", int, int | None)


def _new_temporary(target: Path, make: Callable[[Path], D]) -> tuple[Path, D]:
    """Make a temporary file or folder for a target, after removing those that were left behind.

    Returns:
        Its path, and its descriptor, which holds the lock.
    """
    _remove_left_behind(target)
    while True:
        temporary = target.with_name(f"{target.name}.{secrets.token_hex(_RANDOM_BYTES)}.partial")
        descriptor = make(temporary)
        if descriptor is None or not _lock(descriptor, wait=True) or temporary.exists():
            return temporary, descriptor
        os.close(descriptor)  # another program found it without a lock, and removed it


def _make_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _make_folder(path: Path) -> int | None:
    path.mkdir()
    if sys.platform == "win32":
        return None  # a folder cannot be opened there
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # another program removed it
        return _make_folder(path)


def _remove_left_behind(target: Path) -> None:
    """Remove the temporary files and folders of a target that belong to no living process."""
    for left in target.parent.glob(f"{glob.escape(target.name)}.{'[0-9a-f]' * 2 * _RANDOM_BYTES}.partial"):
        with suppress(OSError):
            if sys.platform == "win32":
                left.unlink()  # fails while a process has it open
                continue
            descriptor = os.open(left, os.O_RDONLY)
            try:
                if _lock(descriptor, wait=False):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
            finally:
                os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file; return False if another process holds the lock, or the file system has no locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
