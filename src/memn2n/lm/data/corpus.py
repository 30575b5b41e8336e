"""Running text for the language model: files of any size, read line by line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self, get_args

from memn2n.errors import DataError, InputError
from memn2n.files.lines import iter_pieces, open_bytes, plain_or_gz
from memn2n.lm.vocabulary import Lines, Tokens, cut
from memn2n.settings import check_choice
from memn2n.words import EOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

_PIECE = 1 << 16  # bytes; longer lines are read in pieces


@dataclass(frozen=True)
class Corpus:
    """A text, and how to read it; made by ``read_corpus`` or ``from_text``.

    Each use reads the file again, line by line, so it may be larger than memory. A line may be larger than memory too,
    if it has spaces between its words. The file must not change while it is in use.

    Args:
        source: a file, which may be compressed by gzip, or the UTF-8 bytes of a text.
        name: name of the text in error messages.
        tokens: how to cut the text: "space" (prepared text) or "words" (raw text); see ``memn2n.lm.vocabulary.cut``.
        lines: with "sentences", ``<eos>`` follows each line that is not blank. With "running", line ends have no
            meaning, and ``<eos>`` follows each paragraph, which ends at a blank line or at the end of the text. Where
            the text has ``<eos>`` itself, no second one is added.
        lowercase: whether to lower-case the text.

    Raises:
        ConfigError: if ``tokens`` or ``lines`` has another value.
    """

    source: Path | bytes = field(repr=False)
    name: str
    tokens: Tokens = "space"
    lines: Lines = "sentences"
    lowercase: bool = False

    def __post_init__(self) -> None:
        check_choice("tokens", self.tokens, get_args(Tokens))
        check_choice("lines", self.lines, get_args(Lines))

    @classmethod
    def from_text(
        cls, text: str, *, tokens: Tokens = "space", lines: Lines = "sentences", lowercase: bool = False,
        name: str = "<text>",
    ) -> Self:  # fmt: skip
        """Make a corpus of a text in memory; the arguments are those of the class.

        Raises:
            InputError: if a character of the text is half of a surrogate pair.
        """
        try:
            return cls(text.encode(), name, tokens, lines, lowercase)
        except UnicodeEncodeError as error:
            raise InputError(f"{name}: character {error.start} is half of a surrogate pair; remove it") from None

    def words(self) -> Iterator[str]:
        """Yield the tokens of the text, ``<eos>`` included.

        Raises:
            DataError: while iterating, if the text has no token, cannot be read, or is not UTF-8.
        """
        return chain.from_iterable(self._runs())

    def digest(self) -> str:
        """Return the SHA-256 of the text's bytes; raises DataError if the file cannot be read."""
        with self._open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]

    def _open(self) -> AbstractContextManager[BinaryIO]:
        return BytesIO(self.source) if isinstance(self.source, bytes) else open_bytes(self.source)

    def _runs(self) -> Iterator[list[str]]:
        """Yield the tokens of a line, or of a piece of a long line, at a time."""
        some = False  # whether the text has a token so far
        inside = False  # whether there is a token after the last <eos>
        blank = True  # whether this line has no token so far
        with self._open() as stream:
            for _, text, ends in iter_pieces(stream, self.name, _PIECE):
                words = cut(text, self.tokens, self.lowercase)
                if words:
                    some, blank, inside = True, False, words[-1] != EOS
                if ends:
                    if inside and (blank or self.lines == "sentences"):
                        words.append(EOS)
                        inside = False
                    blank = True
                yield words
        if inside:
            yield [EOS]
        if not some:
            raise DataError(self.name, None, "there is no word in this text")


def read_corpus(
    path: str | Path, *, tokens: Tokens = "space", lines: Lines = "sentences", lowercase: bool = False
) -> Corpus:
    """Make a corpus of a text file, which is read when the corpus is used; the arguments are those of ``Corpus``.

    Raises:
        DataError: if there is no such file, or it cannot be read.
        ConfigError: if ``tokens`` or ``lines`` is unknown.
    """
    path = Path(path)
    if not path.is_file() and not path.is_dir() and path.exists():
        raise DataError(path, None, "this is not a regular file and can be read only once; write the text to a file")
    with open_bytes(path):
        return Corpus(path, str(path), tokens, lines, lowercase)


def split_files(data_dir: str | Path, data_name: str) -> tuple[Path, Path | None, Path | None]:
    """Find ``NAME.train.txt``, ``NAME.valid.txt`` and ``NAME.test.txt``; the last two are None if they do not exist.

    Each file may be compressed, and have ``.gz`` at the end of its name.

    Raises:
        DataError: if the folder or the training file does not exist.
    """
    folder = Path(data_dir)
    if not folder.is_dir():
        raise DataError(folder, None, "there is no such folder")
    train, valid, test = (plain_or_gz(folder / f"{data_name}.{part}.txt") for part in ("train", "valid", "test"))
    if not train.is_file():
        names = sorted(path.name for path in folder.glob("*.txt*"))
        there = "; there is: " + ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") if names else ""
        raise DataError(folder, None, f"there is no {train.name} here{there}")
    return train, valid if valid.is_file() else None, test if test.is_file() else None
