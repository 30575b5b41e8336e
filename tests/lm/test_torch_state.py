"""PyTorch's state in the caller's program changes neither a training nor an answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM
from tests.torch_states import STATES

TEXT = Corpus.from_text("a b c a c b b a c a " * 30)
NETWORK = LMConfig(dim=8, hops=2, memory_size=4)
TRAININGS = {
    "adamw": LMTraining(epochs=2, batch_size=64, block=8, precision="fp32", seed=1),
    "sgd": LMTraining(epochs=2, batch_size=64, block=8, precision="fp32", seed=1, optimizer="sgd", learning_rate=0.01),
}


def everything(training: LMTraining, folder: Path) -> list[Any]:
    """Train with an interruption, save, load, and use each method; return all results."""
    first = MemoryLM.fit(TEXT, network=NETWORK, training=training.changed({"epochs": 1}), folder=folder)
    lm = MemoryLM.fit(TEXT, training=training, folder=folder, resume=True)
    arrays = {name: value.numpy().tolist() for name, value in lm.network.state_dict().items()}
    lm.save(folder / "copy")
    found: list[Any] = [[(epoch.train, epoch.valid) for epoch in (*first.history, *lm.history)], arrays]
    for model in (lm, MemoryLM.load(folder / "copy")):
        assert all(value.dtype == torch.float32 for value in model.network.parameters())
        next_words = model.next_words("a b c")
        assert next_words.attention.dtype == np.float32
        found += [next_words.ranked, next_words.attention.tolist(), list(model.generate("a", 8, seed=3))]
        found += [model.perplexity(TEXT), [word.log_probability for word in model.score(TEXT)]]
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("training", TRAININGS)
def test_a_language_model_does_not_depend_on_it(state: str, training: str, tmp_path: Path) -> None:
    wanted = everything(TRAININGS[training], tmp_path / "plain")
    with STATES[state]():
        found = everything(TRAININGS[training], tmp_path / "changed")
    assert found == wanted


@pytest.mark.parametrize("state", STATES)
def test_a_model_that_was_loaded_there_can_be_trained_on(state: str, tmp_path: Path) -> None:
    MemoryLM.fit(TEXT, network=NETWORK, training=TRAININGS["sgd"]).save(tmp_path)
    with STATES[state]():
        network = MemoryLM.load(tmp_path).network
    network.requires_grad_(True)
    network(torch.tensor([[2, 3, 4, 2]])).state.sum().backward()
    assert network.A.grad is not None


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_the_program_stays(state: str) -> None:
    """Also while the program reads a word after the other."""

    def now() -> tuple[object, ...]:
        return (torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(),
                torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"))  # fmt: skip

    with STATES[state]():
        before = now()
        lm = MemoryLM.fit(TEXT, network=NETWORK, training=TRAININGS["sgd"])
        assert now() == before
        for _ in lm.score(TEXT):
            assert now() == before
        for _ in lm.generate("a", 3):
            assert now() == before
