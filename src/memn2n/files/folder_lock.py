"""A lock on a folder, so that two processes or threads do not write to it at the same time.

The lock is the operating system's lock on the file ``.memn2n.lock``, which has the number of the process that holds it.
The system releases the lock when that process ends, also when it is killed. The file that a killed process leaves
behind locks nothing, and the next holder removes it. Readers need no lock, because files are replaced atomically.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import DataWarning, InputError
from memn2n.files.whole_file import make_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = ".memn2n.lock"
_SECONDS_BETWEEN_TRIES = 0.05
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # by the file system, such as some network drives
_LOCKED_BYTE = 1 << 30  # on Windows, where nobody else can read a byte that is locked
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)  # a link could make this overwrite another file


class _Hold(NamedTuple):
    thread: int
    file: int  # descriptor of the lock file; closing it releases the lock


_holds: dict[Path, _Hold] = {}
"""The locks that this process holds, by the path of the lock file."""


@contextmanager
def locked(folder: Path, *, wait: float = 0.0, beside: bool = False) -> Iterator[None]:
    """Hold the lock of a folder within the context. A thread that holds it may take it again.

    The folder is made if it does not exist; if nothing was written to it, it is removed again at the end. On a file
    system without locks a DataWarning says so, and nothing is locked.

    Args:
        folder: the folder.
        wait: seconds to wait while another process or thread holds the lock.
        beside: whether the lock file is next to the folder, because the caller makes the folder itself.

    Raises:
        InputError: if another process or thread holds the lock.
        OSError: if the folder or the lock file cannot be made.
    """
    made = folder.parent if beside else folder
    new = not made.exists()
    make_folder(made)
    place = folder.resolve()
    path = place.with_name(f".{place.name}{_NAME}") if beside else place / _NAME
    held = _holds.get(path)
    if held is not None and held.thread == threading.get_ident():
        yield
        return
    latest = time.monotonic() + wait
    while (file := _take(path)) is None:
        if time.monotonic() >= latest:
            raise InputError(f"{folder} is in use: {_holder(path)} writes to it; wait until that ends, or choose "
                             "another folder")  # fmt: skip
        time.sleep(_SECONDS_BETWEEN_TRIES)
    _holds[path] = _Hold(threading.get_ident(), file)
    try:
        yield
    finally:
        if path in _holds:  # a forked child does not hold the locks of its parent
            del _holds[path]
            _release(path, file)
            if new:
                with suppress(OSError):  # it is not empty
                    made.rmdir()


def _take(path: Path) -> int | None:
    """Lock a file, which is created if it does not exist; return its descriptor, or None if another one holds it."""
    while True:
        file = os.open(path, _FLAGS, 0o666)
        try:
            if not _lock(file, path):
                os.close(file)
                return None
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), path.stat()):
                    with suppress(OSError):  # a full disk; the number only makes an error message better
                        os.ftruncate(file, 0)
                        os.write(file, f"{os.getpid()}\n".encode())
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # the last holder removed this file after it was opened here


def _lock(file: int, path: Path) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _UNSUPPORTED:
            raise
        warnings.warn(f"{path.parent}: the file system has no locks ({error.strerror}); let only one process write "
                      "to this folder", DataWarning, stacklevel=6)  # fmt: skip
    return True


def _release(path: Path, file: int) -> None:
    """Remove the lock file and release the lock.

    The file is removed while it is locked: who waits for it finds out that it is gone, and creates another one. Windows
    refuses to remove an open file, and after it is closed, refuses it if somebody else has opened it.
    """
    with suppress(OSError):
        path.unlink()
    os.close(file)
    if sys.platform == "win32":
        with suppress(OSError):
            path.unlink()


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError):
        number = int(path.read_bytes())
        return "another thread of this process" if number == os.getpid() else f"process {number}"
    return "another process"


def _forget_holds() -> None:
    """Give up the locks of the parent in a forked child, which would keep them after the end of the parent."""
    for hold in _holds.values():
        os.close(hold.file)
    _holds.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_holds)
