"""A network that a program changed answers in its own way, everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from memn2n import Corpus, LMConfig, LMTraining, LMVocabulary, MemoryLM
from memn2n.errors import ModelError
from memn2n.lm.networks.memn2n import LMNetwork, States

WORDS = LMVocabulary(("a", "b", "c"))
TEXT = Corpus.from_text("a b c a c b b a c a")


class Certain(LMNetwork):
    """Predicts one word with certainty, whatever it reads."""

    def forward(self, *given: Any) -> States:
        return certain(self, super().forward(*given))


def certain(network: LMNetwork, states: States) -> States:
    """States of which the output matrix makes the word "c"."""
    return states._replace(state=(100 * network.output_matrix[4]).expand_as(states.state))


def subclass() -> LMNetwork:
    return fresh(Certain)


def hooked() -> LMNetwork:
    network = fresh()
    network.register_forward_hook(lambda module, _, states: certain(module, states))
    return network


def pre_hooked() -> LMNetwork:
    """All words that it reads become the word "c", whose time and embedding the network knows."""
    network = fresh()
    network.register_forward_pre_hook(lambda _, given: (torch.full_like(given[0], 4), *given[1:]))
    return network


def patched() -> LMNetwork:
    network = fresh()
    forward = network.forward
    network.forward = lambda *given: certain(network, forward(*given))  # type: ignore[method-assign]
    return network


class Larger(nn.Module):
    def forward(self, W: torch.Tensor) -> torch.Tensor:
        return 10 * W


def parametrized() -> LMNetwork:
    network = fresh()
    nn.utils.parametrize.register_parametrization(network, "W", Larger())
    return network


def fresh(kind: type[LMNetwork] = LMNetwork) -> LMNetwork:
    return kind(LMConfig(dim=8, hops=2, memory_size=3), len(WORDS), torch.Generator().manual_seed(0), 0.5)


CHANGES = [subclass, hooked, pre_hooked, patched, parametrized]


def model(network: LMNetwork) -> MemoryLM:
    return MemoryLM(network, WORDS, LMTraining(), ())


@pytest.mark.parametrize("change", CHANGES)
def test_each_method_uses_the_changed_network(change: Callable[[], LMNetwork]) -> None:
    plain, changed = model(fresh()), model(change())
    next_word = changed.next_words("a b c").ranked
    assert next_word != plain.next_words("a b c").ranked
    scores = [word.log_probability for word in changed.score(TEXT)]
    assert scores[1:] != [word.log_probability for word in plain.score(TEXT)][1:]
    after_three = dict(next_word)[list(TEXT.words())[3]]
    assert scores[3] == pytest.approx(torch.tensor(after_three).log().item(), abs=1e-4)
    most_probable = [next(changed.generate("a b c", 1, temperature=0)), next_word[0][0]]
    assert most_probable[0] == most_probable[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (subclass, "its class is Certain"),
        (hooked, "it has forward hooks"),
        (pre_hooked, "it has forward hooks"),
        (patched, "its forward was replaced"),
        (parametrized, "its class is ParametrizedLMNetwork"),
    ],
)
def test_a_changed_network_is_not_saved_as_a_plain_one(
    change: Callable[[], LMNetwork], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        model(change()).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_replaced_parameter_is_used_and_saved(tmp_path: Path) -> None:
    network = fresh()
    assert network.W is not None
    network.W = nn.Parameter(network.W.detach() * 10)
    changed = model(network)
    assert changed.next_words("a b c").ranked == model(parametrized()).next_words("a b c").ranked
    changed.save(tmp_path)
    assert MemoryLM.load(tmp_path).next_words("a b c").ranked == changed.next_words("a b c").ranked
