"""A trained language model predicts, scores and generates text."""

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import Corpus, MemoryLM
from memn2n.errors import ConfigError, InputError
from memn2n.lm.answers import LMEvaluation
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.stream import Stream
from memn2n.words import EOS, UNK
from tests.lm.small_model import MODERN, TEST, TRAIN, fit


def unigram_perplexity() -> float:
    counts, test = Counter(TRAIN.words()), list(TEST.words())
    return math.exp(-sum(math.log(counts[word] / counts.total()) for word in test) / len(test))


def test_it_learns(lm: MemoryLM) -> None:
    """Three of a sentence's nine words are random, so the best possible perplexity is 1.8."""
    assert unigram_perplexity() > 9
    assert lm.perplexity(TEST) < 3
    valid = [epoch.valid for epoch in lm.history]
    assert valid[0] is not None
    assert valid[-1] is not None
    assert valid[-1] < valid[0]
    assert not lm.interrupted


def test_perplexity_is_the_mean_of_the_scores(lm: MemoryLM) -> None:
    scores = list(lm.score(TEST))
    assert [score.word for score in scores] == list(TEST.words())
    first, *others = scores
    assert (first.log_probability, first.bits) == (None, None)
    found = [score.log_probability for score in others]
    mean = -sum(value for value in found if value is not None) / len(others)
    evaluation = lm.evaluate(TEST)
    assert None not in found
    assert evaluation.words == len(others)
    assert evaluation.loss == pytest.approx(mean)
    assert lm.perplexity(TEST) == pytest.approx(math.exp(mean))
    assert others[0].log_probability is not None
    assert others[0].bits == pytest.approx(others[0].log_probability / math.log(2))
    assert json.loads(json.dumps(others[0].to_dict()))["log_probability"] == others[0].log_probability


def test_scores_are_those_of_one_word_after_the_other(lm: MemoryLM) -> None:
    """Wherever the blocks of the evaluation begin."""
    ids = list(lm.vocabulary.ids(TEST.words()))
    assert len(ids) > 300
    stream = Stream(lm.network)
    scores = [score.log_probability for score in lm.score(TEST)]
    for before, word, found in zip(ids[:-1], ids[1:], scores[1:], strict=True):
        stream.push(before)
        assert found == pytest.approx(stream.next().log_probability[word].item(), abs=2e-5)


def test_bfloat16_evaluates_nearly_the_same(lm: MemoryLM) -> None:
    assert lm.perplexity(TEST, precision="bf16") == pytest.approx(lm.perplexity(TEST), rel=0.03)
    assert lm.perplexity(TEST, precision="bf16") != lm.perplexity(TEST)


def test_unknown_words_are_counted(lm: MemoryLM) -> None:
    text = Corpus.from_text("the zebra sees the cat\nthe cat <unk>")
    assert [score.unknown for score in lm.score(text)] == [False, True, *[False] * 6, True, False]
    assert lm.evaluate(text).unknown == pytest.approx(2 / 8), "<eos> is no word"
    assert [score.unknown for score in lm.score(Corpus.from_text("zebra the"))] == [True, False, False]


def test_what_comes_next(lm: MemoryLM) -> None:
    found = lm.next_words("the cat sees the dog in the", top=len(lm.vocabulary))
    assert found.ranked[0] == (found.text, max(p for _, p in found.ranked))
    assert [p for _, p in found.ranked] == sorted((p for _, p in found.ranked), reverse=True)
    assert {word for word, _ in found.ranked} == {UNK, EOS, *lm.vocabulary.words}
    assert sum(p for _, p in found.ranked) == pytest.approx(1, abs=1e-5)
    assert found.memory == ("the", "cat", "sees", "the", "dog", "in", "the")
    assert found.attention.shape == (2, 7)
    assert found.attention.dtype == np.float32
    np.testing.assert_allclose(found.attention.sum(1), 1, rtol=1e-5)
    assert found.unknown_words == ()
    assert len(lm.next_words("the").ranked) == 10
    record = json.loads(json.dumps(found.to_dict()))
    assert record["next"][0] == {"word": found.text, "probability": found.ranked[0][1]}


def test_the_attention_is_on_the_word_that_decides(lm: MemoryLM) -> None:
    for animal, other, place in (("cat", "fox", "roof"), ("dog", "cat", "yard"), ("hen", "dog", "barn")):
        found = lm.next_words(f"wood <eos> the {animal} sees the {other} in the")
        assert found.text == place
        assert animal in {found.memory[i] for i in found.attention.argmax(1)}


def test_the_latest_words_are_read(lm: MemoryLM) -> None:
    text = "a zebra a gnu the cat sees the dog in the roof <eos>"
    found = lm.next_words(text)
    assert found.memory == tuple(text.split()[-9:])
    assert found.attention.shape == (2, 9)
    assert found.unknown_words == ("a", "zebra", "gnu")
    assert found.ranked == lm.next_words(" ".join(found.memory)).ranked
    assert found.text == "the"


def test_without_a_word_a_sentence_begins(lm: MemoryLM) -> None:
    found = lm.next_words("")
    assert found.memory == (EOS,)
    assert found.attention.tolist() == [[1.0], [1.0]]
    assert lm.next_words("").ranked == lm.next_words(EOS).ranked
    with pytest.raises(ConfigError, match="top is 0"):
        lm.next_words("", top=0)


BEGUN = "sees the hen in the yard <eos> the cat"


def test_generated_text_has_sentences(lm: MemoryLM) -> None:
    words = list(lm.generate(BEGUN, words=60))
    assert len(words) == 60
    assert words[0] in {"sees", "hears", "likes"}
    assert words == list(lm.generate(BEGUN, words=60))
    assert words != list(lm.generate(BEGUN, words=60, seed=1))
    assert words.count(EOS) >= 4
    assert list(lm.generate(BEGUN, words=0)) == []


@pytest.mark.parametrize("more", [{"temperature": 0.0}, {"top_k": 1}, {"temperature": 1e-40}, {"temperature": 1e-300}])
def test_the_most_probable_word_each_time(lm: MemoryLM, more: dict[str, Any]) -> None:
    text = ["the", "hen"]
    found = list(lm.generate("the hen", words=25, seed=5, **more))
    for word in found:
        wanted = [ranked for ranked, _ in lm.next_words(" ".join(text)).ranked if ranked != UNK]
        assert word == wanted[0]
        text.append(word)


def test_draws_follow_the_probabilities(lm: MemoryLM) -> None:
    wanted = dict(lm.next_words(BEGUN, top=99).ranked)
    drawn = Counter(next(lm.generate(BEGUN, seed=seed)) for seed in range(300))
    for word in ("sees", "hears", "likes"):
        assert drawn[word] / 300 == pytest.approx(wanted[word], abs=0.1)
    cold = Counter(next(lm.generate(BEGUN, seed=seed, temperature=0.2)) for seed in range(100))
    best = max(wanted, key=lambda word: wanted[word])
    assert cold[best] / 100 > wanted[best]
    two = {next(lm.generate(BEGUN, seed=seed, top_k=2, temperature=3.0)) for seed in range(40)}
    assert two == {word for word, _ in lm.next_words(BEGUN, top=2).ranked}


def test_the_unknown_word_is_not_generated_by_default() -> None:
    text = Corpus.from_text("\n".join(f"the w{i} v{i} x{i} the cat" for i in range(60)))
    lm = fit(MODERN, train=text, valid=None, min_count=5)
    assert lm.vocabulary.words == ("the", "cat")
    assert lm.next_words("the").text == UNK
    assert UNK not in list(lm.generate("the", words=100, top_k=2))
    assert UNK in list(lm.generate("the", words=20, unknown=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": -1}, "words is -1"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"temperature": 10**400}, "temperature is 1000"),
        ({"seed": 10**25}, "seed is 10000000000000000000000000: it must be from 0 to 9223372036854775807"),
        ({"seed": -1}, "seed is -1"),
        ({"top_k": 0}, "top_k is 0"),
    ],
)
def test_bad_arguments_are_refused_at_once(lm: MemoryLM, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        lm.generate("the", **arguments)


def test_a_text_that_cannot_be_evaluated(lm: MemoryLM) -> None:
    none = Corpus.from_text("ein zwei drei\nvier", name="deutsch.txt")
    message = r"deutsch\.txt: the model knows none of its 4 words; is it of the same language"
    for use in (lm.evaluate, lm.perplexity, lambda text: list(lm.score(text))):
        with pytest.raises(InputError, match=message):
            use(none)
        with pytest.raises(InputError, match="has one word, and the first one cannot be predicted"):
            use(Corpus.from_text("<eos>"))
        with pytest.raises(InputError, match="tokens 'words', but the vocabulary was built with 'space'"):
            use(Corpus.from_text("the cat", tokens="words"))
    with pytest.raises(InputError, match=message):
        fit(valid=none)


def test_two_words_are_enough_to_evaluate(lm: MemoryLM) -> None:
    assert lm.evaluate(Corpus.from_text("the")).words == 1


def test_a_huge_loss_is_a_huge_perplexity() -> None:
    assert LMEvaluation(1, 0.0, 1e9).perplexity == pytest.approx(math.exp(700))
    assert LMEvaluation(3, 0.5, math.log(7)).to_dict() == {
        "words": 3, "unknown": 0.5, "loss": math.log(7), "perplexity": pytest.approx(7)
    }  # fmt: skip


def test_predictions_do_not_change_the_network(lm: MemoryLM) -> None:
    before = {name: value.clone() for name, value in lm.network.state_dict().items()}
    list(lm.generate("the", words=5))
    lm.next_words("the")
    lm.perplexity(TEST)
    assert all(torch.equal(value, before[name]) for name, value in lm.network.state_dict().items())
    assert not any(value.requires_grad for value in lm.network.parameters())
    assert isinstance(lm.network, LMNetwork)
