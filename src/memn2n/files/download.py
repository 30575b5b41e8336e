"""Downloads of public data sets: checked by SHA-256, resumed where they broke off, unpacked safely."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import DownloadError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Archive:
    """A downloadable data set: a tar archive."""

    url: str
    sha256: str


ARCHIVES = {
    "babi": Archive(  # ParlAI's copy of bAbI v1.2; the authors' own address is dead
        "https://dl.fbaipublicfiles.com/parlai/babi/babi.tar.gz",
        "f7f0bee187efca0d81c3daac1b162cda4eb7f9505dee5ad6846eabbed3dbf92e",
    ),
}

_MARKER = ".sha256"  # in an unpacked folder: which archive it came from
_TRIES = 3
_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16
_BROKEN = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)


def get(
    name: str,
    folder: str | Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download a data set and unpack it.

    What has arrived is kept as ``FOLDER.download`` until all of it is there, and a later call goes on from it.

    Args:
        name: "babi".
        folder: where to unpack; if this very archive was unpacked there before, nothing is downloaded.
        url: another address of the archive.
        sha256: its digest, where it is another archive.
        progress: called with the bytes so far, and all bytes where known.

    Returns:
        The folder.

    Raises:
        InputError: for an unknown name, an address that is not http(s), a digest that is none, or a folder that holds
            something else.
        DownloadError: if the transfer fails, the digest is wrong, or the archive holds paths outside of itself.
    """
    if name not in ARCHIVES:
        raise InputError(f"there is no data set {name!r}; there is: {', '.join(ARCHIVES)}")
    archive = ARCHIVES[name]
    url, sha256 = url or archive.url, (sha256 or archive.sha256).lower()
    if not url.lower().startswith(("http://", "https://")):
        raise InputError(f"{url} is not an address that starts with http:// or https://")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise InputError(f"--sha256 is {sha256!r}: it must be 64 hexadecimal digits")
    folder = Path(folder)
    if folder.exists():
        marker = folder / _MARKER
        if marker.is_file() and marker.read_text(encoding="utf-8", errors="replace").strip() == sha256:
            return folder
        raise InputError(f"{folder} is in the way, and not of this download; remove it, or name another with --out")
    partial = folder.with_name(folder.name + ".download")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, sha256, partial, progress or (lambda _done, _total: None))
        _unpack(partial, folder, sha256)
        partial.unlink()
    except OSError as error:
        raise DownloadError(f"{folder} cannot be written: {error.strerror or error}") from None
    return folder


def _fetch(url: str, sha256: str, partial: Path, progress: Progress) -> None:
    """Bring ``partial`` to be the whole file, with the right digest."""
    reason: object = "broke off"
    for _ in range(_TRIES):
        start = partial.stat().st_size if partial.exists() else 0
        try:
            if not _transfer(url, partial, start, progress):
                continue
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
                raise DownloadError(
                    f"{url} answers {error.code} {error.reason}; try later, or give another address with --url"
                ) from None
            # nothing is left to be sent: what is here is all of it, or of another file
        except (ValueError, http.client.InvalidURL) as error:  # http.client and urllib refuse malformed addresses so
            raise InputError(f"{url} is not a usable address: {error}") from None
        except _BROKEN as error:
            reason = getattr(error, "reason", error)
            continue
        found = _digest(partial)
        if found == sha256:
            return
        partial.unlink()
        if not start:
            raise DownloadError(
                f"{url} has SHA-256 {found}, not {sha256}; nothing was kept. If it is the right "
                "archive, give its digest with --sha256"
            )
        # what was kept of an earlier transfer was of another file: once more, from the start
    size = partial.stat().st_size if partial.exists() else 0
    remedy = "run the same command again to go on" if size else "give another address with --url"
    raise DownloadError(f"{url}: {_TRIES} tries failed ({reason}), {size} bytes are kept; {remedy}")


def _transfer(url: str, partial: Path, start: int, progress: Progress) -> bool:
    """Append to ``partial`` what the server sends; return whether it has all arrived."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0  # the server sends the whole file
        length = response.headers.get("Content-Length")
        total = start + int(length) if length is not None and length.isdigit() else None
        done = start
        with partial.open("ab" if start else "wb") as file:
            progress(done, total)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
    return total is None or done == total


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(archive: Path, folder: Path, sha256: str) -> None:
    """Unpack to a temporary name and rename: the folder is there whole, or not at all."""
    unpacking = Path(tempfile.mkdtemp(prefix=f"{folder.name}.unpacking-", dir=folder.parent))
    unpacked = unpacking / "all"
    unpacked.mkdir()
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        (unpacked / _MARKER).write_text(sha256 + "\n", encoding="utf-8")
        os.rename(unpacked, folder)  # noqa: PTH104 - fails where Path.replace would overwrite
    except (tarfile.TarError, EOFError, zlib.error) as error:
        archive.unlink()
        raise DownloadError(f"the archive cannot be unpacked: {error}; nothing was kept") from None
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
