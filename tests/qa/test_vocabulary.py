"""The tokenizer and the vocabulary."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN, Vocabulary, answer_symbol, tokenize
from memn2n.words import has_word, words_and_marks


def test_punctuation_is_not_a_word() -> None:
    assert tokenize("Where is the milk, please?") == ["where", "is", "the", "milk", "please"]
    assert tokenize("yes; no: (maybe)...") == ["yes", "no", "maybe"]


def test_words_keep_their_inner_apostrophes_and_hyphens() -> None:
    assert tokenize("Don't 'quote' the e-mail -- ever") == ["don't", "quote", "the", "e-mail", "ever"]


def test_symbols_are_words() -> None:
    assert tokenize("I \u2764\ufe0f you _ 2") == ["i", "\u2764\ufe0f", "you", "2"]
    assert tokenize("-5 degrees, yes/no") == ["-", "5", "degrees", "yes", "/", "no"]


@pytest.mark.parametrize(
    "texts",
    [
        ("It is -5 degrees.", "It is 5 degrees.", "It is 5% degrees."),
        ("He writes C++.", "He writes C#.", "He writes C."),
        ("$5", "5%", "€5", "5", "+5", "5°", "<5", "5²", "½", "1/2", "1 2", "3.14", "3 14"),
        ("\U0001f600", "\U0001f622", ""),
    ],
)
def test_texts_that_differ_in_symbols_have_different_words(texts: tuple[str, ...]) -> None:
    assert len({tuple(tokenize(text)) for text in texts}) == len(texts)


@given(st.text() | st.text("aB1.,-'’?!#+$/…\u0301\u200d\u00ad_ \U0001f600"), st.booleans())
def test_the_words_of_a_story_are_those_of_running_text_without_punctuation(text: str, lowercase: bool) -> None:
    words = iter(words_and_marks(text, lowercase))
    assert all(word in words for word in tokenize(text, lowercase))  # a subsequence
    left = words_and_marks(" ".join(words_and_marks(text, lowercase)), lowercase)
    assert [word for word in left if any(map(str.isalnum, word))] == [
        word for word in tokenize(text, lowercase) if any(map(str.isalnum, word))
    ]
    assert has_word(text) == bool(tokenize(text))


def test_a_model_that_has_words_in_an_older_spelling_finds_them() -> None:
    old = Vocabulary(("don’t", "e‑mail", "ﬁne"))
    assert old.encode("Don't e-mail fine don’t") == [2, 3, 4, 2]
    assert old.answer_id("fine") == 4
    assert Vocabulary(("don't", "don’t")).encode("don’t") == [2]


def test_case_can_be_kept() -> None:
    assert tokenize("Mary moved.", lowercase=False) == ["Mary", "moved"]


def test_hindi_words_stay_whole() -> None:
    # \w does not match vowel signs, which are marks
    assert tokenize("मरियम बाथरूम में गयी।") == ["मरियम", "बाथरूम", "में", "गयी"]


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert tokenize("café") == tokenize(unicodedata.normalize("NFD", "café"))


@given(st.text())
def test_tokenizing_joined_tokens_returns_them(text: str) -> None:
    words = tokenize(text)
    assert tokenize(" ".join(words)) == words
    assert all(words)


def test_an_answer_is_one_symbol() -> None:
    assert answer_symbol(" Milk,Football ") == "milk,football"
    assert answer_symbol("in  the\tkitchen") == "in the kitchen"


def build(sentences: list[str], answers: list[str]) -> Vocabulary:
    return Vocabulary.build(sentences, answers)


def test_vocabulary_does_not_depend_on_the_order_of_the_data() -> None:
    assert build(["b a", "c"], ["d e"]) == build(["c", "a b", "c"], ["d e"])
    assert build(["b a"], ["z z"]).words == ("a", "b", "z z")


def test_encoding_and_decoding() -> None:
    vocabulary = build(["Mary moved"], ["the kitchen"])
    assert len(vocabulary) == SPECIAL + 3
    ids = vocabulary.encode("mary flew moved")
    assert [vocabulary.word(i) for i in (ids[0], ids[2])] == ["mary", "moved"]
    assert ids[1] == UNKNOWN
    assert vocabulary.unknown_words("mary flew moved") == ["flew"]
    known = vocabulary.answer_id("The Kitchen")
    assert known is not None
    assert vocabulary.word(known) == "the kitchen"
    assert vocabulary.answer_id("garden") is None


def test_an_answer_may_be_spelled_as_a_special_word() -> None:
    vocabulary = build(["a"], ["<null>", "<unknown>"])
    assert {vocabulary.answer_id("<null>"), vocabulary.answer_id("<unknown>")}.isdisjoint({NULL, UNKNOWN, None})


def test_special_ids_have_no_word() -> None:
    with pytest.raises(IndexError):
        build(["a"], []).word(UNKNOWN)


def test_a_word_may_occur_only_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("a", "a"))
