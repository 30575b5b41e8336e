"""Lines of text files: how long they may be, and files that gzip has compressed."""

import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memn2n.cli.qa.commands import _sentences
from memn2n.cli.qa.train import _read_candidates
from memn2n.errors import DataError
from memn2n.files import lines
from memn2n.files.lines import LONGEST_LINE, iter_lines, iter_pieces, plain_or_gz, read_text
from memn2n.files.records import iter_records
from memn2n.lm.data.corpus import read_corpus, split_files
from memn2n.qa.data import read_stories
from memn2n.qa.data.babi import iter_babi, read_babi
from memn2n.qa.data.jsonl import iter_jsonl
from memn2n.reproduce.ptb.texts import read_texts
from memn2n.simulator.world import World, read_world

BABI = b"1 Mary sat.\n2 Where is Mary?\tthere\t1\n"
JSONL = b'{"story": ["a."], "question": "b?", "answer": "c"}\n'

READERS: dict[str, Callable[[Path], Any]] = {
    "babi": lambda path: list(iter_babi(path)),
    "jsonl": lambda path: list(iter_jsonl(path)),
    "records": lambda path: list(iter_records(path)),
    "corpus": lambda path: list(read_corpus(path).words()),
    "digest": lambda path: read_corpus(path).digest(),
    "story": _sentences,
    "candidates": lambda path: _read_candidates(path, True),
    "world": read_world,
}
TEXTS = {"babi": BABI, "jsonl": JSONL, "records": JSONL, "corpus": b"a b\n", "digest": b"a b\n", "story": b"a.\n",
         "candidates": b"a\n", "world": b'places = ["kitchen", "garden", "office", "park"]\n'}  # fmt: skip
BOUNDED = [name for name in READERS if name != "digest"]


def write_gz(path: Path, raw: bytes) -> Path:
    path.write_bytes(gzip.compress(raw))
    return path


@pytest.mark.parametrize("reader", [name for name in BOUNDED if name != "world"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_long_line_is_refused_with_its_number(
    tmp_path: Path, reader: str, compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100_000)
    raw = TEXTS[reader] + b"x" * 400_000
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(raw) if compressed else raw)
    number = TEXTS[reader].count(b"\n") + 1
    with pytest.raises(DataError) as error:
        READERS[reader](path)
    assert str(error.value).startswith(f"{path}:{number}: ")
    assert "has more than 100,000 bytes; " in str(error.value)


def test_a_file_of_settings_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    (tmp_path / "a.toml").write_text("# x\n" * 26)
    with pytest.raises(DataError, match=r"a\.toml: this file has more than 100 bytes; is it the right one\?"):
        read_text(tmp_path / "a.toml")
    (tmp_path / "a.toml").write_text("# x\n" * 25)
    assert read_world(tmp_path / "a.toml") == World()


def test_a_line_may_have_the_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 4)
    assert list(iter_lines(io.BytesIO(b"abc\nabcd"))) == [(1, "abc"), (2, "abcd")]
    with pytest.raises(DataError, match=r"<stdin>:2: this line has more than 4 bytes; break it into lines"):
        list(iter_lines(io.BytesIO(b"abc\nabcde\n"), "<stdin>"))


def test_a_text_of_many_words_on_one_line_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    raw = b"abcde fgh " * 1000
    assert b"".join(text.encode() for _, text, _ in iter_pieces(io.BytesIO(raw), "a", 16)) == raw


@pytest.mark.parametrize("reader", BOUNDED)
def test_memory_is_bounded_when_a_small_file_holds_one_huge_line(tmp_path: Path, reader: str) -> None:
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=1) as file:
        for _ in range(16):
            file.write(b"x" * 2**22)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="has more than 4,194,304 bytes"):
            READERS[reader](tmp_path / "bomb.gz")
        assert tracemalloc.get_traced_memory()[1] < 4 * LONGEST_LINE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("reader", READERS)
def test_a_compressed_file_is_read_like_the_plain_one(tmp_path: Path, reader: str) -> None:
    (tmp_path / "plain").write_bytes(TEXTS[reader])
    write_gz(tmp_path / "other", TEXTS[reader])  # whatever its name is
    found = [READERS[reader](tmp_path / name) for name in ("plain", "other")]
    if reader == "records":
        found = [[(line, record) for _, line, record in records] for records in found]
    assert found[0] == found[1]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", ["truncated", "changed"])
def test_a_damaged_compressed_file_is_one_clear_error(tmp_path: Path, reader: str, damage: str) -> None:
    raw = bytearray(gzip.compress(TEXTS[reader]))
    if damage == "truncated":
        del raw[-5:]
    else:
        raw[-6] ^= 1  # in the check sum
    path = tmp_path / "a.gz"
    path.write_bytes(raw)
    with pytest.raises(DataError) as error:
        READERS[reader](path)
    assert str(error.value) == f"{path}: this gzip file is damaged or not complete; copy it again"


def test_a_bad_line_of_a_compressed_file_is_named(tmp_path: Path) -> None:
    path = write_gz(tmp_path / "a.jsonl.gz", JSONL + b"{}\n")
    with pytest.raises(DataError) as error:
        read_stories(path)
    assert str(error.value).startswith(f'{path}:2: "story" is missing')
    path = write_gz(tmp_path / "a.txt.gz", BABI + b"caf\xe9\n")
    with pytest.raises(DataError) as error:
        read_stories(path)
    assert str(error.value).startswith(f"{path}:3: this is not UTF-8 text (byte offset {len(BABI) + 3} of the file)")


def test_names_of_compressed_files_say_what_is_in_them(tmp_path: Path) -> None:
    assert len(read_stories(write_gz(tmp_path / "a.JSONL.GZ", JSONL))) == 1
    assert len(read_stories(write_gz(tmp_path / "b.txt.gz", BABI))) == 1
    write_gz(tmp_path / "qa7_x_train.txt.gz", BABI)
    write_gz(tmp_path / "qa7_x_test.txt.gz", BABI)
    train, test = read_babi(tmp_path)
    assert [example.task for example in (*train, *test)] == ["7", "7"]
    (tmp_path / "qa7_x_train.txt").write_bytes(BABI)
    with pytest.raises(DataError, match="task 7 has another train file"):
        read_babi(tmp_path)


def test_compressed_texts_of_a_folder_are_found(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        write_gz(tmp_path / f"ptb.{part}.txt.gz", b"a b a b\n")
    train, valid, test = split_files(tmp_path, "ptb")
    assert (train, valid, test) == (tmp_path / "ptb.train.txt.gz", tmp_path / "ptb.valid.txt.gz", None)
    assert list(read_texts(tmp_path).train.words()) == ["a", "b", "a", "b", "<eos>"]
    (tmp_path / "ptb.train.txt").touch()
    assert plain_or_gz(tmp_path / "ptb.train.txt") == tmp_path / "ptb.train.txt"


def test_a_stream_that_is_compressed_is_named(tmp_path: Path) -> None:
    with write_gz(tmp_path / "a.gz", JSONL).open("rb") as stream, pytest.raises(DataError) as error:
        list(iter_lines(stream, "<stdin>"))
    assert str(error.value).startswith("<stdin>: this is compressed by gzip; ")
