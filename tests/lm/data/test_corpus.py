"""Texts, read line by line and cut into tokens."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memn2n import Corpus, LMVocabulary, read_corpus
from memn2n.errors import ConfigError, DataError, InputError
from memn2n.files.lines import iter_lines, iter_pieces
from memn2n.lm.data import corpus as corpus_module
from memn2n.lm.data.corpus import split_files
from memn2n.lm.data.encoding import NumberedText, encode_corpus
from memn2n.words import EOS


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


@given(st.binary(), st.integers(1, 9))
@example(b"abcd e", 4)
def test_pieces_are_the_lines(raw: bytes, limit: int) -> None:
    raw = raw.decode(errors="ignore").encode()
    lines: dict[int, str] = {}
    for number, text, ends in iter_pieces(BytesIO(raw), "x", limit):
        assert number == len(lines) + (number not in lines)
        lines[number] = lines.get(number, "") + text
        assert ends or text.endswith(" ")
        _, space, after = text.partition(" ")
        assert limit >= len((space + after).encode()), "only a run without a space makes a longer piece"
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
        lambda: NumberedText(corpus).vocabulary(),
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
