"""Reading and writing stories as JSON lines."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n import Example, read_jsonl, write_jsonl
from memn2n.errors import DataError, MemN2NError
from memn2n.qa.data.jsonl import iter_jsonl

GOOD = {"story": ["a b.", "c."], "question": "Where?", "answer": "x"}


def read(raw: bytes) -> list[Example]:
    return list(iter_jsonl(BytesIO(raw), "mine.jsonl"))


TEXT = st.text().filter(lambda text: any(map(str.isalnum, text))).map(str.strip)
SENTENCE = st.text().filter(str.strip)


@given(
    st.lists(
        st.builds(
            lambda story, question, answer, task: Example(tuple(story), question, answer, (len(story) - 1,), task),
            st.lists(SENTENCE, min_size=1, max_size=3),
            TEXT,
            TEXT,
            st.text(),
        )
    )
)
def test_examples_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, examples: list[Example]) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "stories.jsonl"
    write_jsonl(path, examples)
    assert read_jsonl(path) == examples


def test_optional_and_unknown_keys() -> None:
    example = read(json.dumps(GOOD | {"support": [1], "task": 7, "id": "q1"}).encode() + b"\r\n\n")
    assert example == [Example(("a b.", "c."), "Where?", "x", (1,), "7")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"story": None}, '"story" must be a list'),
        ({"story": "a b."}, '"story" must be a list'),
        ({"story": ["a", 1]}, '"story" must be a list'),
        ({"story": []}, "there is no story: give at least one sentence"),
        ({"story": ["a", " "]}, "sentence 1 of the story, counted from 0, is blank: leave it out"),
        ({"question": 3}, '"question" must be a string'),
        ({"question": "?!"}, "no word in"),
        ({"answer": ""}, '"answer" must be a string'),
        ({"answer": None}, '"answer" must be a string'),
        ({"support": [2]}, '"support" has 2, but the story has sentences 0 to 1'),
        ({"support": [-1]}, '"support" has -1'),
        ({"support": [True]}, '"support" must be a list of positions'),
        ({"support": 0}, '"support" must be a list of positions'),
        ({"task": []}, '"task" must be'),
    ],
)
def test_bad_values_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        read(json.dumps(GOOD).encode() + b"\n" + json.dumps(GOOD | change).encode())
    assert str(error.value).startswith("mine.jsonl:2: ")
    assert message in str(error.value)


@pytest.mark.parametrize("key", ["story", "question", "answer"])
def test_missing_keys_are_named(key: str) -> None:
    record = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(DataError, match=f'"{key}" is missing'):
        read(json.dumps(record).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"3",
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"story": ["a"], "question": "a", "answer": "b", "x": NaN}',
        b'{"story": ["\\ud800"], "question": "a", "answer": "b"}',
        b"\xff",
    ],
)
def test_lines_that_are_not_json_objects(line: bytes) -> None:
    with pytest.raises(DataError, match=r"^mine\.jsonl:1: "):
        read(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["story", "question", "answer", "support"]), inner),
)


@given(st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_arbitrary_input_raises_only_our_own_errors(raw: bytes) -> None:
    try:
        read(raw)
    except MemN2NError as error:
        assert "mine.jsonl" in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: there is no such file"):
        read_jsonl(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="this is a folder"):
        read_jsonl(tmp_path)
