"""The recipes that the package ships, and malformed ones."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from memn2n import ConfigError, NetworkConfig, TrainingConfig
from memn2n.reproduce import read_recipes, read_table
from memn2n.reproduce.babi.paper import TABLES
from memn2n.reproduce.babi.recipe import RECIPES, read_recipe

FILES = [path for table in TABLES for path in sorted((RECIPES / table).glob("*.toml"))]
NOT_MEMN2N = {"MemNN (strong)", "LSTM", "MemNN-WSH"}
WORDS = {"gated": "PE LS RN", "supervised joint": "PE LS RN joint"}  # of columns that are not the paper's


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recipe_names_its_table_and_sets_no_default(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.table == path.parent.name
    assert recipe.joint == recipe.column.endswith("joint")
    given = tomllib.loads(path.read_text())
    for part, defaults in (("network", asdict(NetworkConfig())), ("training", asdict(TrainingConfig()))):
        for key, value in given.get(part, {}).items():
            assert value != defaults[key], f"{key} is the default"


@pytest.mark.parametrize("name", TABLES)
def test_every_memn2n_column_has_one_recipe(name: str) -> None:
    table = read_table(name)
    columns = sorted(read_recipe(path).column for path in FILES if path.parent.name == name)
    assert columns == sorted(table.columns.keys() - NOT_MEMN2N)
    assert list(read_recipes(table)) == [column for column in table.columns if column not in NOT_MEMN2N]
    assert {path.name for path in RECIPES.iterdir()} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_the_words_of_a_column_are_its_settings(name: str) -> None:
    for column, recipe in read_recipes(read_table(name)).items():
        words = WORDS.get(column, column).replace("*", "").split()
        network, training = recipe.network, recipe.training
        assert network.encoding == ("bow" if "BoW" in words else "pe-official")
        assert (training.linear_start != "none") == ("LS" in words)
        assert (training.noise != "none") == ("RN" in words)
        assert network.tying == ("layerwise" if "LW" in words else "adjacent")
        assert network.hops == (int(words[0]) if words[0].isdigit() else 3)
        supervised = column.startswith("supervised")
        assert network.dim == (100 if column.endswith("*") else 40 if supervised else 50 if recipe.joint else 20)
        assert network.relu == column.endswith("*")
        assert network.gate == (column == "gated" or supervised)
        assert (training.supervise_attention > 0) == supervised
        assert training.validation_split == ("random" if recipe.joint and not supervised else "auto")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('column = "PE"\njoint = false', "table is missing or not of type str"),
        ('table = "babi-1k"\ncolumn = "PE"\njoint = 1', "joint is missing or not of type bool"),
        ('table = "babi-1k"\ncolumn = "PE"\njoint = true\nnetwork = 3', "network is missing or not of type dict"),
        (
            'table = "babi-1k"\ncolumn = "PE"\njoint = true\n[net]\n',
            "there is no key 'net'; there are: table, column, joint",
        ),
        ('table = "babi-1k"\ncolumn = "PE"\njoint = true\n[network]\nwidth = 3', "width is not a setting"),
        ('table = "babi-1k"\ncolumn = "PE"\njoint = true\n[training]\nepochs = 0', "epochs is 0"),
        ('table = "babi-1k"\ncolumn = "PE"\njoint = true\n[training]\nseed = 1', "seed cannot be set in a recipe"),
        ("table =", "Invalid value"),
        ("# caf\udce9", "utf-8"),
    ],
)
def test_a_malformed_recipe_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"mine\.toml: ") as caught:
        read_recipe(path)
    assert message in str(caught.value)
