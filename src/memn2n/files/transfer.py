"""One transfer by HTTP to a file, with bounds on its size and its time."""

from __future__ import annotations

import http.client
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from memn2n.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    DownloadProgress = Callable[[int, int | None], None]

SCHEMES = ("http://", "https://")
LARGEST = 2 * 2**30
"""Most bytes of a download."""
LONGEST = 2 * 60 * 60
"""Most seconds that the bytes of one transfer take; the next one resumes it."""

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16  # bytes


def transfer(url: str, partial: Path, start: int, progress: DownloadProgress) -> bool:
    """Append the bytes from ``start`` on to ``partial``; return whether all of them arrived.

    Raises:
        DownloadError: if there are more than ``LARGEST`` bytes, they take more than ``LONGEST`` seconds, or the server
            redirects to another protocol than HTTP. The errors of ``urllib`` and of files are passed on.
    """
    deadline = time.monotonic() + LONGEST
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.build_opener(_Redirects).open(request, timeout=_TIMEOUT) as response:
        done = start if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0  # otherwise the whole file is sent
        total = None if response.length is None else done + response.length
        _check_size(url, total or 0)
        with partial.open("ab" if done else "wb") as file:
            progress(done, total)
            while chunk := response.read1(_CHUNK):  # ``read`` would wait for a whole chunk, however slow the server is
                done += len(chunk)
                _check_size(url, done)
                file.write(chunk)
                progress(done, total)
                if time.monotonic() > deadline:
                    problem = f"the transfer takes more than {LONGEST // 60} minutes, {done} bytes are kept"
                    raise DownloadError(f"{url}: {problem}; run the same command again to resume")
    return total in {None, done}


def _check_size(url: str, size: int) -> None:
    if size > LARGEST:
        raise DownloadError(f"{url} has more than {LARGEST:,} bytes, which is no data set of this package")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTP and HTTPS only; its base class also follows those to FTP."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith(SCHEMES):
            fp.close()
            raise DownloadError(f"{req.full_url} redirects to {newurl}, which is not an HTTP address; give another URL")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
