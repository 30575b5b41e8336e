"""Download public data sets: check their SHA-256, resume broken transfers, unpack safely."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import tarfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, DownloadError, InputError, Setting, file_error
from memn2n.files.folder_lock import locked
from memn2n.files.transfer import SCHEMES, transfer
from memn2n.files.whole_file import whole_folder
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memn2n.files.transfer import DownloadProgress


ARCHIVES = {  # address and SHA-256 of a tar archive
    "babi": (  # ParlAI's copy of bAbI v1.2; the authors' site is gone
        "https://dl.fbaipublicfiles.com/parlai/babi/babi.tar.gz",
        "f7f0bee187efca0d81c3daac1b162cda4eb7f9505dee5ad6846eabbed3dbf92e",
    ),
}

_MARKER = ".sha256"  # a file in an unpacked folder: the digest of its archive
_TRIES = 3
_MOST_UNPACKED = 4 * 2**30  # bytes of all files of an archive
_MOST_FILES = 100_000
_DEEPEST = 50  # folders within each other; removing a deeper tree would exceed Python's recursion limit
_CONNECTION_ERRORS = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)


def get(
    name: str, folder: str | Path, *, url: str | None = None, sha256: str | None = None,
    progress: DownloadProgress = lambda _done, _total: None,
) -> Path:  # fmt: skip
    """Download a data set and unpack it.

    The archive is downloaded to ``FOLDER.download``. If the transfer breaks off, the next call resumes it.

    Args:
        name: "babi".
        folder: where to unpack. If this archive was unpacked there before, nothing is downloaded.
        url: another address of the archive.
        sha256: the digest of the archive at ``url``, if it is not the published one.
        progress: called with the number of bytes so far, and with the number of all bytes, if that is known.

    Returns:
        The folder.

    Raises:
        InputError: if the name is unknown, ``url`` or ``sha256`` is malformed, the folder holds something else or
            cannot be written, or another process downloads to it.
        DownloadError: if the transfer fails or takes too long, the digest is wrong, or the archive is too large or
            holds paths outside of its folder.
        StorageError: if the disk is full or broken.
    """
    if name not in ARCHIVES:
        raise InputError(f"there is no data set {quoted(name)}; choose one of: {', '.join(ARCHIVES)}")
    published_url, published_sha256 = ARCHIVES[name]
    url, sha256 = url or published_url, (sha256 or published_sha256).lower()
    if not url.lower().startswith(SCHEMES):
        raise ConfigError(Setting("url"), f" is {url}: it must start with http:// or https://")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ConfigError(Setting("sha256"), f" is {quoted(sha256)}: it must be 64 hexadecimal digits")
    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.download")
    try:
        if _is_unpacked(folder, sha256):  # a folder that is complete may be read-only
            partial.unlink(missing_ok=True)  # left by a kill after the archive was unpacked
            return folder
        with locked(folder, beside=True):
            if not _is_unpacked(folder, sha256):
                _fetch(url, sha256, partial, progress)
                _unpack(partial, folder, sha256)
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise file_error(error, folder, "cannot be written", InputError) from None
    return folder


def _is_unpacked(folder: Path, sha256: str) -> bool:
    """Whether a folder holds an archive; raises InputError if it holds something else."""
    if not folder.exists():
        return False
    marker = folder / _MARKER
    if marker.is_file() and marker.read_text(encoding="utf-8", errors="replace").strip() == sha256:
        return True
    raise InputError(f"{folder} exists and does not hold this data set; remove it, or choose another folder")


def _fetch(url: str, sha256: str, partial: Path, progress: DownloadProgress) -> None:
    """Download the archive to ``partial``, resuming what is there."""
    reason: object = "the connection was closed"
    for _ in range(_TRIES):
        start = partial.stat().st_size if partial.exists() else 0
        try:
            if not transfer(url, partial, start, progress):
                continue
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
                answer = f"{error.code} {error.reason}"
                raise DownloadError(f"{url} answers {answer}; try again later, or give another URL") from None
            # the server has no more bytes: the file is complete, or belongs to another archive
        except (ValueError, http.client.InvalidURL) as error:
            raise InputError(f"{url} is not a valid URL: {error}") from None
        except _CONNECTION_ERRORS as error:
            reason = getattr(error, "reason", error)
            continue
        with partial.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found == sha256:
            return
        partial.unlink()
        if not start:
            raise DownloadError(f"{url} has SHA-256 {found}, not {sha256}, and was discarded; "
                                "if it is the right archive, give its SHA-256")  # fmt: skip
        # the bytes of an earlier transfer belonged to another archive: try again from the start
    size = partial.stat().st_size if partial.exists() else 0
    remedy = "run the same command again to resume" if size else "try again later, or give another URL"
    raise DownloadError(f"{url}: {_TRIES} attempts failed ({reason}), {size} bytes are kept; {remedy}")


def _unpack(archive: Path, folder: Path, sha256: str) -> None:
    """Unpack an archive, so that ``folder`` is complete or does not exist."""
    with whole_folder(folder) as unpacked:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, _checked_members(tar), filter="data")
        except (tarfile.TarError, EOFError, zlib.error) as error:
            archive.unlink()
            raise DownloadError(f"the archive cannot be unpacked and was discarded: {error}") from None
        (unpacked / _MARKER).write_text(f"{sha256}\n", encoding="utf-8")


def _checked_members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members of an archive while it is unpacked; raises TarError if they are too many, large or deep."""
    size = 0
    for number, member in enumerate(tar, 1):
        size += member.size
        if size > _MOST_UNPACKED or number > _MOST_FILES:
            raise tarfile.TarError(f"it holds more than {_MOST_UNPACKED:,} bytes or {_MOST_FILES:,} files")
        if member.name.count("/") > _DEEPEST:
            raise tarfile.TarError(f"it holds more than {_DEEPEST} folders within each other")
        yield member
