"""Recipes: how each MemN2N column of the paper's tables is trained, one TOML file a column."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memn2n.errors import ConfigError, InputError, Setting
from memn2n.qa.config import NetworkConfig, TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memn2n.reproduce.paper import Table

RECIPES = Path(__file__).with_name("recipes")

_REQUIRED = {"table": str, "column": str, "joint": bool}
_SETTINGS = {"network": dict, "training": dict}
_FROM_THE_CALL = ("restarts", "seed", "select")


@dataclass(frozen=True)
class Recipe:
    """How a column is trained.

    Args:
        name: the file's name without its ending; the column's folder among the results.
        table: the paper's table.
        column: the name of its column.
        joint: whether one network learns all tasks, instead of one for each task.
        network: the network's settings.
        training: the training's settings, but for restarts and seed.
    """

    name: str
    table: str
    column: str
    joint: bool
    network: NetworkConfig
    training: TrainingConfig


def read_recipe(path: Path) -> Recipe:
    """A recipe from its file; what it leaves out is the settings' default.

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


def parse_recipe(path: Path, required: Mapping[str, type], from_the_call: Sequence[str]) -> dict[str, Any]:
    """The keys of a recipe's file; it may have the tables ``network`` and ``training``, whose settings are not checked.

    Args:
        path: the file.
        required: the keys that it must have, and their types.
        from_the_call: settings of its training that it must leave to the call.

    Raises:
        ValueError: for a file that is not UTF-8 or not TOML; as ConfigError, for a key that is wrong or lacking.
    """
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for key in values.keys() - required.keys() - _SETTINGS.keys():
        raise ConfigError(Setting("there"), f" is no key {key!r} in a recipe")
    for key, kind in (*required.items(), *_SETTINGS.items()):
        if type(values.get(key)) is not kind and (key in values or key in required):
            raise ConfigError(f"{key} must be there, of type {kind.__name__}")
    for key in from_the_call:
        if key in values.get("training", {}):
            raise ConfigError(Setting(key), " is not a recipe's to set")
    return values


def read_recipes(table: Table) -> dict[str, Recipe]:
    """The recipes of a table by column, in the order of the paper's columns.

    Raises:
        ConfigError: for a malformed recipe.
    """
    recipes = {recipe.column: recipe for recipe in map(read_recipe, sorted((RECIPES / table.name).glob("*.toml")))}
    return {column: recipes[column] for column in table.columns if column in recipes}


def choose_recipes(table: Table, columns: Sequence[str] | None) -> list[Recipe]:
    """The recipes of some columns, each once, in the order given; of all columns by default.

    Raises:
        InputError: for a column without a recipe.
    """
    recipes = read_recipes(table)
    for column in columns or ():
        if column not in recipes:
            known = "it is not a MemN2N" if column in table.columns else "there is no such column"
            raise InputError(f"column {column!r} of {table.name}: {known}; there are: {', '.join(recipes)}")
    return [recipes[column] for column in dict.fromkeys(columns or recipes)]
