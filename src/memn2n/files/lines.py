"""Read the lines of a text file with their numbers, and write a file line by line."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from memn2n.errors import DataError, file_error
from memn2n.files.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader

_BYTE_ORDER_MARK = "\ufeff"


def iter_lines(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its line end) while reading, so that memory holds one line at a time.

    Args:
        source: a path, or a binary stream, which stays open.
        name: the name of a stream in errors.

    Raises:
        DataError: if the file cannot be opened, or a line is not UTF-8.
    """
    where = str(source) if isinstance(source, (str, Path)) else name or "<stream>"
    offset = 0
    with open_bytes(source) if isinstance(source, (str, Path)) else nullcontext(source) as stream:
        for number, raw in enumerate(stream, 1):
            yield number, _text(raw, where, number, offset)
            offset += len(raw)


def iter_pieces(stream: BinaryIO, name: str, limit: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (line number from 1, text, whether the line ends here), in pieces of about ``limit`` bytes.

    A line longer than ``limit`` is split after spaces. A longer run of bytes without a space is not split: its piece is
    that run, and at most ``limit`` bytes after it. The last piece of the text may end with a space, not a line end.

    Raises:
        DataError: if a piece is not UTF-8.
    """
    number, offset = 1, 0
    held: list[bytes] = []  # the start of the next piece
    while raw := stream.readline(limit):
        ends = raw.endswith(b"\n") or len(raw) < limit
        cut = len(raw) if ends else raw.rfind(b" ") + 1
        if not cut:
            held.append(raw)
            continue
        piece = b"".join((*held, raw[:cut])) if held else raw[:cut]
        held = [raw[cut:]] if cut < len(raw) else []
        yield number, _text(piece, name, number, offset), ends
        offset += len(piece)
        number += ends
    if held:
        yield number, _text(b"".join(held), name, number, offset), True


def open_bytes(path: str | Path) -> BufferedReader:
    """Open a file for reading bytes.

    Raises:
        DataError: if the file cannot be opened.
    """
    path = Path(path)
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise DataError(path, None, "there is no such file") from None
    except IsADirectoryError:
        raise DataError(path, None, "this is a folder, not a file") from None
    except OSError as error:
        raise file_error(error, path, "cannot be read", DataError) from None
    except ValueError:  # a path with a null character
        raise DataError(repr(str(path)), None, "there is no such file") from None


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
        place = f"byte offset {offset + error.start} of the file"
        raise DataError(name, number, f"this is not UTF-8 text ({place}); convert the file to UTF-8") from None
    return (text if offset else text.removeprefix(_BYTE_ORDER_MARK)).rstrip("\r\n")
