"""A stream predicts word by word what ``forward`` predicts at once."""

import pytest
import torch

from memn2n import LMConfig
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.stream import Stream


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("linear", [0, 3, 6])
@pytest.mark.parametrize(("memory", "hops"), [(1, 1), (1, 3), (4, 1), (5, 3)])
def test_it_is_forward_at_every_position(memory: int, hops: int, linear: int, tied: bool) -> None:
    """Also for texts three times as long as the memory."""
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
        attention = states.attention[:, 0, position, -min(position + 1, memory) :]
        torch.testing.assert_close(step.attention, attention, rtol=1e-12, atol=1e-12)
        assert not step.log_probability.requires_grad


def test_a_second_prediction_of_the_same_word_is_equal() -> None:
    net = LMNetwork(LMConfig(dim=4, linear=2, hops=2, memory_size=3), 7, torch.Generator().manual_seed(0), 0.5)
    stream = Stream(net)
    for word in (1, 2, 3, 4, 5):
        stream.push(word)
    first, second = stream.next(), stream.next()
    assert torch.equal(first.log_probability, second.log_probability)
    assert first.log_probability.exp().sum().item() == pytest.approx(1)


def test_an_empty_memory_is_refused() -> None:
    stream = Stream(LMNetwork(LMConfig(dim=4, linear=2, memory_size=3), 7))
    with pytest.raises(ValueError, match="no word in memory"):
        stream.next()
