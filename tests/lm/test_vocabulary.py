import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memn2n import LMVocabulary
from memn2n.errors import ConfigError
from memn2n.lm.vocabulary import EOS_ID, UNK_ID, Tokens, cut, has_more_tokens
from memn2n.unicode_text import normal_form
from memn2n.words import EOS, UNK


def test_prepared_text_is_cut_at_whitespace_and_nowhere_else() -> None:
    assert cut(" mr. <unk> 's n't\tN \\* U.S.\n", "space") == ["mr.", "<unk>", "'s", "n't", "N", "\\*", "U.S."]
    assert cut("Mr. É", "space", lowercase=True) == ["mr.", "é"]
    decomposed = unicodedata.normalize("NFD", "é")
    assert cut(decomposed, "space") == [decomposed]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('He said: "No, (never)!"', ["He", "said", ":", '"', "No", ",", "(", "never", ")", "!", '"']),
        ("Don't e-mail l’eau 'now'", ["Don't", "e-mail", "l'eau", "'", "now", "'"]),
        ("3.14 1,000.5 50% $5 1990-95", ["3.14", "1,000.5", "50", "%", "$", "5", "1990-95"]),
        ("a,b 1,a a,1", ["a", ",", "b", "1", ",", "a", "a", ",", "1"]),
        ("the u.s. U.S.-based e.g., a.b.cd", ["the", "u.s.", "U.S.-based", "e.g.", ",", "a.b.cd"]),
        ("Mr. Vinken is 61.", ["Mr", ".", "Vinken", "is", "61", "."]),
        ("well... no -- never-", ["well", "...", "no", "--", "never", "-"]),
        ("x.__init__ _", ["x.__init__", "_"]),
        ("a <unk> b<eos>. <UNK>", ["a", "<unk>", "b", "<eos>", ".", "<", "UNK", ">"]),
        ("col·legi ¿qué?", ["col·legi", "¿", "qué", "?"]),
    ],
)
def test_raw_text_is_cut_to_words_and_marks(text: str, tokens: list[str]) -> None:
    assert cut(text, "words") == tokens
    assert cut(unicodedata.normalize("NFD", text), "words") == tokens


def test_words_of_scripts_with_marks_and_joiners_stay_whole() -> None:
    for words in (
        ["मरियम", "बाथरूम", "में", "गयी", "।"],
        ["می\u200cخواهم", "،", "نه"],
        ["שָׁלוֹם", "צה״ל"],
        ["\U0001e900\U0001e944\U0001e92e"],  # Adlam, whose marks have more than 16 bits
    ):
        assert cut(" ".join(words), "words") == words
    assert cut("I \u2764\ufe0f you", "words") == ["I", "\u2764\ufe0f", "you"]


def test_invisible_characters_are_no_tokens() -> None:
    assert cut("\ufeffa\u200bb \u200e \x00", "words") == ["a", "b"]


def test_case_is_kept_unless_asked() -> None:
    assert cut("The End.", "words") == ["The", "End", "."]
    assert cut("The End. <UNK>", "words", lowercase=True) == ["the", "end", ".", "<unk>"]


@given(st.text() | st.text("aB1.,-'’<>unk \u0301\u200d_"), st.booleans())
@example("a.b.c.dd", False)
def test_tokens_are_found_again_in_their_own_text(text: str, lowercase: bool) -> None:
    tokens = cut(text, "words", lowercase)
    assert cut(" ".join(tokens), "words", lowercase) == tokens
    assert not any(char.isspace() for char in "".join(tokens))


@given(st.text())
def test_no_letter_or_digit_is_lost(text: str) -> None:
    kept = Counter("".join(cut(text, "words")))
    wanted = Counter(char for char in normal_form(text, lowercase=False) if char.isalnum())
    assert {char: kept[char] for char in wanted} == wanted


def test_the_dotted_capital_i_leaves_no_combining_dot_in_prepared_text() -> None:
    assert cut("İzmir", "space", lowercase=True) == ["izmir"]


def test_a_model_that_has_words_in_an_older_spelling_finds_them() -> None:
    assert LMVocabulary(("l’eau",), tokens="words").encode("l'eau l’eau") == [2, 2]
    assert LMVocabulary(("l’eau",)).encode("l'eau l’eau") == [UNK_ID, 2]


def test_ids_follow_the_counts_and_then_the_alphabet() -> None:
    vocabulary = LMVocabulary.build(["b", "c", "a", "c", UNK, "d", EOS, "d", UNK, UNK])
    assert vocabulary.words == ("c", "d", "a", "b")
    assert [vocabulary.word(i) for i in range(len(vocabulary))] == [UNK, EOS, "c", "d", "a", "b"]
    assert vocabulary == LMVocabulary.build({"d": 2, "a": 1, "c": 2, "b": 1, UNK: 9})


def test_encoding() -> None:
    vocabulary = LMVocabulary.build(["b", "a", "b"])
    assert vocabulary.encode("b zebra <eos> a <unk>") == [2, UNK_ID, EOS_ID, 3, UNK_ID]
    assert vocabulary.encode("") == []
    raw = LMVocabulary(("don't", "!"), tokens="words", lowercase=True)
    assert raw.encode("DON'T!") == [2, 3]


def test_rare_words_are_left_out() -> None:
    words = ["a", "a", "a", "b", "b", "c"]
    assert LMVocabulary.build(words, min_count=2).words == ("a", "b")
    limited = LMVocabulary.build(words, max_words=3)
    assert limited.words == ("a",)
    assert len(limited) == 3
    assert len(LMVocabulary.build(words, max_words=100)) == 5


@given(st.lists(st.text(st.characters(exclude_categories=("Z", "C")), min_size=1)))
def test_words_survive_a_round_trip(words: list[str]) -> None:
    vocabulary = LMVocabulary.build(words)
    assert [vocabulary.word(i) for i in vocabulary.ids(words)] == words
    assert len(vocabulary) == len({*words, UNK, EOS})
    assert LMVocabulary.from_dict(vocabulary.to_dict()) == vocabulary


@pytest.mark.parametrize("words", [("a", "a"), (UNK,), ("a", EOS)])
def test_a_word_may_stand_only_once(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="twice"):
        LMVocabulary(words)


def test_ids_that_are_not_there() -> None:
    vocabulary = LMVocabulary(("a",))
    for i in (-1, 3):
        with pytest.raises(IndexError, match=f"id {i} is not in this vocabulary"):
            vocabulary.word(i)


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(ConfigError, match="min_count is 0"):
        LMVocabulary.build(["a"], min_count=0)
    with pytest.raises(ConfigError, match="max_words is 2"):
        LMVocabulary.build(["a"], max_words=2)
    with pytest.raises(ConfigError, match="tokens is 'letters': it must be one of space, words"):
        LMVocabulary((), tokens="letters")  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens", ["space", "words"])
@pytest.mark.parametrize("text", ["", " ", "a", "a, b.  c\n", "The cat's 3.14 ... <unk> \u200b\u0301 x "])
def test_a_text_has_more_tokens_than_a_limit_if_cut_gives_more(text: str, tokens: Tokens) -> None:
    number = len(cut(text, tokens))
    for limit in range(number + 2):
        assert has_more_tokens(text, limit, tokens) == (number > limit)
