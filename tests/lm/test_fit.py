"""``MemoryLM.fit``: its texts, its vocabulary and its arguments."""

import dataclasses
from pathlib import Path

import pytest
import torch

from memn2n import Corpus, LMVocabulary, MemoryLM
from memn2n.errors import InputError
from memn2n.lm import model as lm_module
from memn2n.lm.training.progress import LMEpoch, LMStep
from tests.lm.small_model import MODERN, TEST, TRAIN, VALID, assert_same, fit, sentences


def test_the_end_is_held_out_without_validation_text() -> None:
    """The vocabulary does not include its words."""
    text = sentences(95, 1) + "\n" + "\n".join(["the owl naps in the roof and sees the cat"] * 4)
    lm = fit(dataclasses.replace(MODERN, epochs=1, validation=0.05), train=Corpus.from_text(text), valid=None)
    assert "owl" not in lm.vocabulary.words
    assert "cat" in lm.vocabulary.words
    assert lm.history[0].valid is not None
    whole = fit(dataclasses.replace(MODERN, epochs=1, validation=0.0), train=Corpus.from_text(text), valid=None)
    assert "owl" in whole.vocabulary.words
    assert whole.history[0].valid is None
    assert whole.history[0].best
    words = sum(1 for _ in Corpus.from_text(text).words())
    seen: list[LMStep | LMEpoch] = []
    fit(dataclasses.replace(MODERN, epochs=1, block=1), train=Corpus.from_text(text), valid=None, on_event=seen.append)
    assert isinstance(seen[0], LMStep)
    assert seen[0].epoch_words == words - round(words * 0.05) - 1


def test_the_vocabulary() -> None:
    short = dataclasses.replace(MODERN, epochs=1)
    assert len(fit(short, max_words=6).vocabulary) == 6
    common = LMVocabulary(("the", "cat", "in"))
    lm = fit(short, vocabulary=common)
    assert lm.vocabulary == common
    assert len(lm.network.A) == 5
    with pytest.raises(InputError, match="tokens 'space', but the vocabulary was built with 'words'"):
        fit(short, vocabulary=LMVocabulary(("the",), "words"))
    with pytest.raises(InputError, match="min_count"):
        fit(short, min_count=100_000)


def test_without_a_text_it_trains_on_the_text_of_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm_module, "carried_text", lambda: (TRAIN, VALID, TEST))
    short = dataclasses.replace(MODERN, epochs=1)
    assert_same(fit(short, train=None, valid=None), fit(short))
    assert_same(fit(short, train=None, valid=TEST), fit(short, valid=TEST))


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    """With and without a folder."""
    short = dataclasses.replace(MODERN, epochs=1)
    one = fit(short, seed=3)
    assert one.training.seed == 3
    assert_same(fit(dataclasses.replace(short, seed=3)), one)
    assert_same(fit(short, seed=3, folder=tmp_path), one)
    assert_same(MemoryLM.load(tmp_path), one)
    assert not torch.equal(fit(short, seed=4).network.A, one.network.A)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no word in this text"),
        ("a b c d e", "has 6 words to train on, and the memory holds 9: give more text, or lower memory_size"),
    ],
)
def test_a_text_that_cannot_be_trained_on(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        fit(train=Corpus.from_text(text), valid=None, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists(), "a new folder is removed again"
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=message):
        fit(train=Corpus.from_text(text), valid=None, folder=tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_training_text_that_a_vocabulary_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="<150>: the model knows none of its 1,200 words"):
        fit(vocabulary=LMVocabulary(("quite", "other")))
