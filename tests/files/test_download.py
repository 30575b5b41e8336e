"""Downloads from an HTTP server on loopback."""

import hashlib
import io
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from memn2n.errors import DownloadError, InputError
from memn2n.files import download, transfer
from memn2n.files.download import get


class Server(ThreadingHTTPServer):
    """Serves one file, with the faults that a test sets."""

    body = b""
    break_after: int | None = None  # bytes sent before the connection is closed
    breaks = 0  # number of responses that break off
    ranges = True
    status = 200
    reason: str | None = None
    location = ""  # where to redirect to
    drip = 0.0  # seconds between bytes

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/babi.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.requests.append(wanted)
        if self.server.location:
            self.send_response(302)
            self.send_header("Location", self.server.location)
            self.end_headers()
            return
        if self.server.status != 200:
            self.send_error(self.server.status, self.server.reason)
            return
        start = 0
        if wanted and self.server.ranges:
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match is not None
            start = int(match[1])
        if start >= len(self.server.body):
            self.send_error(416)
            return
        body = self.server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            self.wfile.write(body[: self.server.break_after])
            self.close_connection = True
            return
        if self.server.drip:
            for byte in body:
                time.sleep(self.server.drip)
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:  # the client has left
                    return
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.body = archive({"babi/en/qa1_x_train.txt": b"1 a.\n2 b?\tc\t1\n" * 5000})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def archive(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=0) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return raw.getvalue()


def fetch(server: Server, folder: Path, sha256: str | None = None) -> Path:
    digest = sha256 or hashlib.sha256(server.body).hexdigest()
    return get("babi", folder, url=server.url, sha256=digest)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_archive_is_downloaded_checked_and_unpacked(server: Server, tmp_path: Path) -> None:
    seen = []
    digest = hashlib.sha256(server.body).hexdigest().upper()
    folder = get("babi", tmp_path / "new" / "babi", url=server.url, sha256=digest,
                 progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert (folder / "babi/en/qa1_x_train.txt").read_bytes().startswith(b"1 a.\n")
    assert left_in(tmp_path / "new") == ["babi"]
    assert seen[0] == (0, len(server.body))
    assert seen[-1] == (len(server.body), len(server.body))
    fetch(server, folder)
    assert len(server.requests) == 1, "a second call downloads nothing"
    with pytest.raises(InputError, match="exists and does not hold this data set"):
        fetch(server, folder, "0" * 64)
    with pytest.raises(InputError, match="exists and does not hold this data set"):
        fetch(server, tmp_path)


def test_a_broken_transfer_is_resumed(server: Server, tmp_path: Path) -> None:
    server.breaks, server.break_after = 1, 50_000
    fetch(server, tmp_path / "babi")
    assert server.requests == [None, "bytes=50000-"]


def test_a_transfer_that_keeps_breaking_is_resumed_by_the_next_call(server: Server, tmp_path: Path) -> None:
    server.breaks, server.break_after = 3, 1000
    with pytest.raises(DownloadError, match="3000 bytes are kept; run the same command again to resume"):
        fetch(server, tmp_path / "babi")
    assert left_in(tmp_path) == ["babi.download"]
    fetch(server, tmp_path / "babi")
    assert server.requests[-1] == "bytes=3000-"
    assert left_in(tmp_path) == ["babi"]


def test_a_server_without_ranges_sends_the_whole_file_again(server: Server, tmp_path: Path) -> None:
    server.breaks, server.break_after, server.ranges = 1, 1000, False
    fetch(server, tmp_path / "babi")
    assert (tmp_path / "babi/babi/en/qa1_x_train.txt").stat().st_size == 70_000


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_bytes_of_another_archive_are_discarded(server: Server, tmp_path: Path, size: int) -> None:
    (tmp_path / "babi.download").write_bytes(b"x" * size)
    fetch(server, tmp_path / "babi")
    assert left_in(tmp_path) == ["babi"]


def test_a_complete_file_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "babi.download").write_bytes(server.body)
    fetch(server, tmp_path / "babi")
    assert server.requests == [f"bytes={len(server.body)}-"]
    assert left_in(tmp_path) == ["babi"]


def test_a_wrong_digest_keeps_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="has SHA-256"):
        fetch(server, tmp_path / "babi", "0" * 64)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        archive({"../outside.txt": b"x"}),
        archive({"/tmp/outside.txt": b"x", "../../outside": b"y"}),
        archive({}, {"link": "../.."}),
        archive({}, {"link": "/etc"}),
        b"this is no archive",
        archive({"a": b"x" * 100_000})[:50_000],
        archive({"d/" * 2000 + "a": b"x"}),
        archive({}, {"d/" * 2000 + "a": "b"}),
    ],
)
def test_a_hostile_or_broken_archive_leaves_nothing(server: Server, tmp_path: Path, body: bytes) -> None:
    server.body = body
    inside = tmp_path / "inside"
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        fetch(server, inside / "babi")
    assert left_in(tmp_path) == []


def test_an_error_status_of_the_server(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match="answers 404 Not Found; try again later, or give another URL"):
        fetch(server, tmp_path / "babi")


def test_the_size_of_a_download_is_bounded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 1000)
    with pytest.raises(DownloadError, match="has more than 1,000 bytes, which is no data set"):
        fetch(server, tmp_path / "babi")


@pytest.mark.parametrize(("name", "most"), [("_MOST_UNPACKED", 1000), ("_MOST_FILES", 0)])
def test_the_size_of_an_archive_is_bounded(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(download, name, most)
    with pytest.raises(DownloadError, match="the archive cannot be unpacked and was discarded: it holds more than"):
        fetch(server, tmp_path / "babi")
    assert left_in(tmp_path) == []


def test_the_time_of_a_transfer_is_bounded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LONGEST", 0.1)
    server.drip = 0.02
    with pytest.raises(DownloadError, match=r"the transfer takes more than .* bytes are kept; run the same command"):
        fetch(server, tmp_path / "babi")
    server.drip = 0
    fetch(server, tmp_path / "babi")
    assert str(server.requests[-1]).startswith("bytes=")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://127.0.0.1:1/a", "redirects to ftp://127.0.0.1:1/a, which is not an HTTP"),
        ("file:///a", "is not allowed"),
    ],
)
def test_only_redirects_to_http_are_followed(server: Server, tmp_path: Path, address: str, message: str) -> None:
    server.location = address
    with pytest.raises(DownloadError, match=re.escape(message)):
        fetch(server, tmp_path / "babi")
    assert len(server.requests) == 1


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with Server() as gone:
        url = gone.url
    with pytest.raises(DownloadError, match="0 bytes are kept; try again later, or give another URL"):
        get("babi", tmp_path / "babi", url=url)
    assert left_in(tmp_path) == []


def test_arguments_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose one of: babi"):
        get("squad", tmp_path / "x")
    with pytest.raises(InputError, match="http"):
        get("babi", tmp_path / "x", url="file:///etc/passwd")
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        get("babi", tmp_path / "x", sha256="abc")
    for url in ("http://[::1/x", "http://127.0.0.1:1/ü", "http://a..b/", "http://127.0.0.1:1/a b"):
        with pytest.raises(InputError, match="is not a valid URL"):
            get("babi", tmp_path / "x", url=url)
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="exists and does not hold this data set"):
        get("babi", tmp_path / "x")
