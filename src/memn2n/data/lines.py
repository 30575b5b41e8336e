"""Lines of a text file with their numbers, and errors that name both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from memn2n.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def iter_lines(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its line end), reading no more than a line at a time.

    Args:
        source: a path, or a binary stream, which is left open.
        name: what errors call a stream.

    Raises:
        DataError: for a file that cannot be opened, or a line that is not UTF-8.
    """
    if not isinstance(source, (str, Path)):
        yield from _decode(source, name or "<stream>")
        return
    path = Path(source)
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise DataError(path, None, "there is no such file") from None
    except IsADirectoryError:
        raise DataError(path, None, "this is a folder, not a file") from None
    except OSError as error:
        raise DataError(path, None, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a path with a null character
        raise DataError(repr(str(path)), None, "there is no such file") from None
    with stream:
        yield from _decode(stream, str(path))


def _decode(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(stream, 1):
        line = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError(name, number, "this is not UTF-8 text; convert the file to UTF-8") from None
        yield number, text.rstrip("\r\n")
