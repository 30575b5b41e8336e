"""Recipes: how each MemN2N column of the paper's bAbI tables is trained, one TOML file a column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, InputError
from memn2n.qa.config import NetworkConfig, TrainingConfig
from memn2n.reproduce.recipe_file import parse_recipe
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.reproduce.babi.paper import PaperTable

RECIPES = Path(__file__).with_name("recipes")

_REQUIRED = {"table": str, "column": str, "joint": bool}
_FROM_THE_CALL = ("restarts", "seed", "select")


@dataclass(frozen=True)
class Recipe:
    """How a column is trained."""

    name: str  # the file's name without its ending; also the column's folder among the results
    table: str  # the name of the paper's table
    column: str  # the name of the column in it
    joint: bool  # whether one network learns all tasks, instead of one for each task
    network: NetworkConfig
    training: TrainingConfig  # restarts and seed are replaced by the call's


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; a setting that it does not name has its default.

    Raises:
        ConfigError: for a file that is not TOML, or a key or value that does not exist.
    """
    try:
        values = parse_recipe(path, _REQUIRED, _FROM_THE_CALL)
        return Recipe(path.stem, values["table"], values["column"], values["joint"],
                      NetworkConfig.from_dict(values.get("network", {})),
                      TrainingConfig.from_dict(values.get("training", {})))  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_recipes(table: PaperTable) -> dict[str, Recipe]:
    """The recipes of a table by column, in the order of the paper's columns.

    Raises:
        ConfigError: for a malformed recipe.
    """
    recipes = {recipe.column: recipe for recipe in map(read_recipe, sorted((RECIPES / table.name).glob("*.toml")))}
    return {column: recipes[column] for column in table.columns if column in recipes}


def choose_recipes(table: PaperTable, columns: Sequence[str] | None) -> list[Recipe]:
    """The recipes of these columns, by default of all: each once, in the order given.

    Raises:
        InputError: for a column without a recipe.
    """
    recipes = read_recipes(table)
    for column in columns or ():
        if column not in recipes:
            known = "it is not a MemN2N" if column in table.columns else "there is no such column"
            raise InputError(f"column {quoted(column)} of {table.name}: {known}; there are: {', '.join(recipes)}")
    return [recipes[column] for column in dict.fromkeys(columns or recipes)]
