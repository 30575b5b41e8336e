"""A text that grows by a word at a time says the same as the same text read at once."""

import pytest
import torch

from memn2n import LMConfig
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.stream import Stream


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("linear", [0, 3, 6])
@pytest.mark.parametrize(("memory", "hops"), [(1, 1), (1, 3), (4, 1), (5, 3)])
def test_it_is_forward_at_every_position(memory: int, hops: int, linear: int, tied: bool) -> None:
    """Beyond the memory's size too, three times around the ring."""
    config = LMConfig(dim=6, linear=linear, hops=hops, memory_size=memory, query=0.3, tied=tied)
    generator = torch.Generator().manual_seed(memory)
    net = LMNetwork(config, 11, generator, 0.5).double()
    text = torch.randint(11, (3 * memory + 2,), generator=generator)
    words = torch.cat([text.new_zeros(memory - 1), text])[None]
    states = net(words, torch.tensor([memory - 1]))
    stream = Stream(net)
    for position, word in enumerate(text.tolist()):
        stream.push(word)
        step = stream.next()
        wanted = (net.output_matrix @ states.state[0, position]).log_softmax(0)
        torch.testing.assert_close(step.log_probability, wanted.detach(), rtol=1e-12, atol=1e-12)
        attention = torch.stack(states.attention)[:, 0, position, -min(position + 1, memory) :]
        torch.testing.assert_close(step.attention, attention, rtol=1e-12, atol=1e-12)
        assert not step.log_probability.requires_grad


def test_asking_twice_changes_nothing() -> None:
    net = LMNetwork(LMConfig(dim=4, linear=2, hops=2, memory_size=3), 7, torch.Generator().manual_seed(0), 0.5)
    stream = Stream(net)
    for word in (1, 2, 3, 4, 5):
        stream.push(word)
    first, second = stream.next(), stream.next()
    assert torch.equal(first.log_probability, second.log_probability)
    assert first.log_probability.exp().sum().item() == pytest.approx(1)


def test_before_the_first_word_there_is_nothing_to_look_at() -> None:
    stream = Stream(LMNetwork(LMConfig(dim=4, linear=2, memory_size=3), 7))
    with pytest.raises(ValueError, match="no word in memory"):
        stream.next()
