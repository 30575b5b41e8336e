"""Attention as a table on the terminal."""

import io
from dataclasses import replace

import numpy as np
from rich.console import Console

from memn2n.explain.tables import attention_table, words_table
from memn2n.lm.answers import NextWords
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


def test_each_sentence_is_shown_with_its_weights() -> None:
    text = show(ANSWER)
    assert "hop 1" in text
    assert "hop 2" in text
    assert "0.75 ████" in row(text, "Mary [moved] to the bathroom.")
    assert "1.00 ██████" in row(text, "Mary [moved] to the bathroom.")
    assert "0.20 █ " in row(text, "John left.")


def test_question_answer_and_remarks_are_shown() -> None:
    text = show(ANSWER)
    assert "Where is [Mary]?" in text
    assert "bathroom  98.7%" in text
    assert row(text, "Old news.").count("-") == 2
    assert "the memory holds 2 sentences; older ones (1) were not read" in text
    assert "never seen in training: news" in text


def test_supporting_facts_have_a_star() -> None:
    text = show(ANSWER, (1,))
    assert "* Mary" in text
    assert "* John" not in text
    assert "* supporting fact" in text
    assert "*" not in show(ANSWER)


def test_weights_are_shaded_on_a_terminal_with_colours() -> None:
    assert "48;2;23;92;140" in show(ANSWER, color=True), "the background of a weight of 1"
    assert "\x1b" not in show(ANSWER)


def test_many_hops_have_no_bars() -> None:
    many = replace(ANSWER, attention=np.tile(ANSWER.attention, (4, 1)))
    text = show(many)
    assert "hop 8" in text
    assert "0.75" in row(text, "Mary [moved]")
    assert "█" not in text


def test_the_words_with_the_largest_weights_are_shown() -> None:
    attention = np.full((2, 30), 0.01, np.float32)
    attention[0, 5] = attention[1, 20] = 0.8
    words = NextWords(tuple(f"word{i}" for i in range(30)), (("next", 1.0),), attention, ())
    file = io.StringIO()
    Console(file=file, width=100).print(words_table(words, most=2))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in file.getvalue().splitlines() if "│" in line]
    assert rows == [["25", "word5", "0.80", "0.01"], ["10", "word20", "0.01", "0.80"]]
    caption = " ".join(" ".join(file.getvalue().splitlines()[-3:]).split())
    assert "2 of 30 words: those with the largest attention weights" in caption
