"""The texts of Penn Treebank, from the files ptb.train.txt, ptb.valid.txt and ptb.test.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import DataError
from memn2n.lm.data.corpus import Corpus, read_corpus
from memn2n.lm.data.encoding import NumberedText, check_known, encode_corpus
from memn2n.lm.training.checkpoints import text_digests
from memn2n.reproduce.ptb.paper import LM_TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.vocabulary import LMVocabulary


class Texts(NamedTuple):
    """Texts to train and test on.

    Args:
        folder: the folder of the files.
        train: the training text.
        valid: the validation text.
        vocabulary: the words of the training text.
        train_ids: (words) ids of the training text.
        valid_ids: (words) ids of the validation text.
        test_ids: (words) ids of the test text; None if its file is missing.
    """

    folder: Path
    train: Corpus
    valid: Corpus
    vocabulary: LMVocabulary
    train_ids: Ids
    valid_ids: Ids
    test_ids: Ids | None

    @property
    def digests(self) -> dict[str, str]:
        """The digests by which a checkpoint recognizes its texts."""
        return text_digests(self.train_ids, self.valid_ids)


def read_texts(data: Path) -> Texts:
    """Read the texts of a folder, or of its subfolder ``ptb``.

    Raises:
        DataError: if the training or validation text is missing, or a text cannot be read.
        InputError: if a text is too short, or has no word of the vocabulary.
    """

    def files(folder: Path) -> list[Path]:
        return [folder / f"{LM_TABLE}.{part}.txt" for part in ("train", "valid", "test")]

    folder = data / LM_TABLE if not files(data)[0].is_file() and files(data / LM_TABLE)[0].is_file() else data
    train_file, valid_file, test_file = files(folder)
    for path in (train_file, valid_file):
        if not path.is_file():
            names = f"{train_file.name}, {valid_file.name} and {test_file.name}"
            raise DataError(folder, None, f"there is no {path.name} here; name the folder of {names} with --data")
    train, valid = read_corpus(train_file), read_corpus(valid_file)
    text = NumberedText(train)
    vocabulary = text.vocabulary()
    train_ids = text.ids(vocabulary)
    check_known(train, train_ids)

    def encode(corpus: Corpus) -> Ids:
        ids = encode_corpus(corpus, vocabulary)
        check_known(corpus, ids)
        return ids

    test_ids = encode(read_corpus(test_file)) if test_file.is_file() else None
    return Texts(folder, train, valid, vocabulary, train_ids, encode(valid), test_ids)
