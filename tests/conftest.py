"""What several test files share: the real bAbI data where it is there, and a small trained model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, simulate

torch.set_num_threads(1)  # tensors are tiny here, and threads that wait for each other are slow beside other programs

QUICK = TrainingConfig(restarts=1, epochs=12, linear_start_epochs=8, decay_every=10)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with babi/en; MEMN2N_DATA names it, by default it is ../shared/data beside the checkout."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MEMN2N_DATA", default))
    if not (folder / "babi" / "en").is_dir():
        pytest.skip(f"the real bAbI files are not in {folder}; name their folder with MEMN2N_DATA")
    return folder


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    return simulate(task=1, n_train=400, n_test=0, seed=3).train


@pytest.fixture(scope="session")
def qa(examples: list[Example]) -> StoryQA:
    """A model of task 1, good enough to answer easy questions."""
    return StoryQA.fit(examples, training=QUICK)


@pytest.fixture(scope="session")
def model(qa: StoryQA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its directory; tests must not write there."""
    folder = tmp_path_factory.mktemp("model") / "task1"
    qa.save(folder)
    return folder


@pytest.fixture
def tiny() -> NetworkConfig:
    return NetworkConfig(dim=4, hops=1)
