"""Training of the engine under renamings: the same as PyTorch's, and the same as training on rewritten texts."""

from typing import Any

import numpy as np
import pytest

from memn2n import Example, TrainingConfig
from memn2n.qa.batch import Renaming, make_batch
from memn2n.qa.stories import StorySet
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.torch_loop import TorchLoop
from memn2n.qa.vocabulary import SPECIAL
from tests.qa.engine.cases import EVERYTHING, EXAMPLES, MEMORY, STORIES, VOCABULARY, network

CONFIG = TrainingConfig(noise="none")
GROUPS = np.array([i % 3 for i in EVERYTHING], np.int32)
WORDS = len(VOCABULARY)


class Groups:
    """What a loop reads of ``Renamings``, without its random draws."""

    group = GROUPS


def native_loop(net: Any, stories: StorySet = STORIES, renamings: Any = None, **settings: Any) -> NativeLoop:
    config = CONFIG.changed(settings)
    return NativeLoop(net, stories, EVERYTHING, config, np.random.default_rng(0), renamings=renamings)


def drawn(rng: np.random.Generator, groups: int = 3, batches: int = 1) -> Any:
    ids = np.tile(np.arange(WORDS, dtype=np.int32), (batches, groups, 1))
    ids[:, :, SPECIAL:] = rng.permuted(ids[:, :, SPECIAL:], axis=2)
    return ids


@pytest.mark.parametrize("temporal", ["add", "word"])
def test_a_step_is_that_of_pytorch(temporal: str) -> None:
    mine, theirs = (network(0.1, dim=20, temporal=temporal) for _ in range(2))
    loop = native_loop(mine, renamings=Groups)
    torch_loop = TorchLoop(theirs, STORIES, EVERYTHING, CONFIG, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for _ in range(10):
        chosen, ids = rng.choice(EVERYTHING, 32), drawn(rng)
        batch = make_batch(STORIES, chosen, MEMORY, None, Renaming(GROUPS[chosen].astype(np.int64), ids[0]))
        their_loss, their_mistakes = torch_loop.step(batch, 0.01)
        loss, mistakes = loop.trainer.step(chosen, 0.01, False, renamings=ids)
        assert loss == pytest.approx(their_loss, rel=1e-3)
        assert abs(mistakes - their_mistakes) <= 1
    for name, one in mine.arrays.items():
        np.testing.assert_allclose(one, theirs.arrays[name], rtol=0, atol=1e-3 * np.abs(one).max(), err_msg=name)


def rewritten(example: Example, ids: Any) -> Example:
    names = dict(zip(VOCABULARY.words, (VOCABULARY.word(i) for i in ids[SPECIAL:]), strict=True))

    def renamed(text: str) -> str:
        return " ".join(names.get(word.strip(".?!"), word.strip(".?!")) for word in text.split())

    return Example(tuple(map(renamed, example.story)), renamed(example.question), renamed(example.answer))


def test_a_step_is_that_on_rewritten_texts() -> None:
    ids = drawn(np.random.default_rng(2))
    texts = [rewritten(example, ids[0, GROUPS[i]]) for i, example in enumerate(EXAMPLES)]
    assert texts[1].question != EXAMPLES[1].question
    renamed, plain = network(0.1, dim=20), network(0.1, dim=20)
    loss, wrong = native_loop(renamed, renamings=Groups).trainer.step(EVERYTHING, 0.01, False, renamings=ids)
    expected = native_loop(plain, StorySet.encode(texts, VOCABULARY)).trainer.step(EVERYTHING, 0.01, False)
    assert loss == pytest.approx(expected[0], rel=1e-6)
    assert wrong == expected[1]
    for name, one in renamed.arrays.items():
        np.testing.assert_allclose(one, plain.arrays[name], rtol=0, atol=1e-6, err_msg=name)


def test_an_epoch_uses_one_renaming_for_each_batch() -> None:
    """With all examples in one batch, an epoch is one step under its renaming."""
    ids = drawn(np.random.default_rng(3))
    by_epoch, by_step = network(0.1, dim=20), network(0.1, dim=20)
    loop = native_loop(by_epoch, renamings=Groups, batch_size=len(EVERYTHING), sampling="permutation")
    assert loop.trainer.batches() == 1
    loss, wrong, questions = loop.trainer.epoch(0.01, False, 0.0, ids)
    expected = native_loop(by_step, renamings=Groups).trainer.step(EVERYTHING, 0.01, False, renamings=ids)
    assert loss == pytest.approx(expected[0], rel=1e-6)
    assert (wrong, questions) == (expected[1], len(EVERYTHING))


def test_the_number_of_batches() -> None:
    for size, sampling, batches in ((10, "permutation", 5), (10, "replacement", 4), (100, "replacement", 1)):
        assert native_loop(network(), batch_size=size, sampling=sampling).trainer.batches() == batches


@pytest.mark.parametrize(("change", "message"), [
    (lambda ids: ids[0], "it must have 3 dimensions"),
    (lambda ids: ids[:, :2], r"it must be \(1, 3, 7\)"),
    (lambda ids: np.concatenate([ids, ids]), r"it must be \(1, 3, 7\)"),
    (lambda ids: np.where(ids == 0, 3, ids), "renamings has 3 for the id 0"),
    (lambda ids: np.where(ids == 4, 1, ids), "renamings has 1 for the id"),
    (lambda ids: np.where(ids == 4, WORDS, ids), "renamings has 7 for the id"),
])  # fmt: skip
def test_wrong_renamings_are_refused(change: Any, message: str) -> None:
    ids = np.ascontiguousarray(change(drawn(np.random.default_rng(0))))
    with pytest.raises(ValueError, match=message):
        native_loop(network(), renamings=Groups).trainer.step(EVERYTHING, 0.01, False, renamings=ids)


@pytest.mark.parametrize("groups", [GROUPS[1:], np.full_like(GROUPS, -1), np.full_like(GROUPS, 10**6)])
def test_wrong_groups_are_refused(groups: Any) -> None:
    class Wrong:
        group = groups

    with pytest.raises(ValueError, match="groups"):
        native_loop(network(), renamings=Wrong)
