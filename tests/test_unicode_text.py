"""The normal form of text, and the end of a question."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n.unicode_text import is_question, normal_form, without_question_mark

ODD = st.text("aI1 '?ıİ’ʼ´ﬁĳﬅſẛＡｶﾞ−‑…\u00ad\u0307\u0301\u0323\u200b\u200e\u034f\ufe76\ufefe")


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("Don’t", "don't"), ("donʼt don´t", "don't don't"), ("so…", "so..."), ("e‑mail", "e-mail"), ("−5", "-5"),
        ("kit\u00adchen", "kitchen"), ("oﬃce ﬁsh", "office fish"), ("ｏｆｆｉｃｅ？", "office?"), ("ｶﾞ", "ガ"),
        ("İzmir I\u0307zmir i\u0307zmir", "izmir izmir izmir"), ("\ufeffa\u200e", "a"), ("ĳs", "ijs"),
        ("5² ½ ™ ①", "5² ½ ™ ①"), ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)  # fmt: skip
def test_spelling_variants_become_one(typed: str, form: str) -> None:
    assert normal_form(typed, lowercase=True) == form


@given(st.text() | ODD, st.booleans())
def test_the_normal_form_is_stable_and_the_same_for_equivalent_texts(text: str, lowercase: bool) -> None:
    form = normal_form(text, lowercase)
    assert normal_form(form, lowercase) == form
    assert normal_form(unicodedata.normalize("NFD", text), lowercase) == form


def test_case_is_kept_unless_asked() -> None:
    assert normal_form("İ’Ａ", lowercase=False) == "İ'A"


def test_many_combining_marks_take_linear_time() -> None:
    begin = time.process_time()
    for marks in ("\u0301\u0323", "\u0308\u0301", "\ufe76\ufe7e"):
        form = normal_form("a" + marks * 20_000, lowercase=True)
        assert form == normal_form(form, lowercase=True)
    assert time.process_time() - begin < 1


def test_a_few_marks_are_only_composed() -> None:
    text = "a" + "\u0323\u0301" * 15
    assert normal_form(text, lowercase=False) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "end",
    [
        "?",
        "? ",
        "\uff1f",
        "\u061f",
        "?\u200b",
        "?\u200e",
        "?\ufeff",
        '?"',
        "?”",
        "?’",
        "?)",
        "?»",
        "?\u00ad\n",
        "?\ufe0f",
    ],
)
def test_a_question_ends_with_a_question_mark_whatever_closes_it(end: str) -> None:
    assert is_question("Where is Mary" + end)
    assert without_question_mark("Where is Mary" + end) == "Where is Mary"


@pytest.mark.parametrize("text", ["", "Mary moved.", "Why? I know.", "\u200b", '"', "?a"])
def test_other_texts_are_no_questions(text: str) -> None:
    assert not is_question(text)
