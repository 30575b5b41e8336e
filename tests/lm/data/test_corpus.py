import os
import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import example, given
from hypothesis import strategies as st

from memn2n import Corpus, LMVocabulary, read_corpus
from memn2n.errors import ConfigError, DataError, InputError
from memn2n.files.lines import iter_lines, iter_pieces
from memn2n.lm.data import corpus as corpus_module
from memn2n.lm.data.corpus import build_vocabulary, coverage, encode_corpus, split_files
from memn2n.lm.vocabulary import EOS, UNK


def words(text: str, lines: str = "sentences") -> list[str]:
    return list(Corpus.from_text(text, lines=lines).words())  # type: ignore[arg-type]


def test_each_line_is_a_sentence_unless_it_is_blank() -> None:
    assert words("a b\n\n \t\n  c\r\nd") == ["a", "b", EOS, "c", EOS, "d", EOS]


def test_a_blank_line_ends_a_paragraph_of_running_text() -> None:
    assert words("\n\na b\nc\n\n \n\nd\n", "running") == ["a", "b", "c", EOS, "d", EOS]
    assert words("a\n \nb", "running") == ["a", EOS, "b", EOS]


@pytest.mark.parametrize("lines", ["sentences", "running"])
def test_an_end_that_the_text_has_is_not_doubled(lines: str) -> None:
    assert words("a <eos>\n\nb <eos> c\n\n<eos>\n", lines) == ["a", EOS, "b", EOS, "c", EOS, EOS]


SENTENCES = st.lists(st.lists(st.text("ab.é<\u0939", min_size=1), min_size=1), min_size=1)


@given(SENTENCES, st.sampled_from(["sentences", "running"]))
def test_text_survives_a_round_trip(sentences: list[list[str]], lines: str) -> None:
    between = "\n" if lines == "sentences" else "\n\n"
    corpus = Corpus.from_text(between.join(map(" ".join, sentences)), lines=lines)  # type: ignore[arg-type]
    vocabulary = build_vocabulary(corpus)
    found = [vocabulary.word(i) for i in encode_corpus(corpus, vocabulary)]
    assert found == [word for sentence in sentences for word in (*sentence, EOS)]


@given(st.binary(), st.integers(1, 9))
@example(b"abcd e", 4)
def test_pieces_are_the_lines(raw: bytes, limit: int) -> None:
    raw = raw.decode(errors="ignore").encode()
    lines: dict[int, str] = {}
    for number, text, ends in iter_pieces(BytesIO(raw), "x", limit):
        assert number == len(lines) + (number not in lines)
        lines[number] = lines.get(number, "") + text
        assert ends or text.endswith(" ")
        assert limit >= len(text.encode()) or " " not in text[:-1]
    joined = [(number, text.rstrip("\r\n")) for number, text in lines.items()]
    assert joined == list(iter_lines(BytesIO(raw)))


@given(
    st.lists(st.sampled_from(["a", "bc", "é", " ", "  ", "\n", "\n\n", "<eos>", "."])).map("".join),
    st.integers(1, 6),
    st.sampled_from(["sentences", "running"]),
    st.sampled_from(["space", "words"]),
)
def test_long_lines_may_be_read_in_pieces(text: str, limit: int, lines: str, tokens: str) -> None:
    corpus = Corpus.from_text(text + "end", lines=lines, tokens=tokens)  # type: ignore[arg-type]
    whole = list(corpus.words())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "_PIECE", limit)
        assert list(corpus.words()) == whole


def test_a_file_is_the_same_as_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffCafé, no.\nb\n".encode())
    for path in (tmp_path / "a.txt", str(tmp_path / "a.txt")):
        corpus = read_corpus(path, tokens="words", lowercase=True)
        assert list(corpus.words()) == ["café", ",", "no", ".", EOS, "b", EOS]
        assert next(corpus.words()) == "café", "it can be read again"


def test_files_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt: there is no such file"):
        read_corpus(tmp_path / "none.txt")
    with pytest.raises(DataError, match="this is a folder"):
        read_corpus(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ConfigError, match="lines is 'all': it must be one of sentences, running"):
        read_corpus(tmp_path / "a.txt", lines="all")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="tokens is 'letters'"):
        read_corpus(tmp_path / "a.txt", tokens="letters")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_rather_than_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="write the text to a file"):
        read_corpus(tmp_path / "pipe")


@pytest.mark.parametrize("raw", [b"", b"\n \r\n\t\n", b"\xef\xbb\xbf\n"])
def test_a_text_without_a_word_is_one_clear_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    corpus = read_corpus(path)
    cache = tmp_path / "a.ids"
    for use in (
        lambda: list(corpus.words()),
        lambda: build_vocabulary(corpus),
        lambda: encode_corpus(corpus, LMVocabulary(("a",))),
        lambda: encode_corpus(corpus, LMVocabulary(("a",)), cache),
    ):
        with pytest.raises(DataError) as error:
            use()
        assert str(error.value) == f"{path}: there is no word in this text"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("start", [b"ab\ncd ", b"\xef\xbb\xbfa\n"])
@pytest.mark.parametrize("limit", [1 << 20, 3])
def test_bytes_that_are_no_text_are_found(
    tmp_path: Path, start: bytes, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "_PIECE", limit)
    path = tmp_path / "a.txt"
    path.write_bytes(start + b"e\xff\nf\n")
    with pytest.raises(DataError) as error:
        list(read_corpus(path).words())
    message = f"{path}:2: this is not UTF-8 text (byte offset {len(start) + 1} of the file); convert the file to UTF-8"
    assert str(error.value) == message
    with pytest.raises(DataError) as error:
        list(iter_lines(path))
    assert str(error.value) == message


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(InputError, match="<text>: character 1 is half of a surrogate pair"):
        Corpus.from_text("a\ud800")


def test_the_files_of_a_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no ptb\.train\.txt here$"):
        split_files(tmp_path, "ptb")
    (tmp_path / "wiki.train.txt").touch()
    (tmp_path / "ptb.valid.txt").touch()
    with pytest.raises(
        DataError, match=r"there is no ptb\.train\.txt here; there is: ptb\.valid\.txt, wiki\.train\.txt"
    ):
        split_files(tmp_path, "ptb")
    (tmp_path / "ptb.train.txt").touch()
    assert split_files(str(tmp_path), "ptb") == (tmp_path / "ptb.train.txt", tmp_path / "ptb.valid.txt", None)
    (tmp_path / "wiki.test.txt").touch()
    assert split_files(tmp_path, "wiki") == (tmp_path / "wiki.train.txt", None, tmp_path / "wiki.test.txt")
    with pytest.raises(DataError, match="none: there is no such folder"):
        split_files(tmp_path / "none", "ptb")


def test_a_vocabulary_cuts_as_its_text() -> None:
    corpus = Corpus.from_text("A cat, a hat.", tokens="words", lowercase=True)
    vocabulary = build_vocabulary(corpus, max_words=4)
    assert vocabulary == LMVocabulary(("a", ","), tokens="words", lowercase=True)
    with pytest.raises(
        DataError, match=r"<text>: there is no word but <unk> and <eos> .* stands 9 times; lower min_count"
    ):
        build_vocabulary(corpus, min_count=9)
    with pytest.raises(DataError, match=r"there is no word but <unk> and <eos> in this text$"):
        build_vocabulary(Corpus.from_text("<unk>"))


@pytest.mark.parametrize("change", [{"tokens": "words"}, {"lowercase": True}])
def test_a_text_that_is_cut_in_another_way_is_refused(change: dict[str, object]) -> None:
    vocabulary = build_vocabulary(Corpus.from_text("a"))
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
    vocabulary = build_vocabulary(corpus, max_words=most)
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
    os.utime(tmp_path / "text.txt", (0, 0))  # neither a copy nor a clock makes it another text
    again, then = stored(tmp_path)
    assert then == written
    assert np.array_equal(ids, again)


@pytest.mark.parametrize(
    "change",
    [{"text": TEXT.replace("cat", "hat")}, {"most": 4}, {"lines": "running"}, {"lowercase": True}, {"tokens": "words"}],
)
def test_anything_else_is_encoded_anew(tmp_path: Path, change: dict[str, object]) -> None:
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
    vocabulary = build_vocabulary(corpus)
    with pytest.raises(DataError, match=r"none/a\.ids: cannot be written: No such file"):
        encode_corpus(corpus, vocabulary, tmp_path / "none" / "a.ids")
    with pytest.raises(DataError, match="cannot be written"):
        encode_corpus(corpus, vocabulary, tmp_path)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from tests.lm.data import test_corpus
folder, moment, count = Path(sys.argv[1]), int(sys.argv[2]), 0

def hook(event, args):
    global count
    if event in ("open", "os.rename", "os.remove") and ".ids" in str(args[0]):
        count += 1
        if count == moment:
            os._exit(9)

sys.addaudithook(hook)
test_corpus.stored(folder, "another text")
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
    encode_corpus(corpus, build_vocabulary(corpus), tmp_path / "a.ids")
    before = (tmp_path / "a.ids").read_bytes()
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"a\n" * 10 + b"\xff")
    monkeypatch.setattr(corpus_module, "_CHUNK", 4)
    with pytest.raises(DataError, match=r"bad\.txt:11"):
        encode_corpus(read_corpus(bad), LMVocabulary(("a",)), tmp_path / "a.ids")
    assert (tmp_path / "a.ids").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ids", "bad.txt"]


@pytest.mark.parametrize("space", ["\n", " "])
def test_memory_is_flat_however_long_the_text_or_the_line(tmp_path: Path, space: str) -> None:
    path = tmp_path / "long.txt"
    with path.open("w") as file:
        for _ in range(50):
            file.write(f"some words that stand here again{space}" * 2_000)
    assert path.stat().st_size > 3e6
    corpus = read_corpus(path)
    tracemalloc.start()
    try:
        ids = encode_corpus(corpus, build_vocabulary(corpus), tmp_path / "long.ids")
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
    vocabulary = build_vocabulary(read_corpus(train))
    assert len(vocabulary) == 10_000
    assert vocabulary.word(2) == "the"
    for path, tokens in ((train, 929_589), (valid, 73_760)):
        ids = encode_corpus(read_corpus(path), vocabulary)
        assert len(ids) == tokens
        literal = path.read_text().split().count(UNK)
        assert coverage(ids).unknown == literal, "every word of theirs is known"
