"""Files of other formats are named in the error that refuses them."""

from pathlib import Path

import pytest

from memn2n.errors import DataError
from memn2n.qa.data import read_stories

ARRAY = "this is a JSON array, not JSON lines"
TABLE = "this is a table (CSV), which is not read"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '[\n  {"story": ["a."]}\n]', f"1: {ARRAY}; write one object per line"),
        (
            "a.json",
            '[{"story": ["a."], "question": "b?", "answer": "c"}]\n',
            f"1: {ARRAY}; write one object",
        ),
        ("a.jsonl", "3\n", "1: a line must be a JSON object; write one object per line, such as {"),
        ("a.jsonl", "story,question,answer\na.,b?,c\n", f"1: {TABLE}; write one object per line"),
        ("a.jsonl", '"Question";"Answer"\n', f"1: {TABLE}; write one object per line"),
        ("a.jsonl", "a., b?, c\n", "1: this line is not JSON: Expecting value (column 1); write one object per line"),
        ("a.txt", "story\tquestion\tanswer\n", f"1: {TABLE}"),
        ("a.txt", "[\n", f"1: {ARRAY}; write JSON lines, in a file whose name ends in .jsonl"),
        ("a.txt", '{"story": []}\n', "1: a line must be a number, a space and a sentence; write JSON lines, in a file"),
        ("a.csv", "1,2\n", " tables (CSV) are not read; write JSON lines or bAbI text"),
        ("a.tsv.gz", "1,2\n", " tables (CSV) are not read"),
    ],
)
def test_the_format_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as error:
        read_stories(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}:{message}")
