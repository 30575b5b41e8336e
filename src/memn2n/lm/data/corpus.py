"""Running text for the language model: files of any size, read line by line, and their word ids."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, get_args

import numpy as np

from memn2n.errors import ConfigError, DataError, InputError, Setting
from memn2n.files.lines import iter_pieces, open_bytes
from memn2n.lm.data.ids import read_ids, write_ids
from memn2n.lm.vocabulary import EOS, EOS_ID, UNK, UNK_ID, LMVocabulary, Tokens, check_tokens, cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from memn2n.lm.data.ids import Ids

Lines = Literal["sentences", "running"]
"""What a line is: a sentence, or a part of a paragraph that a blank line ends."""

_PIECE = 1 << 16  # bytes: a longer line is read in pieces
_CHUNK = 1 << 18  # ids that are made at a time
_IDS_FORMAT = 1  # to be raised whenever the same text and vocabulary give other ids, so that stored ones are made anew


@dataclass(frozen=True)
class Corpus:
    """Text that is not yet encoded; made by ``read_corpus`` or ``from_text``.

    A file is read line by line, and anew each time, so that it may be larger than memory (a line may be, too, where
    spaces separate its words). It must not change meanwhile.

    Args:
        source: a file, or a text's UTF-8 bytes.
        name: what errors call it.
        tokens: how the text is cut: "space" (prepared text) or "words" (raw text); see ``memn2n.lm.vocabulary.cut``.
        lines: "sentences": ``<eos>`` ends every line that is not blank. "running": line ends mean nothing, and
            ``<eos>`` ends a paragraph, which a blank line or the end of the text does. No second ``<eos>`` is put
            where the text has one there.
        lowercase: whether text is lower-cased.

    Raises:
        ConfigError: if ``tokens`` or ``lines`` is not one of these.
    """

    source: Path | bytes = field(repr=False)
    name: str
    tokens: Tokens = "space"
    lines: Lines = "sentences"
    lowercase: bool = False

    def __post_init__(self) -> None:
        check_tokens(self.tokens)
        if self.lines not in get_args(Lines):
            raise ConfigError(Setting("lines"), f" is {self.lines!r}: it must be one of {', '.join(get_args(Lines))}")

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        tokens: Tokens = "space",
        lines: Lines = "sentences",
        lowercase: bool = False,
        name: str = "<text>",
    ) -> Self:
        """A corpus of a text in memory; its arguments are those of the class.

        Raises:
            InputError: if a character of the text is half of a surrogate pair.
        """
        try:
            return cls(text.encode(), name, tokens, lines, lowercase)
        except UnicodeEncodeError as error:
            raise InputError(f"{name}: character {error.start} is half of a surrogate pair; take it out") from None

    def words(self) -> Iterator[str]:
        """The tokens of the text, ``<eos>`` included, as they come.

        Raises:
            DataError: if there is none, the file cannot be read any more, or a line is not UTF-8; while iterating.
        """
        return chain.from_iterable(self._runs())

    def digest(self) -> str:
        """SHA-256 of the text's bytes.

        Raises:
            DataError: if the file cannot be read any more.
        """
        with self._open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _open(self) -> BytesIO | BufferedReader:
        return BytesIO(self.source) if isinstance(self.source, bytes) else open_bytes(self.source)

    def _runs(self) -> Iterator[list[str]]:
        """The tokens, those of a line or of a piece of it at a time."""
        some = inside = False  # whether there was a word, and whether one came after the last <eos>
        blank = True  # whether this line is, so far
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
    """A text file, which is read when the corpus is used; the arguments are those of ``Corpus``.

    Raises:
        DataError: if there is no such file, or it cannot be read.
        ConfigError: if ``tokens`` or ``lines`` is unknown.
    """
    path = Path(path)
    if not path.is_file() and not path.is_dir() and path.exists():
        raise DataError(path, None, "this is not a regular file, and can be read once only; write the text to a file")
    open_bytes(path).close()
    return Corpus(path, str(path), tokens, lines, lowercase)


def split_files(data_dir: str | Path, data_name: str) -> tuple[Path, Path | None, Path | None]:
    """The files ``NAME.train.txt``, ``NAME.valid.txt`` and ``NAME.test.txt`` of a folder.

    Returns:
        Their paths; ``None`` for validation or test data that are not there.

    Raises:
        DataError: if the folder or the training file is not there.
    """
    folder = Path(data_dir)
    if not folder.is_dir():
        raise DataError(folder, None, "there is no such folder")
    train, valid, test = (folder / f"{data_name}.{part}.txt" for part in ("train", "valid", "test"))
    if not train.is_file():
        names = sorted(path.name for path in folder.glob("*.txt"))
        there = "; there is: " + ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") if names else ""
        raise DataError(folder, None, f"there is no {train.name} here{there}")
    return train, valid if valid.is_file() else None, test if test.is_file() else None


def build_vocabulary(
    corpus: Corpus, *, min_count: int = 1, max_words: int | None = None, first: int | None = None
) -> LMVocabulary:
    """The vocabulary of a text, which should be the training text alone; the text is read once.

    Args:
        corpus: the text.
        first: how many tokens of its beginning to count; all by default.
        min_count: how often a word must stand there, 1 or more; rarer ones are ``<unk>``.
        max_words: the greatest number of ids, ``<unk>`` and ``<eos>`` included, 3 or more.

    Raises:
        DataError: if the text cannot be read, or no word remains.
        ConfigError: if ``min_count`` or ``max_words`` is out of range.
    """
    vocabulary = LMVocabulary.build(
        islice(corpus.words(), first),
        tokens=corpus.tokens,
        lowercase=corpus.lowercase,
        min_count=min_count,
        max_words=max_words,
    )
    if not vocabulary.words:
        times = f" that stands {min_count} times; lower min_count" if min_count > 1 else ""
        raise DataError(corpus.name, None, f"there is no word but {UNK} and {EOS} in this text{times}")
    return vocabulary


def encode_corpus(corpus: Corpus, vocabulary: LMVocabulary, cache: str | Path | None = None) -> Ids:
    """The id of each token of a text.

    With a cache file, memory stays flat whatever the text's length, and a later call with the same text and vocabulary
    reuses the file. The same text is one with the same bytes, wherever it lies and whenever it was written: hashing it
    takes a small part of the time that encoding does, and is not deceived by a clock or by a copy. A cache that is of
    anything else, or damaged, is written anew.

    Args:
        corpus: the text.
        vocabulary: must cut text as the corpus does.
        cache: a file such as ``RUN/train.ids`` in a folder that is there; without it the ids are in memory.

    Returns:
        (tokens) int32, read-only; an np.memmap with a cache.

    Raises:
        DataError: if the text cannot be read or holds no word, or the cache cannot be written.
        InputError: if the vocabulary cuts text in another way.
    """
    for name in ("tokens", "lowercase"):
        given, wanted = getattr(corpus, name), getattr(vocabulary, name)
        if given != wanted:
            raise InputError(f"{corpus.name} is read with {name} {given!r}, but the vocabulary was built with "
                             f"{wanted!r}; read it with {name}={wanted!r}")  # fmt: skip
    if cache is None:
        ids = np.concatenate(list(_chunks(corpus, vocabulary)))
        ids.setflags(write=False)
        return ids
    key = _key(corpus, vocabulary)
    stored = read_ids(Path(cache), key)
    return write_ids(Path(cache), key, _chunks(corpus, vocabulary)) if stored is None else stored


def _chunks(corpus: Corpus, vocabulary: LMVocabulary) -> Iterator[Ids]:
    ids = vocabulary.ids(corpus.words())
    while len(chunk := np.fromiter(islice(ids, _CHUNK), np.int32)):
        yield chunk


def _key(corpus: Corpus, vocabulary: LMVocabulary) -> str:
    """What the ids depend on."""
    parts = [_IDS_FORMAT, corpus.digest(), corpus.lines, vocabulary.to_dict()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Coverage(NamedTuple):
    """How much of a text a vocabulary holds; of words, without ``<eos>``."""

    words: int
    unknown: int
    """Words that are ``<unk>``, in the text itself or for want of an entry."""

    @property
    def unknown_share(self) -> float:
        """From 0 to 1; 0 where there is no word."""
        return self.unknown / max(self.words, 1)


def coverage(ids: Ids) -> Coverage:
    """Count the words, and the unknown ones, of ids (tokens) that ``encode_corpus`` made; memory stays flat."""
    ends = unknown = 0
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        ends += int(np.count_nonzero(chunk == EOS_ID))
        unknown += int(np.count_nonzero(chunk == UNK_ID))
    return Coverage(len(ids) - ends, unknown)


def encode_known(corpus: Corpus, vocabulary: LMVocabulary, cache: str | Path | None = None) -> Ids:
    """``encode_corpus`` of a text that a model of this vocabulary is trained or tested on.

    Raises:
        DataError: as ``encode_corpus``.
        InputError: likewise; for fewer than two tokens (the first one cannot be predicted), or no known word.
    """
    ids = encode_corpus(corpus, vocabulary, cache)
    if len(ids) < 2:
        raise InputError(f"{corpus.name} has one word, and the first one cannot be predicted; give more text")
    found = coverage(ids)
    if found.unknown == found.words:
        raise InputError(f"{corpus.name}: the model knows none of its {found.words:,} words; is it of the same "
                         "language, case and way of cutting words as the training text?")  # fmt: skip
    return ids
