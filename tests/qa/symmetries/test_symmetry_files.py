"""Symmetries as TOML files."""

from pathlib import Path

import pytest

from memn2n.errors import DataError
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass
from memn2n.qa.symmetries.files import read_symmetries, symmetries_text

TEXT = """# persons and the compass
[[class]]
words = ["john", "mary"]

[[class]]
words = ["garden", "kitchen"]
tasks = ["1", "2"]

[[swap]]
first = ["north", "n"]
second = ["south", "s"]
"""
SYMMETRIES = Symmetries(
    (WordClass(("john", "mary")), WordClass(("garden", "kitchen"), ("1", "2"))),
    (Swap(("north", "n"), ("south", "s")),),
)


def read(tmp_path: Path, text: str) -> Symmetries:
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    return read_symmetries(tmp_path / "s.toml")


def test_a_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT) == SYMMETRIES
    assert read(tmp_path, "") == Symmetries()


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    strange = Symmetries((WordClass(('a"b', "日本", "\\")),))
    for symmetries in (SYMMETRIES, strange, Symmetries()):
        assert read(tmp_path, symmetries_text(symmetries)) == symmetries


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"kitchen"]', '"mary"]', 6, "the word 'mary' is in two classes; the other one begins in line 2"),
        ('"north"', '"mary"', 10, "the word 'mary' is in a class and a swap; the other one begins in line 2"),
        ('["john", "mary"]', '["john"]', 2, "a class has two or more words, not 1"),
        ('["south", "s"]', '["south"]', 9, "as many first as second words, not 2 and 1"),
        ('second = ["south", "s"]', "", 9, "a swap must have second"),
        ('["john", "mary"]', '"john"', 2, "words must be a list of words"),
        ('["john", "mary"]', '["john", 1]', 2, "words must be a list of words"),
        ('["john", "mary"]', '["john", ""]', 2, "words must be a list of words"),
        ("words = [\"john", "word = [\"john", 2, "unknown key 'word'; a class has: words, tasks"),
        ("[[swap]]", "[[exchange]]", 9, "unknown key 'exchange'; there are: class, swap"),
        ('"mary"]', '"mary"', 5, "not a valid TOML file"),
    ],
)  # fmt: skip
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError) as error:
        read(tmp_path, TEXT.replace(old, new))
    assert str(error.value).startswith(f"{tmp_path / 's.toml'}:{line}: ")
    assert message in str(error.value)


def test_words_that_training_does_not_have_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(TEXT)
    (tmp_path / "s.toml").write_text('[[class]]\nwords = [\n"Mary",\n"Zoe"]\n')
    with pytest.raises(DataError, match=r"s\.toml:4: the word 'zoe' is not in the training data"):
        read_symmetries(tmp_path / "s.toml", lambda _: (0, "zoe"), str.lower)
    (tmp_path / "s.toml").write_text('[[class]]\nwords = ["Mary", "mary"]\n')
    with pytest.raises(DataError, match=r"s\.toml:1: the word 'mary' occurs twice"):
        read_symmetries(tmp_path / "s.toml", form=str.lower)
