"""The vocabulary of a text, and the text as word ids."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memn2n.errors import DataError, InputError, file_error
from memn2n.lm.data.corpus import Corpus
from memn2n.lm.data.ids import read_ids, write_ids
from memn2n.lm.vocabulary import EOS_ID, UNK_ID, LMVocabulary
from memn2n.terminal import quoted
from memn2n.words import EOS, UNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.lm.data.ids import Ids

_CHUNK = 1 << 18  # ids that are computed at a time
_IDS_FORMAT = 2  # increase it when the same text and vocabulary get other ids, so that stored ids are not used


class NumberedText:
    """A text that is cut into words only once, although its vocabulary and its length follow from it.

    Each distinct word has the number of its first occurrence among the distinct words. The vocabulary and the word ids
    are computed from these numbers. A temporary file in ``folder``, which must exist, keeps them, so that memory does
    not grow with the text; without a folder they are in memory.

    Raises:
        DataError: if the text cannot be read or has no word, or the folder cannot be written.
    """

    def __init__(self, corpus: Corpus, folder: Path | None = None) -> None:
        self._corpus = corpus
        self._words: dict[str, int] = defaultdict(count().__next__)
        chunks = _chunks(map(self._words.__getitem__, corpus.words()))
        if folder is None:
            self._numbers = np.concatenate(list(chunks))
            return
        try:
            with TemporaryFile(dir=folder) as file:
                for chunk in chunks:
                    file.write(chunk.data)
                file.flush()
                self._numbers = np.memmap(file, np.int32, "r")
        except OSError as error:
            raise file_error(error, folder, "cannot be written", DataError) from None

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self._numbers)

    def vocabulary(self, first: int | None = None, *, min_count: int = 1, max_words: int | None = None) -> LMVocabulary:
        """Make the vocabulary of the text, which should be the training text alone.

        Args:
            first: number of tokens at the beginning to count; by default all.
            min_count: 1 or more; words that occur fewer times are unknown.
            max_words: 3 or more; the largest number of ids, ``<unk>`` and ``<eos>`` included.

        Raises:
            DataError: if no word remains.
            ConfigError: if ``min_count`` or ``max_words`` is out of range.
        """
        counts = np.zeros(len(self._words), np.int64)
        for chunk in _slices(self._numbers[:first]):
            counts += np.bincount(chunk, minlength=len(counts))
        corpus, by_word = self._corpus, dict(zip(self._words, counts.tolist(), strict=True))
        vocabulary = LMVocabulary.build(
            by_word, tokens=corpus.tokens, lowercase=corpus.lowercase, min_count=min_count, max_words=max_words
        )
        if not vocabulary.words:
            times = f" that occurs {min_count} times; lower min_count" if min_count > 1 else ""
            raise DataError(corpus.name, None, f"there is no word but {UNK} and {EOS} in this text{times}")
        return vocabulary

    def ids(self, vocabulary: LMVocabulary, cache: str | Path | None = None) -> Ids:
        """Return what ``encode_corpus`` returns for a vocabulary of this text."""
        table = np.fromiter(vocabulary.ids(self._words), np.int32, len(self._words))
        return _stored(self._corpus, vocabulary, cache, (table[chunk] for chunk in _slices(self._numbers)))


def encode_corpus(corpus: Corpus, vocabulary: LMVocabulary, cache: str | Path | None = None) -> Ids:
    """Return the id of each token of a text.

    With a cache file, memory does not grow with the text, and a later call with the same vocabulary and a text of the
    same bytes uses the file. Hashing the bytes takes a small part of the time of encoding them. A damaged or different
    cache file is replaced.

    Args:
        corpus: the text.
        vocabulary: must cut text as the corpus does.
        cache: a file such as ``RUN/train.ids`` in an existing folder; without it the ids are in memory.

    Returns:
        (tokens) int32, read-only; an np.memmap if there is a cache file.

    Raises:
        DataError: if the text cannot be read or has no word, or the cache file cannot be written.
        InputError: if ``corpus`` is not a Corpus, or the vocabulary cuts text in another way.
    """
    if not isinstance(corpus, Corpus):
        raise InputError(f"{quoted(corpus)} is not a text: it must be of type Corpus, such as MemoryLM.read(file)")
    for name in ("tokens", "lowercase"):
        given, wanted = getattr(corpus, name), getattr(vocabulary, name)
        if given != wanted:
            raise InputError(f"{corpus.name} is read with {name} {given!r}, but the vocabulary was built with "
                             f"{wanted!r}; read it with {name}={wanted!r}")  # fmt: skip
    return _stored(corpus, vocabulary, cache, _chunks(vocabulary.ids(corpus.words())))


class Coverage(NamedTuple):
    """How many words of a text are in a vocabulary; ``<eos>`` does not count as a word."""

    words: int
    unknown: int  # words that are ``<unk>`` in the text, or not in the vocabulary

    @property
    def unknown_share(self) -> float:
        """From 0 to 1; 0 if there is no word."""
        return self.unknown / max(self.words, 1)


def coverage(ids: Ids) -> Coverage:
    """Count the words, and the unknown ones, of a text's ids (tokens); memory does not grow with the text."""
    ends = unknown = 0
    for chunk in _slices(ids):
        ends += int(np.count_nonzero(chunk == EOS_ID))
        unknown += int(np.count_nonzero(chunk == UNK_ID))
    return Coverage(len(ids) - ends, unknown)


def check_known(corpus: Corpus, ids: Ids) -> Coverage:
    """Check that a model can be trained or tested on a text, and return the text's coverage.

    Raises:
        InputError: if the text has fewer than two tokens (the first one cannot be predicted), or no known word.
    """
    if len(ids) < 2:
        raise InputError(f"{corpus.name} has one word, and the first one cannot be predicted; give more text")
    found = coverage(ids)
    if found.unknown == found.words:
        raise InputError(f"{corpus.name}: the model knows none of its {found.words:,} words; is it of the same "
                         "language, case and way of cutting words as the training text?")  # fmt: skip
    return found


def _stored(corpus: Corpus, vocabulary: LMVocabulary, cache: str | Path | None, chunks: Iterable[Ids]) -> Ids:
    """Return the ids in memory, or by way of a cache file."""
    if cache is None:
        ids = np.concatenate(list(chunks))
        ids.setflags(write=False)
        return ids
    parts = [_IDS_FORMAT, corpus.digest(), corpus.lines, vocabulary.to_dict()]  # everything that the ids depend on
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    stored = read_ids(Path(cache), key)
    return write_ids(Path(cache), key, chunks) if stored is None else stored


def _chunks(ids: Iterator[int]) -> Iterator[Ids]:
    while len(chunk := np.fromiter(islice(ids, _CHUNK), np.int32)):
        yield chunk


def _slices(ids: Ids) -> Iterator[Ids]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
