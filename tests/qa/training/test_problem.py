"""The choice of the backend that trains, where the engine or PyTorch is missing."""

import re
from dataclasses import replace

import pytest

from memn2n import Example, NetworkConfig, StoryQA
from memn2n.errors import ConfigError
from memn2n.qa import engine
from memn2n.qa.config import Backend, DataShape
from memn2n.qa.training.problem import choose_backend

SHAPE = DataShape(9, longest_sentence=3, slots=2)
PLAIN = [Example((f"{name} is here.",), "who?", name) for name in "abcd" * 5]
INSTALL = "install it: pip install 'memn2n[torch]'"


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memn2n.machine.has_torch", lambda: False)


def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_missing", "it was not built")


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("auto", f"the engine cannot be used: it was not built; without it, training needs PyTorch; {INSTALL}"),
        ("torch", f'backend "torch" needs PyTorch; {INSTALL}'),
        ("native", 'backend is "native", but the engine cannot be used: it was not built; use "auto" or "torch"'),
    ],
)
def test_without_engine_and_pytorch_training_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, message: str
) -> None:
    without_torch(monkeypatch)
    without_engine(monkeypatch)
    with pytest.raises(ConfigError) as error:
        StoryQA.fit(PLAIN, backend=backend)
    assert str(error.value) == message


def test_without_pytorch_the_engine_trains_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    if engine.unavailable():
        pytest.skip(engine.unavailable())
    without_torch(monkeypatch)
    assert choose_backend("auto", "cpu", NetworkConfig(gate=True), SHAPE) == "native"
    for config, shape, reason in (
        (NetworkConfig(hops=9), SHAPE, "hops is 9, and it supports at most 8"),
        (NetworkConfig(), replace(SHAPE, candidates=2), "it does not know candidate answers"),
    ):
        with pytest.raises(ConfigError, match=re.escape(f"{reason}; without it, training needs PyTorch; {INSTALL}")):
            choose_backend("auto", "cpu", config, shape)
    with pytest.raises(ConfigError, match=re.escape(f"device 'cuda' needs PyTorch; {INSTALL}")):
        choose_backend("auto", "cuda", NetworkConfig(), SHAPE)


def test_without_the_engine_pytorch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    without_engine(monkeypatch)
    assert choose_backend("auto", "cpu", NetworkConfig(), SHAPE) == "torch"
