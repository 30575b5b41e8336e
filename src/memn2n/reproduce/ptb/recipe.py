"""The rows of the table on Penn Treebank: the paper's figures, and how each row is trained, one TOML file a row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from memn2n.errors import ConfigError, InputError
from memn2n.lm.config import LMConfig, LMTraining, lm_variant
from memn2n.reproduce.recipe_file import parse_recipe
from memn2n.settings import check_choice
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

LM_TABLE = "ptb"
"""Table 2 of the paper: language models on Penn Treebank."""
LM_RECIPES = Path(__file__).with_name("recipes")

Model = Literal["memn2n", "lstm"]

_FIGURES = Path(__file__).parents[1] / "paper_tables.json"
_REQUIRED = {"row": str, "model": str, "variant": str}
_FROM_THE_CALL = ("seed", "precision")


@dataclass(frozen=True)
class LMFigures:
    """The figures that the paper prints for one language model on Penn Treebank."""

    hidden: int  # number of units
    valid: float  # perplexity of the validation text
    test: float  # perplexity of the test text


def read_lm_figures() -> dict[str, LMFigures]:
    """Row -> figures of Table 2, in the paper's order.

    A row of a memory network is named by its hops and memory size, such as "6x100". The others are named by their
    model, such as "LSTM".
    """
    printed = json.loads(_FIGURES.read_bytes())["lm"]
    rows = [dict(zip(printed["columns"], row, strict=True)) for row in printed["rows"]]
    return {
        f"{row['ptb_hops']}x{row['ptb_mem']}" if row["ptb_hops"] else row["model"]:
        LMFigures(row["ptb_hidden"], row["ptb_valid"], row["ptb_test"])
        for row in rows
    }  # fmt: skip


@dataclass(frozen=True)
class LMRecipe:
    """How a row is trained."""

    name: str  # the file's name without its ending; also the row's folder among the results
    row: str  # of the paper's table, to compare it with
    paper: LMFigures  # of that row
    model: Model
    network: LMConfig  # an LSTM uses only ``dim`` and ``memory_size``
    training: LMTraining  # seed and precision are replaced by the call's


def read_lm_recipe(path: Path) -> LMRecipe:
    """Read a recipe; a setting that it does not name is that of its variant, as in ``lm_variant``.

    Raises:
        ConfigError: for a file that is not TOML, or a key or value that does not exist.
    """
    try:
        values = parse_recipe(path, _REQUIRED, _FROM_THE_CALL)
        figures, row, model = read_lm_figures(), values["row"], values["model"]
        check_choice("row", row, figures)
        check_choice("model", model, get_args(Model))
        network, training = lm_variant(values["variant"])
        return LMRecipe(path.stem, row, figures[row], model,
                        LMConfig.from_dict(asdict(network) | values.get("network", {})),
                        LMTraining.from_dict(asdict(training) | values.get("training", {})))  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_lm_recipes() -> dict[str, LMRecipe]:
    """The recipes by name, in the order of the paper's rows; a row of our own follows the row that it names.

    Raises:
        ConfigError: for a malformed recipe.
    """
    order = list(read_lm_figures())
    recipes = [read_lm_recipe(path) for path in LM_RECIPES.glob("*.toml")]
    recipes.sort(key=lambda recipe: (order.index(recipe.row), recipe.name != recipe.row, recipe.name))
    return {recipe.name: recipe for recipe in recipes}


def choose_lm_recipes(rows: Sequence[str] | None) -> list[LMRecipe]:
    """The recipes of these rows, by default of all: each once, in the order given.

    Raises:
        InputError: for a row without a recipe.
    """
    recipes = read_lm_recipes()
    for row in rows or ():
        if row not in recipes:
            raise InputError(f"there is no row {quoted(row)} of {LM_TABLE}; there are: {', '.join(recipes)}")
    return [recipes[row] for row in dict.fromkeys(rows or recipes)]
