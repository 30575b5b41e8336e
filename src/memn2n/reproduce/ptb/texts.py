"""The texts of Penn Treebank, from the files ptb.train.txt, ptb.valid.txt and ptb.test.txt, compressed (.gz) or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import DataError
from memn2n.files.lines import plain_or_gz
from memn2n.lm.data.corpus import Corpus, read_corpus
from memn2n.lm.data.encoding import NumberedText, check_known, encode_corpus
from memn2n.lm.training.checkpoints import text_digests
from memn2n.reproduce.ptb.recipe import LM_TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.vocabulary import LMVocabulary


class Texts(NamedTuple):
    """Texts to train and test on."""

    folder: Path  # of the files
    train: Corpus
    valid: Corpus
    vocabulary: LMVocabulary  # the words of the training text
    digests: dict[str, str]  # by which a checkpoint recognizes its texts
    valid_ids: Ids
    test_ids: Ids | None  # None if its file is missing


def read_texts(data: Path) -> Texts:
    """Read the texts of a folder, or of its subfolder ``ptb``.

    Raises:
        DataError: if the training or validation text is missing, or a text cannot be read.
        InputError: if a text is too short, or has no word of the vocabulary.
    """

    def files(folder: Path) -> list[Path]:
        return [plain_or_gz(folder / f"{LM_TABLE}.{part}.txt") for part in ("train", "valid", "test")]

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

    valid_ids = encode(valid)
    test_ids = encode(read_corpus(test_file)) if test_file.is_file() else None
    return Texts(folder, train, valid, vocabulary, text_digests(train_ids, valid_ids), valid_ids, test_ids)
