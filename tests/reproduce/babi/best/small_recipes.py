"""Quick recipes of the variant "best", and declared symmetries for the small bAbI folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from memn2n import NetworkConfig, Recipe, TrainingConfig
from memn2n.qa import recipes
from memn2n.reproduce.babi.best import columns
from tests.reproduce.babi.small_data import PEOPLE, PLACES

QUICK = TrainingConfig(epochs=4, linear_start_epochs=2, batch_size=8, restarts=2, learning_rate=0.02,
                       select="ensemble")  # fmt: skip
DECLARED = f"""
[[class]]
words = {[word.lower() for word in PEOPLE]}
tasks = ["1", "2", "4", "5"]

[[class]]
words = {[word.lower() for word in PLACES]}
tasks = ["4", "17"]

[[class]]
words = ["mouse", "wolf"]
tasks = ["15"]
"""


def use_recipes(monkeypatch: pytest.MonkeyPatch, training: TrainingConfig = QUICK) -> None:
    """Replace the recipes of the variant "best" by two quick ones for a task, and one for several."""
    both = (Recipe(NetworkConfig(dim=4, hops=1), training), Recipe(NetworkConfig(dim=6, hops=2), training))
    monkeypatch.setitem(recipes._RECIPES, "best", both)
    monkeypatch.setitem(recipes._JOINT_RECIPES, "best", both[1:])


@pytest.fixture
def quick_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick recipes of the variant "best", and declared symmetries of the words of the small folder."""
    use_recipes(monkeypatch)
    (tmp_path / "declared.toml").write_text(DECLARED)
    monkeypatch.setattr(columns, "DECLARED", tmp_path / "declared.toml")
