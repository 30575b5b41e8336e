"""The content of a display of attention, its HTML, and what answers show in a notebook."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n import Example, StoryQA
from memn2n.attention_view import NOTEBOOK_ROWS, AttentionView, Row
from memn2n.lm.answers import NextWords
from memn2n.qa.answers import Answer

STORY = ("Ann went out.", "<b>Bob</b> paid $5 & $6.", "Cy slept.")
ANSWER = Answer(
    STORY, "Who <i>paid</i>?", "Bob & co", 0.9, (("Bob & co", 0.9), ("Ann", 0.1)),
    np.array([[0, 0.75, 0.25], [0, 0.1, 0.9]], np.float32), dropped=(0,), unknown_words=("paid",),
)  # fmt: skip
WORDS = NextWords(
    ("the", "<unk>", "sat"), (("on", 0.6), ("down", 0.2)), np.array([[0.5, 0.25, 0.25]], np.float32), ("cat",)
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))


def table(html: str) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in ET.fromstring(html).iter("tr")]


def long_answer(sentences: int, dropped: int = 0) -> Answer:
    weights = np.zeros((2, sentences), np.float32)
    weights[0, sentences // 2] = 1
    weights[1, dropped:] = 1 / (sentences - dropped)
    story = tuple(f"Sentence {number}." for number in range(sentences))
    return Answer(story, "?", "yes", 1.0, (("yes", 1.0),), weights, tuple(range(dropped)))


def test_html_contains_the_answer_and_its_attention() -> None:
    html = ANSWER.attention_view(support=[1]).to_html()
    root = ET.fromstring(html)
    assert root.tag == "figure"
    assert root.findtext("figcaption/b") == "Who <i>paid</i>?"
    assert ["".join(item.itertext()) for item in root.iter("li")] == ["Bob & co  90.0%", "Ann  10.0%"]
    assert [bar.get("value") for bar in root.iter("progress")] == ["0.9000", "0.1000"]
    assert table(html) == [
        ["memory", "hop 1", "hop 2"],
        ["Ann went out.", "not read"],
        ["* <b>Bob</b> paid $5 & $6.", "0.75", "0.10"],
        ["Cy slept.", "0.25", "0.90"],
    ]
    assert [remark.text for remark in root.iter("p")] == [
        "the memory holds 2 sentences; older ones (1) were not read",
        "never seen in training: paid",
        "* supporting fact",
    ]


def test_a_notebook_shows_an_answer_without_support() -> None:
    html = ANSWER._repr_html_()
    assert html == ANSWER.attention_view().to_html()
    assert "* " not in html


def test_a_notebook_shows_next_words() -> None:
    html = WORDS._repr_html_()
    assert table(html) == [["memory", "hop 1"], ["the", "0.50"], ["<unk>", "0.25"], ["sat", "0.25"]]
    assert [item.text for item in ET.fromstring(html).iter("li")] == ["on ", "down "]
    assert "never seen in training: cat" in html


def test_the_answer_of_a_model_shows_its_story(qa: StoryQA, examples: list[Example]) -> None:
    answer = qa.answer(examples[0].story, examples[0].question)
    rows = table(answer._repr_html_())
    assert [row[0] for row in rows[1:]] == [*examples[0].story]
    assert [float(weight) for weight in rows[1][1:]] == pytest.approx(answer.attention[:, 0], abs=0.006)
    assert f"<li>{answer.text} " in answer._repr_html_()


@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS, TEXTS, TEXTS)
def test_texts_are_escaped(story: list[str], question: str, text: str, unknown: str) -> None:
    weights = np.full((1, len(story)), 0.5, np.float32)
    html = Answer(tuple(story), question, text, 1.0, ((text, 1.0),), weights, (), (unknown,))._repr_html_()
    root = ET.fromstring(html)
    assert [row[0] for row in table(html)[1:]] == story
    assert root.findtext("figcaption/b") == question
    assert root.findtext("ol/li") == f"{text} "
    assert {element.tag for element in root.iter()} <= {
        "figure", "figcaption", "b", "ol", "li", "progress", "table", "thead", "tbody", "tr", "th", "td", "p"
    }  # fmt: skip


def test_lone_surrogates_are_replaced() -> None:
    assert "<b>Where is ??</b>" in AttentionView("Where is \udcff?", [], 1, (), []).to_html()


def test_html_has_no_scripts_and_loads_nothing() -> None:
    root = ET.fromstring(ANSWER._repr_html_())
    names = {name for element in root.iter() for name in element.attrib}
    assert names <= {"class", "style", "scope", "colspan", "max", "value"}
    assert not any("url" in element.get("style", "") for element in root.iter())


def test_dollar_signs_are_not_typeset_as_formulas() -> None:
    assert {"tex2jax_ignore", "mathjax_ignore"} <= {*ET.fromstring(ANSWER._repr_html_()).get("class", "").split()}


def luminance(color: np.ndarray) -> float:
    """The relative luminance of an sRGB color, as WCAG 2 defines it."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize(("page", "text"), [(255, 33), (17, 212)])
def test_shaded_cells_are_readable_on_light_and_dark_pages(page: int, text: int) -> None:
    view = AttentionView("?", [Row("x", np.linspace(0, 1, 11, dtype=np.float32))], 11, (), [])
    shades = re.findall(r"background:rgba\((\d+),(\d+),(\d+),([\d.]+)\)", view.to_html())
    assert len(shades) == 11
    previous = None
    for *channels, alpha in shades:
        shade = float(alpha) * np.array(channels, float) + (1 - float(alpha)) * page
        light, dark = sorted((luminance(shade / 255), luminance(np.full(3, text / 255))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 4.5, "the contrast that WCAG 2 requires"
        assert previous is None or abs(previous - shade).max() > 2, "a larger weight has another shade"
        previous = shade
    assert "color:" not in view.to_html().replace("border-collapse:", ""), "the text keeps the page's color"


def test_long_stories_show_the_sentences_with_the_largest_weights() -> None:
    answer = long_answer(1000, dropped=900)
    assert len(answer.attention_view().to_html().split("<tr>")) == 1002
    rows = table(answer._repr_html_())[1:]
    assert len(rows) == NOTEBOOK_ROWS
    assert all(row[1] != "not read" for row in rows)
    assert "20 of 1000 rows: those with the largest attention weights" in answer._repr_html_()
    assert "rows" not in long_answer(NOTEBOOK_ROWS)._repr_html_()


def test_most_attended_rows_keep_their_order() -> None:
    view = long_answer(9, dropped=2).attention_view()
    assert view.most_attended(3) == [4, 7, 8], "the sentence that hop 1 reads, and the latest of equals"
    assert view.most_attended(8) == [*range(1, 9)], "dropped sentences come last"
    assert view.most_attended(99) == [*range(9)]
    assert view.most_attended(0) == []


def test_a_model_without_hops_shows_its_words() -> None:
    words = NextWords(("a",) * 30, (("b", 1.0),), np.zeros((0, 30), np.float32), ())
    assert table(words._repr_html_()) == [["memory"], *[["a"]] * NOTEBOOK_ROWS]
