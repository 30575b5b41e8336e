"""The language model through its front door."""

import dataclasses
import json
import math
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from memn2n import Corpus, LMConfig, LMTraining, LMVocabulary, MemoryLM, StoryQA
from memn2n.errors import ConfigError, InputError, MemN2NError, ModelError, TrainingError
from memn2n.lm import model as lm_module
from memn2n.lm.answers import LMEvaluation
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.stream import Stream
from memn2n.lm.training import trainer as train_lm
from memn2n.lm.training.checkpoints import load_checkpoint
from memn2n.lm.training.progress import LMEpoch, LMStep
from memn2n.lm.vocabulary import EOS, UNK

NETWORK = LMConfig(dim=12, linear=6, hops=2, memory_size=9)
MODERN = LMTraining(learning_rate=0.02, epochs=3, batch_size=64, block=16, hop_dropout=0.05, precision="fp32")
PLAIN = LMTraining(
    optimizer="sgd", learning_rate=0.05, anneal="validation", epochs=3, batch_size=64, block=8, embedding_dropout=0.0,
    state_dropout=0.0, clip_norm=50.0, precision="fp32",
)  # fmt: skip


def sentences(number: int, seed: int) -> str:
    """Sentences with some order: an animal does to another one what it does, and each has its own place."""
    draw = random.Random(seed)
    places = {"cat": "roof", "dog": "yard", "hen": "barn", "fox": "wood"}
    lines = []
    for _ in range(number):
        one, two = draw.sample(sorted(places), 2)
        lines.append(f"the {one} {draw.choice(['sees', 'hears', 'likes'])} the {two} in the {places[one]}")
    return "\n".join(lines)


TRAIN, VALID, TEST = (Corpus.from_text(sentences(n, seed), name=f"<{n}>") for n, seed in ((150, 1), (30, 2), (40, 3)))


def fit(training: LMTraining = MODERN, **arguments: Any) -> MemoryLM:
    given: dict[str, Any] = {"train": TRAIN, "valid": VALID, "network": NETWORK, "threads": 1} | arguments
    return MemoryLM.fit(training=training, **given)


def assert_same(one: MemoryLM, two: MemoryLM) -> None:
    """Bit-equal weights, the same words, the same history but for the time it took."""
    found, wanted = one.network.state_dict(), two.network.state_dict()
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name
    assert one.vocabulary == two.vocabulary
    assert timeless(one) == timeless(two)


def timeless(lm: MemoryLM) -> list[LMEpoch]:
    return [dataclasses.replace(epoch, words_per_second=0, seconds=0) for epoch in lm.history]


@pytest.fixture(scope="module")
def lm() -> MemoryLM:
    dropout: dict[str, Any] = {"embedding_dropout": 0.0, "hop_dropout": 0.0, "state_dropout": 0.0}
    return fit(dataclasses.replace(MODERN, learning_rate=0.03, epochs=12, batch_size=32, block=8, **dropout))


# What it says


def unigram_perplexity() -> float:
    counts, test = Counter(TRAIN.words()), list(TEST.words())
    return math.exp(-sum(math.log(counts[word] / counts.total()) for word in test) / len(test))


def test_it_learns(lm: MemoryLM) -> None:
    """Of a sentence's nine words three are free: perplexity 1.8 if all that can be known were."""
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
    """Wherever the blocks begin in which a text is evaluated."""
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


def test_it_looks_at_the_word_that_tells(lm: MemoryLM) -> None:
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


# What it writes

BEGUN = "sees the hen in the yard <eos> the cat"


def test_it_writes_sentences(lm: MemoryLM) -> None:
    words = list(lm.generate(BEGUN, words=60))
    assert len(words) == 60
    assert words[0] in {"sees", "hears", "likes"}
    assert words == list(lm.generate(BEGUN, words=60))
    assert words != list(lm.generate(BEGUN, words=60, seed=1))
    assert words.count(EOS) >= 4
    assert list(lm.generate(BEGUN, words=0)) == []


@pytest.mark.parametrize("more", [{"temperature": 0.0}, {"top_k": 1}, {"temperature": 1e-40}])
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


def test_the_unknown_word_is_not_written_unless_asked_for() -> None:
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
        ({"top_k": 0}, "top_k is 0"),
    ],
)
def test_bad_arguments_are_refused_at_once(lm: MemoryLM, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        lm.generate("the", **arguments)


# A model on disk


def test_a_model_survives_a_round_trip(lm: MemoryLM, tmp_path: Path) -> None:
    lm.save(tmp_path / "model")
    again = MemoryLM.load(tmp_path / "model")
    assert_same(again, lm)
    assert again.history == lm.history
    assert again.training == lm.training
    assert again.network.config == NETWORK
    assert again.evaluate(TEST) == lm.evaluate(TEST)
    assert list(again.generate("the", words=9)) == list(lm.generate("the", words=9))
    tied = fit(dataclasses.replace(MODERN, epochs=1), network=dataclasses.replace(NETWORK, tied=True))
    tied.save(tmp_path / "model")
    assert_same(MemoryLM.load(tmp_path / "model"), tied)


def test_another_kind_of_model_is_refused(qa: StoryQA, lm: MemoryLM, tmp_path: Path) -> None:
    qa.save(tmp_path / "qa")
    with pytest.raises(ModelError, match="holds a model of kind 'qa', not 'lm'"):
        MemoryLM.load(tmp_path / "qa")
    lm.save(tmp_path / "lm")
    with pytest.raises(ModelError, match="of kind 'lm', not"):
        StoryQA.load(tmp_path / "lm")
    with pytest.raises(ModelError, match="there is no such model directory"):
        MemoryLM.load(tmp_path / "none")


@pytest.mark.parametrize(
    "record",
    [{"network": {}}, {"network": None}, {"training": {"x": 1}}, {"history": 3}, {"history": [{}]}],
)
def test_a_damaged_record_is_one_line(lm: MemoryLM, tmp_path: Path, record: dict[str, Any]) -> None:
    lm.save(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | record))
    with pytest.raises(ModelError, match=r"config\.json is damaged \(.*\); train again") as error:
        MemoryLM.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", ["dim", "tied", "dtype"])
def test_weights_that_do_not_fit_are_refused(lm: MemoryLM, tmp_path: Path, wrong: str) -> None:
    lm.save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_bytes())
    if wrong == "dtype":
        tensors = safetensors.numpy.load_file(tmp_path / "model.safetensors")
        raw = safetensors.numpy.save(tensors | {"H": tensors["H"].astype(np.float64)})
        (tmp_path / "model.safetensors").write_bytes(raw)
        config["sha256"]["model.safetensors"] = __import__("hashlib").sha256(raw).hexdigest()
    else:
        config["network"] |= {"dim": 13} if wrong == "dim" else {"tied": True}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"model\.safetensors does not fit config\.json"):
        MemoryLM.load(tmp_path)


# What it is trained on


def test_the_end_is_held_out_where_no_validation_text_is_given() -> None:
    """And its words are not learned from."""
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


def test_without_a_text_it_is_the_one_that_python_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm_module, "carried_text", lambda: (TRAIN, VALID, TEST))
    short = dataclasses.replace(MODERN, epochs=1)
    assert_same(fit(short, train=None, valid=None), fit(short))
    assert_same(fit(short, train=None, valid=TEST), fit(short, valid=TEST))


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    """With or without a folder."""
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
def test_a_text_that_cannot_be_trained_on(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(train=Corpus.from_text(text), valid=None)


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


# Going on


class Killed(Exception):  # noqa: N818 - no error of ours
    """What stands for a kill: nothing is saved after it."""


def after(batches: int, act: Callable[[], object]) -> Callable[[LMStep | LMEpoch], None]:
    """Do something after so many batches."""
    left = [batches]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMStep):
            left[0] -= 1
            if left[0] == 0:
                act()

    return listen


def kill() -> None:
    raise Killed


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def batches() -> int:
    """How many an epoch of MODERN has."""
    seen: list[LMStep | LMEpoch] = []
    fit(dataclasses.replace(MODERN, epochs=1), on_event=seen.append)
    return len(seen) - 1


@pytest.fixture(scope="module")
def whole() -> dict[Any, MemoryLM]:
    """Trainings that nothing came between, by their settings and validation text."""
    return {(training, valid): fit(training, valid=valid) for training in (MODERN, PLAIN) for valid in (VALID, None)}


@pytest.mark.parametrize("valid", [VALID, None], ids=["validated", "held out"])
@pytest.mark.parametrize("training", [MODERN, PLAIN], ids=["adamw", "sgd"])
@pytest.mark.parametrize("end", [kill, ctrl_c])
def test_what_was_cut_ends_as_if_it_had_not_been(
    training: LMTraining, valid: Corpus | None, end: Callable[[], None], whole: dict[Any, MemoryLM], batches: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Within an epoch, at its end, twice; and a kill before the first checkpoint is a training from the beginning."""
    wanted = whole[training, valid]
    for cut in (batches + 2, batches + 1):
        resume = (tmp_path / "checkpoint").exists()
        try:
            model = fit(training, valid=valid, folder=tmp_path, resume=resume, on_event=after(cut, end))
        except Killed:
            assert end is kill
        else:
            assert model.interrupted == (end is ctrl_c)
        progress = load_checkpoint(tmp_path).progress
        assert progress.history == sorted(progress.history, key=lambda epoch: epoch.epoch)
        if end is kill:
            assert progress.batch == 0
    told: list[LMStep | LMEpoch] = []
    found = fit(training, valid=valid, folder=tmp_path, resume=True, on_event=told.append)
    assert_same(found, wanted)
    assert_same(MemoryLM.load(tmp_path), as_saved(wanted))
    assert not found.interrupted
    assert [event.epoch for event in told if isinstance(event, LMEpoch)][-1] == 3
    again = fit(training, valid=valid, folder=tmp_path, resume=True, on_event=told.append)
    assert_same(again, wanted)
    assert told[-1] == found.history[-1], "nothing was left to do"


def as_saved(lm: MemoryLM) -> MemoryLM:
    """The model as it was when its best epoch was saved."""
    best = max(epoch.epoch for epoch in lm.history if epoch.best)
    return MemoryLM(lm.network, lm.vocabulary, lm.training, lm.history[:best])


def test_ctrl_c_in_the_first_epoch(whole: dict[Any, MemoryLM], tmp_path: Path) -> None:
    """There is no network to return yet, but the training can go on."""
    with pytest.raises(KeyboardInterrupt):
        fit(folder=tmp_path, on_event=after(2, ctrl_c))
    assert load_checkpoint(tmp_path).progress.batch == 2
    assert_same(fit(folder=tmp_path, resume=True), whole[MODERN, VALID])
    with pytest.raises(KeyboardInterrupt):
        fit(on_event=after(2, ctrl_c))


def test_ctrl_c_without_a_folder_returns_the_best_so_far(batches: int) -> None:
    found = fit(on_event=after(batches + 3, ctrl_c))
    assert found.interrupted
    one = fit(dataclasses.replace(MODERN, epochs=3), on_event=after(batches + 1, ctrl_c))
    assert_same(found, one)
    assert len(found.history) == 1


def train_in_a_process(folder: str, resume: bool) -> None:
    """Say each batch, then how it ended; run by ``test_a_real_signal``."""
    model = fit(PLAIN, folder=folder, resume=resume, on_event=lambda event: print(type(event).__name__, flush=True))
    print("interrupted" if model.interrupted else "finished", flush=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_real_signal(number: signal.Signals, whole: dict[Any, MemoryLM], tmp_path: Path) -> None:
    code = f"from tests.lm.test_model import train_in_a_process as run; run({str(tmp_path)!r}, False)"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = iter(child.stdout)
        for line in lines:
            if line == "LMEpoch\n":
                break
        next(lines)
        child.send_signal(number)
        *_, last = (line, *lines)
    if number == signal.SIGINT:
        assert (child.returncode, last) == (0, "interrupted\n")
    else:
        assert child.returncode == -signal.SIGKILL
    progress = load_checkpoint(tmp_path).progress
    assert len(progress.history) < PLAIN.epochs
    assert MemoryLM.load(tmp_path).history[0].epoch == 1
    assert_same(fit(PLAIN, folder=tmp_path, resume=True), whole[PLAIN, VALID])


def test_more_epochs_can_be_asked_for(tmp_path: Path) -> None:
    fit(dataclasses.replace(PLAIN, epochs=1), folder=tmp_path)
    assert_same(fit(PLAIN, folder=tmp_path, resume=True), fit(PLAIN))
    again = MemoryLM.fit(TRAIN, VALID, folder=tmp_path, resume=True, threads=1)
    assert len(again.history) == 3, "by default as many as before"


def test_a_new_training_leaves_nothing_of_the_one_before_to_resume(tmp_path: Path) -> None:
    fit(folder=tmp_path)
    other = dataclasses.replace(MODERN, seed=5)

    def kill(event: LMStep | LMEpoch) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fit(other, folder=tmp_path, on_event=kill)
    assert load_checkpoint(tmp_path).training == other
    assert_same(fit(other, folder=tmp_path, resume=True), fit(other))


def test_a_training_text_that_a_vocabulary_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="<150>: the model knows none of its 1,200 words"):
        fit(vocabulary=LMVocabulary(("quite", "other")))


def test_what_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resume needs the folder of the training"):
        fit(resume=True)
    with pytest.raises(ModelError, match="has no checkpoint to resume from"):
        fit(resume=True, folder=tmp_path)
    fit(dataclasses.replace(MODERN, epochs=1), folder=tmp_path)
    with pytest.raises(ModelError, match="its train text is not the one given now"):
        fit(resume=True, folder=tmp_path, train=TEST)
    with pytest.raises(ModelError, match="its valid text is not the one given now"):
        fit(resume=True, folder=tmp_path, valid=TEST)
    with pytest.raises(ModelError, match="text is not the one given now"):
        fit(resume=True, folder=tmp_path, valid=None)


def test_a_folder_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"was not written by memn2n; choose another folder"):
        fit(folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_the_best_model_is_kept_apart_from_the_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    losses = {"a": [3.0, 2.0, 2.5], "b": [3.0, 2.0]}
    runs: dict[str, MemoryLM] = {}
    for name, script in losses.items():
        left = iter(script)
        monkeypatch.setattr(train_lm, "mean_loss", lambda *_, left=left: next(left))
        runs[name] = fit(dataclasses.replace(PLAIN, epochs=len(script)), folder=tmp_path / name)
    assert [epoch.best for epoch in runs["a"].history] == [True, True, False]
    for name, value in runs["b"].network.state_dict().items():
        assert torch.equal(runs["a"].network.state_dict()[name], value)
    last = load_checkpoint(tmp_path / "a")
    assert len(last.progress.history) == 3
    assert not torch.equal(last.tensors["parameter.A"], runs["a"].network.A)
    left = iter(losses["a"])
    monkeypatch.setattr(train_lm, "mean_loss", lambda *_: next(left))
    assert_same(fit(PLAIN), runs["a"])  # without a folder too


def test_a_training_that_fails_keeps_what_was_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = iter([3.0, 2.0, math.nan])
    with monkeypatch.context() as patch:
        patch.setattr(train_lm, "mean_loss", lambda *_: next(left))
        with pytest.raises(TrainingError, match=r"the validation loss became nan in epoch 3; lower the learning rate"):
            fit(PLAIN, folder=tmp_path)
    assert len(MemoryLM.load(tmp_path).history) == 2
    checkpoint = load_checkpoint(tmp_path)
    assert len(checkpoint.progress.history) == 2
    assert all(value.isfinite().all() for value in checkpoint.tensors.values() if value.is_floating_point())
    assert TrainingError.exit_status == 1


def test_too_high_a_rate_leaves_no_broken_model(tmp_path: Path) -> None:
    """One batch an epoch: its loss is of the weights before the step that breaks them."""
    wild = dataclasses.replace(PLAIN, learning_rate=1e30, clip_norm=1e30, batch_size=10_000, block=10_000)
    with pytest.raises(TrainingError):
        fit(dataclasses.replace(wild, validation=0.0), valid=None, folder=tmp_path)
    for load in (MemoryLM.load, load_checkpoint):
        try:
            found = load(tmp_path)
        except MemN2NError:
            continue
        tensors = found.network.state_dict() if isinstance(found, MemoryLM) else found.tensors
        assert all(value.isfinite().all() for value in tensors.values() if value.is_floating_point())


def test_a_network_is_not_changed_by_being_used(lm: MemoryLM) -> None:
    before = {name: value.clone() for name, value in lm.network.state_dict().items()}
    list(lm.generate("the", words=5))
    lm.next_words("the")
    lm.perplexity(TEST)
    assert all(torch.equal(value, before[name]) for name, value in lm.network.state_dict().items())
    assert not any(value.requires_grad for value in lm.network.parameters())
    assert isinstance(lm.network, LMNetwork)
