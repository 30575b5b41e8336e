"""Reading and writing bAbI files, and finding them in folders."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n import Example, read_babi, write_babi
from memn2n.errors import DataError, DataWarning, InputError, MemN2NError
from memn2n.qa.data import read_stories
from memn2n.qa.data.babi import iter_babi
from memn2n.qa.data.jsonl import iter_jsonl

STORY = """\
1 Mary moved to the bathroom.
2 John went to the hallway.
3 Where is Mary? \tbathroom\t1
4 Mary went back to the office.
5 Where is Mary?\toffice\t4 1
1 The office is east of the hallway.
2 How do you go?\ts,e\t1
"""
EXPECTED = [
    Example(("Mary moved to the bathroom.", "John went to the hallway."), "Where is Mary?", "bathroom", (0,)),
    Example(
        ("Mary moved to the bathroom.", "John went to the hallway.", "Mary went back to the office."),
        "Where is Mary?",
        "office",
        (2, 0),
    ),
    Example(("The office is east of the hallway.",), "How do you go?", "s,e", (0,)),
]


def read(text: str | bytes) -> list[Example]:
    raw = text if isinstance(text, bytes) else text.encode()
    return list(iter_babi(BytesIO(raw), name="story.txt"))


def test_stories_questions_and_supporting_facts() -> None:
    assert read(STORY) == EXPECTED


def test_line_ends_and_byte_order_mark_do_not_matter() -> None:
    assert read(STORY.replace("\n", "\r\n")) == EXPECTED
    assert read(b"\xef\xbb\xbf" + STORY.encode()) == EXPECTED
    assert read(STORY.rstrip("\n")) == EXPECTED
    assert read(STORY.replace("\n1 The", "\n\n1 The")) == EXPECTED


def test_shuffled_letters() -> None:
    assert read("1 Bllu ztwgq.\n2 Mpgsg jb Bllu? \tvfaz\t1\n")[0].answer == "vfaz"


def test_hindi() -> None:
    text = "1 मरियम बाथरूम में गयी।\n2 मरियम कहाँ है?\tबाथरूम\t1\n"
    assert read(text) == [Example(("मरियम बाथरूम में गयी।",), "मरियम कहाँ है?", "बाथरूम", (0,))]


@pytest.mark.parametrize("question", ["Where？", "أين؟", 'Where is "Ann?"', "Where (now?)", "Where?”", "Where?\u200b"])
def test_question_marks_of_other_scripts_and_what_may_follow_them(question: str) -> None:
    assert read(f"1 a.\n2 {question} \tx\t1\n")[0].question == question


def test_a_question_may_lack_supporting_facts() -> None:
    assert read("1 a.\n2 b?\tc\n")[0].support == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("1 a.\n2 Where?\t\t1\n", 2, "a question without an answer"),
        ("1 a.\n2 Where?\n", 2, "a question without an answer"),
        ("1 a.\n2 Where?\t\n", 2, "a question without an answer"),
        ("1 a.\n2 ?\tx\t1\n", 2, "no word in the question"),
        ("1 a.\n2 Bob entered the attic.\t2 1\n", 2, "'Bob entered the attic.' before the tab does not end with a"),
        ("1 a.\n2 Where is Ann? attic\t1\n", 2, "question mark; write question?<tab>answer<tab>IDs of supporting"),
        ("1 hello\thow can i help you\n", 1, "'hello' before the tab does not end with a question mark"),
        ("1 a.\n2 Where?\u200b\n", 2, "a question without an answer"),
        ("1 Where?\tx\t1\n", 1, "a question without a story"),
        ("1 a.\n2 Where?\tx\t3\n", 2, "supporting fact '3' is not the ID of a sentence"),
        ("1 a.\n2 Where?\tx\t2\n", 2, "supporting fact '2'"),
        ("1 a.\n2 Where?\tx\tone\n", 2, "supporting fact 'one'"),
        ("1 a.\n2 b.\n3 Where?\tx\t1\n2 c.\n", 4, "line ID 2 follows 3"),
        ("1 a.\n2 b.\n2 c.\n", 3, "line ID 2 follows 2"),
        ("Mary moved.\n", 1, "a line must be a number, a space and a sentence"),
        ("1 a.\n2\n", 2, "a line must be a number"),
        (b"1 a.\n2 \xff\xfe\n", 2, "not UTF-8"),
        ("99999999999999999999 a.\n", 1, "a line must be a number"),
    ],
)
def test_bad_lines_are_named(text: str | bytes, line: int, message: str) -> None:
    with pytest.raises(DataError) as error:
        read(text)
    assert str(error.value).startswith(f"story.txt:{line}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("suffix", ["txt", "jsonl"])
def test_a_file_that_is_not_utf8(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"latin.{suffix}"
    path.write_bytes(b"1 caf\xe9.\n")
    with pytest.raises(DataError) as error:
        read_stories(path)
    assert str(error.value).startswith(f"{path}:1: this is not UTF-8")


@given(st.binary())
def test_arbitrary_bytes_raise_only_our_own_errors(raw: bytes) -> None:
    try:
        read(raw)
    except MemN2NError as error:
        assert "story.txt:" in str(error)


LINE = st.one_of(
    st.text(),
    st.builds("{} {}".format, st.integers(-2, 9), st.text()),
    st.builds("{} {}?\t{}\t{}".format, st.integers(0, 9), st.text(), st.text(), st.text("0123 x")),
)


@given(st.lists(LINE))
def test_arbitrary_text_gives_valid_examples_or_our_own_errors(lines: list[str]) -> None:
    try:
        found = read("\n".join(lines).encode("utf-8", "surrogatepass"))
    except MemN2NError:
        return
    for example in found:
        assert example.story
        assert example.answer
        assert all(0 <= position < len(example.story) for position in example.support)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(STORY)


def test_a_folder_is_read_by_task(tmp_path: Path) -> None:
    write(tmp_path, "qa1_x_train.txt", "qa1_x_test.txt", "qa12_y_train.txt", "qa12_y_test.txt", "notes.txt")
    train, test = read_babi(tmp_path, task=12)
    assert {example.task for example in (*train, *test)} == {"12"}
    assert [example.story for example in train] == [example.story for example in EXPECTED]
    both = read_babi(tmp_path, task=[12, 1])
    assert [example.task for example in both.train] == ["1"] * 3 + ["12"] * 3
    assert read_babi(tmp_path) == both


def test_all_tasks_leave_out_those_that_lack_a_file(tmp_path: Path) -> None:
    write(tmp_path, "qa1_x_train.txt", "qa1_x_test.txt", "qa3_y_test.txt")
    with pytest.warns(DataWarning, match="task 3; left out"):
        train, test = read_babi(tmp_path)
    assert {example.task for example in (*train, *test)} == {"1"}
    with pytest.raises(DataError, match="no train file of task 3"):
        read_babi(tmp_path, task=3)


def test_the_validation_files_of_the_other_layout_are_found(tmp_path: Path) -> None:
    write(tmp_path, "qa1_train.txt", "qa1_valid.txt", "qa1_test.txt")
    assert len(read_stories(tmp_path, "valid")) == 3


def test_missing_and_empty_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such folder"):
        read_babi(tmp_path / "nowhere", 1)
    with pytest.raises(DataError, match="no bAbI train file here"):
        read_babi(tmp_path, 1)
    with pytest.raises(DataError, match="there is no such file"):
        read_stories(tmp_path / "nothing.txt")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(DataError, match=r"empty\.txt: there is no question"):
        read_stories(tmp_path / "empty.txt")
    write(tmp_path, "qa1_x_train.txt", "qa1_y_train.txt")
    with pytest.raises(DataError, match="another train file"):
        read_babi(tmp_path, 1)


@pytest.mark.parametrize(
    ("read", "first"),
    [
        (iter_babi, b"1 a.\n2 b?\tc\t1\n"),
        (iter_jsonl, b'{"story": ["a."], "question": "b?", "answer": "c"}\n'),
    ],
)
def test_reading_is_streamed(read: Callable[[BytesIO], Iterator[Example]], first: bytes) -> None:
    class Endless(BytesIO):
        """Fails when read beyond its lines."""

        def readline(self, size: int | None = -1) -> bytes:
            line = super().readline(size)
            assert line, "it must not read beyond the first example"
            return line

    assert next(read(Endless(first))).answer == "c"


def test_questions_of_one_story_stand_together(tmp_path: Path) -> None:
    one = Example(("A b.", "C d."), "Q?", "x", (1,), "1")
    more = Example((*one.story, "E f."), "R?", "y,z", (2, 0), "1")
    other = Example(("A b.",), "Q?", "x", (0,), "1")
    write_babi(tmp_path / "qa1_train.txt", [one, more, other])
    assert (tmp_path / "qa1_train.txt").read_text() == (
        "1 A b.\n2 C d.\n3 Q?\tx\t2\n4 E f.\n5 R?\ty,z\t4 1\n1 A b.\n2 Q?\tx\t1\n"
    )


WORDS = st.sampled_from(["Mary", "John", "went", "sat", "there"])
SENTENCES = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: " ".join(words) + ".")


@st.composite
def stories(draw: st.DrawFn) -> list[Example]:
    """The questions of some stories, each story's questions together."""
    examples = []
    for _ in range(draw(st.integers(1, 3))):
        sentences = tuple(draw(st.lists(SENTENCES, min_size=1, max_size=6)))
        for length in sorted(draw(st.lists(st.integers(1, len(sentences)), min_size=1, max_size=3))):
            support = tuple(draw(st.lists(st.integers(0, length - 1), max_size=2)))
            examples.append(Example(sentences[:length], "Where is it?", draw(WORDS), support, "1"))
    return examples


@given(stories())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, examples: list[Example]) -> None:
    file = tmp_path_factory.mktemp("babi") / "qa1_train.txt"
    write_babi(file, examples)
    assert list(iter_babi(file)) == examples


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (Example((), "Q?", "x"), "there is no story"),
        (Example(("A b.",), "Q?", "x", (-1,)), "a supporting fact outside its story"),
        (Example(("A\tb.",), "Q?", "x"), "contains a tab or a line end"),
        (Example(("A b.",), "Q?", "x\ny"), "contains a tab or a line end"),
        (Example(("Is it?",), "Q?", "x"), "ends with a question mark"),
        (Example(("It is.",), "Q", "x"), "no question mark at its end, which the bAbI format requires; add it, or"),
    ],
)
def test_examples_that_the_format_does_not_allow(tmp_path: Path, example: Example, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_babi(tmp_path / "a.txt", [example])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["?\u200b", "?\ufeff", '?"', "?”", "?)"])
def test_a_question_without_an_answer_is_found_whatever_closes_it(tmp_path: Path, end: str) -> None:
    path = tmp_path / "qa1_train.txt"
    path.write_text(f"1 Mary moved.\n2 Where is Mary{end}\n", "utf-8")
    with pytest.raises(DataError, match="2: a question without an answer"):
        list(iter_babi(path))
    with pytest.raises(InputError, match="ends with a question mark"):
        write_babi(path, [Example((f"Where is Mary{end}",), "Where?", "a")])
