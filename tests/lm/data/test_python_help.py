import sys
from types import SimpleNamespace

import pytest

from memn2n import Corpus, InputError
from memn2n.lm.data.encoding import NumberedText, coverage, encode_corpus
from memn2n.lm.data.python_help import carried_text


def size(corpus: Corpus) -> int:
    return sum(1 for _ in corpus.words())


def paragraphs(corpus: Corpus) -> set[str]:
    assert isinstance(corpus.source, bytes)
    return {" ".join(text.split()) for text in corpus.source.decode().split("\n\n")}


def carry(monkeypatch: pytest.MonkeyPatch, topics: dict[str, str]) -> tuple[Corpus, Corpus, Corpus]:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", SimpleNamespace(topics=topics))
    return carried_text()


def test_python_has_about_70_thousand_words_of_help() -> None:
    train, valid, test = carried_text()
    total = size(train) + size(valid) + size(test)
    assert total > 50_000
    for held_out in (valid, test):
        assert 0.035 < size(held_out) / total < 0.065
    vocabulary = NumberedText(train).vocabulary()
    assert {"the", "statement", ".", "Python"} <= set(vocabulary.words)
    for corpus in (valid, test):
        assert coverage(encode_corpus(corpus, vocabulary)).unknown_share < 0.1
    assert carried_text() == (train, valid, test)


def test_the_held_out_texts_share_little_with_the_training_text() -> None:
    train, *held_out = map(paragraphs, carried_text())
    for texts in held_out:
        repeated = sum(len(text.split()) for text in texts & train)
        assert repeated < 0.02 * sum(len(text.split()) for text in texts)


def test_the_order_of_the_topics_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = {f"topic{i}": f"This is the text number {i}.\n\n" * 2 for i in range(400)}
    texts = carry(monkeypatch, topics)
    assert texts == carry(monkeypatch, dict(reversed(topics.items())))
    assert [len(paragraphs(text) - {""}) for text in texts] == [360, 20, 20]


def test_another_topic_moves_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = {f"topic{i}": f"This is the text number {i}.\n\n" for i in range(400)}
    _, valid, test = map(paragraphs, carry(monkeypatch, topics))
    _, later_valid, later_test = map(paragraphs, carry(monkeypatch, topics | {"new": "Some new text is here."}))
    assert len(valid & later_valid) >= 18
    assert len(test & later_test) >= 18


def test_drawings_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = {"table": "A title\n*******\n\n+---+\n| a |\n|===|\n\nAnd text.\n"}
    train, _, _ = carry(monkeypatch, topics)
    assert list(train.words()) == ["A", "title", "<eos>", "And", "text", ".", "<eos>"]


@pytest.mark.parametrize("module", [None, SimpleNamespace()])
def test_a_python_without_the_text_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)
    with pytest.raises(InputError, match=r"this Python lacks pydoc_data\.topics, .*; name a training text"):
        carried_text()
