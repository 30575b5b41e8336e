"""The vocabulary of a text, its word ids, and their file."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from memn2n import Corpus, LMVocabulary, read_corpus
from memn2n.errors import DataError, InputError
from memn2n.lm.data import encoding
from memn2n.lm.data.corpus import split_files
from memn2n.lm.data.encoding import NumberedText, coverage, encode_corpus
from memn2n.words import EOS, UNK

SENTENCES = st.lists(st.lists(st.text("ab.é<\u0939", min_size=1), min_size=1), min_size=1)


@given(SENTENCES, st.sampled_from(["sentences", "running"]))
def test_text_survives_a_round_trip(sentences: list[list[str]], lines: str) -> None:
    between = "\n" if lines == "sentences" else "\n\n"
    corpus = Corpus.from_text(between.join(map(" ".join, sentences)), lines=lines)  # type: ignore[arg-type]
    vocabulary = NumberedText(corpus).vocabulary()
    found = [vocabulary.word(i) for i in encode_corpus(corpus, vocabulary)]
    assert found == [word for sentence in sentences for word in (*sentence, EOS)]


def test_a_vocabulary_cuts_as_its_text() -> None:
    corpus = Corpus.from_text("A cat, a hat.", tokens="words", lowercase=True)
    vocabulary = NumberedText(corpus).vocabulary(max_words=4)
    assert vocabulary == LMVocabulary(("a", ","), tokens="words", lowercase=True)
    with pytest.raises(
        DataError, match=r"<text>: there is no word but <unk> and <eos> .* occurs 9 times; lower min_count"
    ):
        NumberedText(corpus).vocabulary(min_count=9)
    with pytest.raises(DataError, match=r"there is no word but <unk> and <eos> in this text$"):
        NumberedText(Corpus.from_text("<unk>")).vocabulary()


@pytest.mark.parametrize("change", [{"tokens": "words"}, {"lowercase": True}])
def test_a_text_that_is_cut_in_another_way_is_refused(change: dict[str, object]) -> None:
    vocabulary = NumberedText(Corpus.from_text("a")).vocabulary()
    (name,) = change
    with pytest.raises(InputError, match=f"read it with {name}="):
        encode_corpus(Corpus.from_text("a", **change), vocabulary)  # type: ignore[arg-type]


def test_unknown_words_are_counted() -> None:
    vocabulary = LMVocabulary(("a",))
    found = coverage(encode_corpus(Corpus.from_text("a b\n<unk> a a\n"), vocabulary))
    assert found == (5, 2)
    assert found.unknown_share == 0.4
    assert coverage(np.empty(0, np.int32)).unknown_share == 0


TEXT = "the cat sat\non the mat\n"


def stored(tmp_path: Path, text: str = TEXT, most: int | None = None, **how: object) -> tuple[np.ndarray, int]:
    """The ids of a text by way of a cache file, and the number of that file: a new one each time it is written."""
    path = tmp_path / "text.txt"
    path.write_text(text)
    corpus = read_corpus(path, **how)  # type: ignore[arg-type]
    vocabulary = NumberedText(corpus).vocabulary(max_words=most)
    cache = tmp_path / "text.ids"
    ids = encode_corpus(corpus, vocabulary, cache)
    assert np.array_equal(ids, encode_corpus(corpus, vocabulary))
    assert ids.dtype == np.int32
    assert isinstance(ids, np.memmap)
    assert not ids.flags.writeable
    assert sorted(file.name for file in tmp_path.iterdir()) == ["text.ids", "text.txt"]
    return ids, cache.stat().st_mtime_ns


def test_ids_in_memory_are_read_only_too() -> None:
    ids = encode_corpus(Corpus.from_text(TEXT), LMVocabulary(("the",)))
    assert ids.dtype == np.int32
    assert ids.tolist() == [2, 0, 0, 1, 0, 2, 0, 1]
    assert not ids.flags.writeable


def test_the_same_text_is_encoded_once(tmp_path: Path) -> None:
    ids, written = stored(tmp_path)
    os.utime(tmp_path / "text.txt", (0, 0))  # another timestamp does not make another text of it
    again, then = stored(tmp_path)
    assert then == written
    assert np.array_equal(ids, again)


@pytest.mark.parametrize(
    "change",
    [{"text": TEXT.replace("cat", "hat")}, {"most": 4}, {"lines": "running"}, {"lowercase": True}, {"tokens": "words"}],
)
def test_another_text_or_setting_is_encoded_again(tmp_path: Path, change: dict[str, object]) -> None:
    _, written = stored(tmp_path)
    os.utime(tmp_path / "text.txt", (0, 0))
    _, then = stored(tmp_path, **change)  # type: ignore[arg-type]
    assert then != written


def test_a_damaged_cache_is_never_trusted(tmp_path: Path) -> None:
    cache = tmp_path / "text.ids"
    stored(tmp_path)
    raw = cache.read_bytes()
    damaged = [b"", raw[:100], raw[:-1], raw[:-4], raw + bytes(4), raw + b"x", bytes(len(raw)), b"another program's"]
    damaged += [raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :] for i in range(0, len(raw), 7)]
    for content in damaged:
        cache.write_bytes(content)
        stored(tmp_path)
        assert cache.read_bytes() == raw


def test_other_programs_can_read_the_cache(tmp_path: Path) -> None:
    ids, _ = stored(tmp_path)
    tensors = safetensors.numpy.load_file(tmp_path / "text.ids")
    assert np.array_equal(tensors["ids"], ids)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    corpus = Corpus.from_text(TEXT)
    vocabulary = NumberedText(corpus).vocabulary()
    with pytest.raises(DataError, match=r"none/a\.ids: cannot be written: No such file"):
        encode_corpus(corpus, vocabulary, tmp_path / "none" / "a.ids")
    with pytest.raises(DataError, match="cannot be written"):
        encode_corpus(corpus, vocabulary, tmp_path)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from tests.lm.data import test_encoding
folder, moment, count = Path(sys.argv[1]), int(sys.argv[2]), 0

def hook(event, args):
    global count
    if event in ("open", "os.rename", "os.remove") and ".ids" in str(args[0]):
        count += 1
        if count == moment:
            os._exit(9)

sys.addaudithook(hook)
test_encoding.stored(folder, "another text")
"""


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    for moment in range(1, 20):
        folder = tmp_path / str(moment)
        folder.mkdir()
        stored(folder)
        before = (folder / "text.ids").read_bytes()
        status = subprocess.run(
            [sys.executable, "-c", KILLED, folder, str(moment)], cwd=Path(__file__).parents[3], check=False
        ).returncode
        assert status in {0, 9}
        if status == 0:
            assert (folder / "text.ids").read_bytes() != before
            break
        for left in folder.glob("*.partial"):
            os.utime(left, (0, 0))  # an hour later
        (folder / "text.ids").write_bytes((folder / "text.ids").read_bytes() + b"x")  # to be written again
        stored(folder)
    assert moment > 3


def test_an_interrupted_encoding_leaves_the_cache_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus.from_text(TEXT)
    encode_corpus(corpus, NumberedText(corpus).vocabulary(), tmp_path / "a.ids")
    before = (tmp_path / "a.ids").read_bytes()
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"a\n" * 10 + b"\xff")
    monkeypatch.setattr(encoding, "_CHUNK", 4)
    with pytest.raises(DataError, match=r"bad\.txt:11"):
        encode_corpus(read_corpus(bad), LMVocabulary(("a",)), tmp_path / "a.ids")
    assert (tmp_path / "a.ids").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ids", "bad.txt"]


@pytest.mark.parametrize("how", ["twice", "once"])
@pytest.mark.parametrize("space", ["\n", " "])
def test_memory_is_flat_however_long_the_text_or_the_line(tmp_path: Path, space: str, how: str) -> None:
    """Whether the text is read twice, for its vocabulary and its ids, or once."""
    path = tmp_path / "long.txt"
    with path.open("w") as file:
        for _ in range(50):
            file.write(f"some words that stand here again{space}" * 2_000)
    assert path.stat().st_size > 3e6
    corpus = read_corpus(path)
    tracemalloc.start()
    try:
        if how == "twice":
            ids = encode_corpus(corpus, NumberedText(corpus, tmp_path).vocabulary(), tmp_path / "long.ids")
        else:
            text = NumberedText(corpus, tmp_path)
            ids = text.ids(text.vocabulary(), tmp_path / "long.ids")
        assert coverage(ids).unknown == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(ids) == 600_000 + (100_000 if space == "\n" else 1)
    assert peak < 8e6, "the words in a list, and their ids, take more than 30 MB"


def test_penn_treebank(real_data: Path) -> None:
    if not (real_data / "ptb" / "ptb.train.txt").is_file():
        pytest.skip(f"the Penn Treebank files are not in {real_data / 'ptb'}; name the folder above with MEMN2N_DATA")
    train, valid, _ = split_files(real_data / "ptb", "ptb")
    assert valid is not None
    vocabulary = NumberedText(read_corpus(train)).vocabulary()
    assert len(vocabulary) == 10_000
    assert vocabulary.word(2) == "the"
    for path, tokens in ((train, 929_589), (valid, 73_760)):
        ids = encode_corpus(read_corpus(path), vocabulary)
        assert len(ids) == tokens
        literal = path.read_text().split().count(UNK)
        assert coverage(ids).unknown == literal, "every word of theirs is known"


@given(
    st.lists(st.sampled_from(["a", "bc", "é", "b", EOS, UNK, "\n"]), min_size=1),
    st.integers(0, 9), st.integers(1, 3), st.integers(1, 5), st.booleans(),
)  # fmt: skip
def test_a_text_that_is_read_once_gives_the_same(
    tokens: list[str], held_out: int, min_count: int, chunk: int, in_folder: bool
) -> None:
    """The same vocabulary and ids as counting its first words in one pass and encoding it in another."""
    corpus = Corpus.from_text("word word word " + " ".join(tokens))
    words = list(corpus.words())
    first = max(len(words) - held_out, 3)
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(encoding, "_CHUNK", chunk)
        text = NumberedText(corpus, Path(folder) if in_folder else None)
        assert list(Path(folder).iterdir()) == []
        assert len(text) == len(words)
        vocabulary = text.vocabulary(first, min_count=min_count)
        assert vocabulary == LMVocabulary.build(words[:first], min_count=min_count)
        wanted = encode_corpus(corpus, vocabulary)
        for cache in (None, Path(folder) / "text.ids"):
            ids = text.ids(vocabulary, cache)
            assert ids.dtype == np.int32
            assert not ids.flags.writeable
            assert np.array_equal(ids, wanted)
