"""PyTorch's state in the caller's program changes neither a training nor an answer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig
from memn2n.qa.config import Optimizer
from memn2n.qa.networks import NETWORKS, Family
from memn2n.qa.networks.memn2n import QANetwork
from tests.torch_states import STATES

EXAMPLES = [Example((f"{a} is here.", f"{b} left."), "who?", a) for a in ("ann", "bob", "eva") for b in ("ian", "joe")]


class OwnConfig(NetworkConfig):
    """Settings of a family that only PyTorch can compute."""


class Own(QANetwork):
    """A network whose code does not name devices."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.register_buffer("factor", torch.ones(1), persistent=False)

    def forward(self, *given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        logits, attention = super().forward(*given)
        return logits * torch.ones(logits.shape[1], dtype=logits.dtype), attention


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("candidates", [None, ("ann", "bob", "eva", "joe")])
def test_a_model_of_stories_does_not_depend_on_it(
    state: str, optimizer: Optimizer, candidates: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch trains it; PyTorch, NumPy or the engine answers."""
    monkeypatch.setitem(NETWORKS, "own", Family(OwnConfig, Own, reads=frozenset({"candidates"})))
    training = TrainingConfig(restarts=1, epochs=3, linear_start_epochs=1, optimizer=optimizer, clip="spectral")

    def everything(config: Callable[..., NetworkConfig]) -> list[Any]:
        events: list[Any] = []
        qa = StoryQA.fit(EXAMPLES, network=config(dim=4, encoding="pe-official"), training=training,
                         candidates=candidates, backend="torch", on_event=events.append)  # fmt: skip
        answers = [
            (answer.top, answer.attention.tolist())
            for answer in qa.answer_many((e.story, e.question) for e in EXAMPLES)
        ]
        arrays = {name: array.tolist() for name, array in qa.network.arrays.items()}
        return [[event.train for event in events], arrays, answers, qa.evaluate(EXAMPLES)]

    for config in (NetworkConfig, OwnConfig):
        wanted = everything(config)
        with STATES[state]():
            found = everything(config)
        assert found == wanted
