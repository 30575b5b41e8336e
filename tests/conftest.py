"""Fixtures of several test files: the real bAbI data if it is available, and small trained models."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.qa.symmetries.classes import Symmetries, WordClass
from memn2n.qa.symmetries.unseen import UnseenWords

for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
    if signal.getsignal(number) == signal.SIG_IGN:  # as under nohup; programs that tests start would ignore it, too
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

torch.set_num_threads(1)  # the tensors are so small that more threads are slower

QUICK = TrainingConfig(restarts=1, epochs=12, linear_start_epochs=8, decay_every=10)
STORY = ["Mary moved to the bathroom.", "John went to the hallway."]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with babi/en: MEMN2N_DATA, or by default ../shared/data beside the checkout."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MEMN2N_DATA", default))
    if not (folder / "babi" / "en").is_dir():
        pytest.skip(f"the real bAbI files are not in {folder}; set MEMN2N_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    return simulate(task=1, n_train=400, n_test=0, seed=3).train


@pytest.fixture(scope="session")
def qa(examples: list[Example]) -> StoryQA:
    """A model of task 1 that can answer easy questions."""
    return StoryQA.fit(examples, training=QUICK)


@pytest.fixture(scope="session")
def exchanging(qa: StoryQA, examples: list[Example]) -> StoryQA:
    """The same model, which knows that persons and places can be exchanged."""
    people = WordClass(("daniel", "john", "mary", "sandra"))
    places = WordClass(("bathroom", "bedroom", "garden", "hallway", "kitchen", "office"))
    unseen = UnseenWords.of(examples, Symmetries((people, places)), qa.vocabulary)
    return StoryQA(qa.networks, qa.vocabulary, training=qa.training, restarts=qa.restarts,
                   fingerprints=qa.fingerprints, unseen=unseen)  # fmt: skip


@pytest.fixture(scope="session")
def model(qa: StoryQA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the saved model; tests must not write to it."""
    folder = tmp_path_factory.mktemp("model") / "task1"
    qa.save(folder)
    return folder


@pytest.fixture(scope="session")
def ensemble(examples: list[Example]) -> StoryQA:
    training = TrainingConfig(restarts=3, epochs=5, linear_start_epochs=5, select="ensemble")
    return StoryQA.fit(examples, training=training)


@pytest.fixture
def tiny() -> NetworkConfig:
    return NetworkConfig(dim=4, hops=1)
