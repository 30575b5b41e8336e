"""The recipes of the table on Penn Treebank, and malformed ones."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from memn2n import ConfigError, LMConfig, LMTraining, lm_variant, reproduce
from memn2n.reproduce import read_lm_figures, read_lm_recipes
from memn2n.reproduce.ptb.recipe import LM_RECIPES, LMFigures, read_lm_recipe

FILES = sorted(LM_RECIPES.glob("*.toml"))
PRINTED = json.loads(Path(reproduce.__file__).with_name("paper_tables.json").read_text())["lm"]["rows"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_recipe_matches_its_row_of_the_table(path: Path) -> None:
    recipe, given = read_lm_recipe(path), tomllib.loads(path.read_text())
    hops, memory = (int(n) for n in recipe.row.split("x")) if "x" in recipe.row else (None, None)
    name = "MemN2N" if hops else recipe.row
    printed = next(row for row in PRINTED if (row[0], row[2], row[3]) == (name, hops, memory))
    assert (recipe.paper.hidden, recipe.paper.valid, recipe.paper.test) == (printed[1], *printed[4:6])
    network, training = lm_variant(given["variant"])
    for part, defaults in (("network", asdict(network)), ("training", asdict(training))):
        for key, value in given.get(part, {}).items():
            assert value != defaults[key], f"{key} is the variant's"
    assert recipe.training == training, "no row has settings of its own"
    if recipe.model == "lstm":
        assert (recipe.row, recipe.network) == ("LSTM", LMConfig(dim=printed[1]))
        assert recipe.training == LMTraining(), "as for the default row"
    elif recipe.name == "default":
        assert (recipe.network, recipe.training) == (LMConfig(), LMTraining())
        assert recipe.paper.valid == min(row[4] for row in PRINTED), "compared with the best row"
    else:
        assert recipe.name == recipe.row
        assert recipe.network == LMConfig(dim=printed[1], hops=hops, memory_size=memory)  # type: ignore[arg-type]
        paper_training = LMTraining(
            optimizer="sgd", learning_rate=0.01, anneal="validation", anneal_by=1.5, lowest_rate=1e-5, epochs=100,
            batch_size=128, batching="blocks", block=8, clip="global", clip_norm=50.0, init_std=0.05,
            embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0, weight_decay=0.0,
        )  # fmt: skip
        assert recipe.training == paper_training
        assert "Departs from the official code" in path.read_text()


def test_every_memory_network_of_the_table_has_a_row() -> None:
    wanted = ["LSTM", *dict.fromkeys(f"{row[2]}x{row[3]}" for row in PRINTED if row[0] == "MemN2N")]
    assert len(wanted) == 13
    recipes = read_lm_recipes()
    assert list(recipes) == ["lstm", *wanted[1:], "default"], "in the order of the table"
    assert read_lm_figures()["6x100"] == LMFigures(150, 122, 115)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = "memn2n"\nvariant = "paper"', "row is missing or not of type str"),
        ('row = "9x9"\nmodel = "memn2n"\nvariant = "paper"', "row is '9x9': it must be one of RNN, LSTM"),
        ('row = "LSTM"\nmodel = "gru"\nvariant = "paper"', "model is 'gru': it must be one of memn2n, lstm"),
        ('row = "LSTM"\nmodel = "lstm"\nvariant = "mine"', "variant is 'mine'"),
        ('row = "LSTM"\nmodel = "lstm"\nvariant = "paper"\n[network]\nwidth = 3', "width is not a setting"),
        ('row = "LSTM"\nmodel = "lstm"\nvariant = "paper"\n[training]\nseed = 3', "seed cannot be set in a recipe"),
        ("row =", "Invalid value"),
    ],
)
def test_a_malformed_recipe_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.toml: ") as caught:
        read_lm_recipe(path)
    assert message in str(caught.value)
