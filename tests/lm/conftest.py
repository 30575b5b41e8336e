"""A small trained model for the tests of the language model."""

import dataclasses
from typing import Any

import pytest

from memn2n import MemoryLM
from tests.lm.small_model import MODERN, fit


@pytest.fixture(scope="session")
def lm() -> MemoryLM:
    dropout: dict[str, Any] = {"embedding_dropout": 0.0, "hop_dropout": 0.0, "state_dropout": 0.0}
    return fit(dataclasses.replace(MODERN, learning_rate=0.03, epochs=12, batch_size=32, block=8, **dropout))
