"""Small texts, and recipes that reproduce a row from them in a second."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memn2n.reproduce.ptb import recipe

RECIPE = """
row = "{row}"
model = "{model}"
variant = "{variant}"
[network]
dim = 6
linear = 3
hops = 2
memory_size = 5
[training]
{training}
"""

SUBJECTS, VERBS = ("ann", "bob", "cy"), ("sees", "hears", "meets", "knows")


def write_ptb(folder: Path, seed: int = 0, test: bool = True) -> Path:
    """Write ptb.train.txt of about 600 words, ptb.valid.txt and ptb.test.txt of about 150."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for part, lines in (("train", 120), ("valid", 30), ("test", 30)):
        if part != "test" or test:
            text = "".join(f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(SUBJECTS)} <unk>\n"
                           for _ in range(lines))  # fmt: skip
            (folder / f"ptb.{part}.txt").write_text(text)
    return folder


def write_lm_recipes(folder: Path, **training: str) -> Path:
    """Quick recipes of the rows lstm, 2x100 and own; ``training`` has more settings, in TOML."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"epochs": "3", "batch_size": "32"} | training
    more = "\n".join(f"{key} = {value}" for key, value in settings.items())
    for name, row, model, variant in (
        ("lstm", "LSTM", "lstm", "modern"), ("2x100", "2x100", "memn2n", "paper"), ("own", "7x200", "memn2n", "modern"),
    ):  # fmt: skip
        text = RECIPE.format(row=row, model=model, variant=variant, training=more)
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def ptb(tmp_path: Path) -> Path:
    """The folder of the small texts."""
    return write_ptb(tmp_path / "texts" / "ptb")


@pytest.fixture
def quick_lm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of quick recipes, which replace those of the package."""
    folder = write_lm_recipes(tmp_path / "lm-recipes")
    monkeypatch.setattr(recipe, "LM_RECIPES", folder)
    return folder
