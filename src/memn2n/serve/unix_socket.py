"""A Unix domain socket that listens: the file of a server that was killed is replaced, that of a living one is not."""

from __future__ import annotations

import os
import socket
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, InputError, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def listen_unix(path: Path, mode: int, backlog: int) -> socket.socket:
    """Open a Unix domain socket that listens.

    Args:
        path: the socket's file.
        mode: the permissions of the file. Who may write it may connect.
        backlog: how many connections may wait.

    Raises:
        ConfigError: if this system has no such sockets.
        InputError: if a server listens at the path, another file is there, or the file cannot be made.
    """
    if sys.platform == "win32":
        raise ConfigError(Setting("uds"), " needs Unix domain sockets, which this system does not have")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _locked(path.parent):  # another server must not take a socket that does not listen yet for a dead one
            _remove_dead(path)
            listening.bind(str(path))
            path.chmod(mode)
            listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise InputError(f"socket {path}: {error.strerror or error}; choose another path with --uds") from None
    except InputError:
        listening.close()
        raise
    return listening


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None if there is none."""
    with suppress(OSError):
        found = path.lstat()
        return found.st_dev, found.st_ino
    return None


def _remove_dead(path: Path) -> None:
    """Remove the socket of a server that was killed.

    Raises:
        InputError: if a server listens there, or the file is no socket.
        OSError: if the file cannot be reached.
    """
    if identity(path) is None:
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise InputError(f"{path} exists and is not a socket; choose another path with --uds")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)  # a server whose backlog is full must not delay this one
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise InputError(f"a server listens at {path}; stop it, or choose another path with --uds")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
