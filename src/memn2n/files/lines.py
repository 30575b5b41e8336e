"""Read the lines of a text file, compressed by gzip or not, with their numbers; write a file line by line."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager, nullcontext
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from memn2n.errors import DataError, file_error
from memn2n.files.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_LINE = 4 * 2**20
"""Most bytes of a line, or of a word of running text, so that a file without line ends does not fill the memory."""

_BYTE_ORDER_MARK = "\ufeff"
_GZIP = b"\x1f\x8b"  # the first bytes of a gzip file; no UTF-8 text begins with them
_SUFFIX = ".gz"


def iter_lines(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its line end) while reading, so that memory holds one line at a time.

    Args:
        source: a path, of a file that may be compressed by gzip, or a binary stream of text, which stays open.
        name: the name of a stream in errors.

    Raises:
        DataError: if the file cannot be read, or a line is not UTF-8 or has more than ``LONGEST_LINE`` bytes.
    """
    where = str(source) if isinstance(source, (str, Path)) else name or "<stream>"
    offset = 0
    with open_bytes(source) if isinstance(source, (str, Path)) else nullcontext(source) as stream:
        for number, raw in enumerate(iter(partial(stream.readline, LONGEST_LINE + 1), b""), 1):
            if len(raw) > LONGEST_LINE:
                raise DataError(where, number, f"this line has more than {LONGEST_LINE:,} bytes; break it into lines")
            yield number, _text(raw, where, number, offset)
            offset += len(raw)


def iter_pieces(stream: BinaryIO, name: str, limit: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (line number from 1, text, whether the line ends here), in pieces of about ``limit`` bytes.

    A line longer than ``limit`` is split after spaces. A longer run of bytes without a space is not split: its piece is
    that run, and at most ``limit`` bytes after it. The last piece of the text may end with a space, not a line end.

    Raises:
        DataError: if a piece is not UTF-8, or a run without a space has more than about ``LONGEST_LINE`` bytes.
    """
    number, offset = 1, 0
    held: list[bytes] = []  # the start of the next piece
    while raw := stream.readline(limit):
        ends = raw.endswith(b"\n") or len(raw) < limit
        cut = len(raw) if ends else raw.rfind(b" ") + 1
        if not cut:
            held.append(raw)
            if len(held) * limit > LONGEST_LINE:
                problem = f"a word has more than {LONGEST_LINE:,} bytes; put spaces or line ends into the text"
                raise DataError(name, number, problem)
            continue
        piece = b"".join((*held, raw[:cut])) if held else raw[:cut]
        held = [raw[cut:]] if cut < len(raw) else []
        yield number, _text(piece, name, number, offset), ends
        offset += len(piece)
        number += ends
    if held:
        yield number, _text(b"".join(held), name, number, offset), True


def read_text(path: str | Path) -> str:
    """Read a short text, such as a TOML file, as a whole.

    Raises:
        DataError: like ``iter_lines``; also if the text has more than ``LONGEST_LINE`` bytes.
    """
    with open_bytes(path) as stream:
        raw = stream.read(LONGEST_LINE + 1)
    if len(raw) > LONGEST_LINE:
        raise DataError(path, None, f"this file has more than {LONGEST_LINE:,} bytes; is it the right one?")
    return "\n".join(text for _, text in iter_lines(BytesIO(raw), str(path)))


@contextmanager
def open_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, which are decompressed if it is a gzip file, whatever its name is.

    Raises:
        DataError: if the file cannot be opened or read, or its compressed bytes are damaged.
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DataError(path, None, "there is no such file") from None
    except IsADirectoryError:
        raise DataError(path, None, "this is a folder, not a file") from None
    except OSError as error:
        raise file_error(error, path, "cannot be read", DataError) from None
    except ValueError:  # a path with a null character
        raise DataError(repr(str(path)), None, "there is no such file") from None
    with file:
        try:
            compressed = file.peek(len(_GZIP)).startswith(_GZIP)
            yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if compressed else file
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DataError(path, None, "this gzip file is damaged or not complete; copy it again") from None
        except OSError as error:
            raise DataError(path, None, f"cannot be read: {error.strerror}") from None


def without_gz(path: str | Path) -> Path:
    """The path without ``.gz`` at its end: the name of the text that a compressed file holds."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() == _SUFFIX else path


def plain_or_gz(path: Path) -> Path:
    """The path, or the path with ``.gz`` at its end if only that is a file."""
    compressed = path.with_name(path.name + _SUFFIX)
    return compressed if compressed.is_file() and not path.is_file() else path


def write_lines(target: str | Path | BinaryIO, lines: Iterable[bytes]) -> None:
    """Write lines to a file, whole or not at all, or to a binary stream.

    Raises:
        DataError: if the file cannot be written; it is then unchanged. It is also unchanged when ``lines`` raises.
        StorageError: if the disk is full or broken; the file is unchanged.
    """
    if not isinstance(target, (str, Path)):
        target.writelines(lines)
        return
    try:
        with whole_file(target) as file:
            file.writelines(lines)
    except OSError as error:
        raise file_error(error, target, "cannot be written", DataError) from None


def _text(raw: bytes, name: str, number: int, offset: int) -> str:
    """Decode a line, or a piece of one, that starts at a byte offset of the file; remove its line end."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if not offset and raw.startswith(_GZIP):  # only of a stream: a file would have been decompressed
            problem = "this is compressed by gzip; give the file by its name, or decompress it with gzip -dc"
            raise DataError(name, None, problem) from None
        place = f"byte offset {offset + error.start} of the file"
        raise DataError(name, number, f"this is not UTF-8 text ({place}); convert the file to UTF-8") from None
    return (text if offset else text.removeprefix(_BYTE_ORDER_MARK)).rstrip("\r\n")
