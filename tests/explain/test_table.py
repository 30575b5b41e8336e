import io
from dataclasses import replace

import numpy as np
from rich.console import Console

from memn2n.explain.table import attention_table
from memn2n.qa.answers import Answer

ANSWER = Answer(
    story=("Old news.", "Mary [moved] to the bathroom.", "John left."),
    question="Where is [Mary]?",
    text="bathroom",
    probability=0.987,
    top=(("bathroom", 0.987), ("office", 0.01)),
    attention=np.array([[0, 0.75, 0.2], [0, 1.0, 0.0]], np.float32),
    dropped=(0,),
    unknown_words=("news",),
)


def show(answer: Answer, support: tuple[int, ...] = (), *, color: bool = False) -> str:
    file = io.StringIO()
    Console(file=file, width=100, force_terminal=color, color_system="truecolor" if color else None).print(
        attention_table(answer, support)
    )
    return file.getvalue()


def row(text: str, sentence: str) -> str:
    return next(line for line in text.splitlines() if sentence in line)


def test_each_sentence_has_its_weights() -> None:
    text = show(ANSWER)
    assert "hop 1" in text
    assert "hop 2" in text
    assert "0.75 ████" in row(text, "Mary [moved] to the bathroom.")
    assert "1.00 ██████" in row(text, "Mary [moved] to the bathroom.")
    assert "0.20 █ " in row(text, "John left.")


def test_question_answer_and_what_was_left_out_are_told() -> None:
    text = show(ANSWER)
    assert "Where is [Mary]?" in text
    assert "bathroom  98.7%" in text
    assert row(text, "Old news.").count("-") == 2
    assert "the memory holds 2 sentences; older ones (1) were not read" in text
    assert "never seen in training: news" in text


def test_supporting_facts_are_marked() -> None:
    text = show(ANSWER, (1,))
    assert "* Mary" in text
    assert "* John" not in text
    assert "* supporting fact" in text
    assert "*" not in show(ANSWER)


def test_weights_are_shaded_on_a_terminal_with_colours() -> None:
    assert "48;2;23;92;140" in show(ANSWER, color=True), "the background of a weight of 1"
    assert "\x1b" not in show(ANSWER)


def test_many_hops_leave_room_for_the_sentences() -> None:
    many = replace(ANSWER, attention=np.tile(ANSWER.attention, (4, 1)))
    text = show(many)
    assert "hop 8" in text
    assert "0.75" in row(text, "Mary [moved]")
    assert "█" not in text
