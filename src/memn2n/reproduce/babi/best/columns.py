"""The columns of the tables: what a training is told about the words of its data, and with which settings it trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from memn2n.errors import InputError
from memn2n.qa.recipes import Recipe, recipes
from memn2n.qa.symmetries.choice import foreign_word
from memn2n.qa.symmetries.files import read_symmetries
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.classes import Symmetries
    from memn2n.reproduce.babi.best.data import Protocol

Column = Literal["weak", "found", "declared", "supervised"]
"""weak: no symmetries. found: those that ``find_symmetries`` finds in the training data. declared: those of
``DECLARED``. supervised: those too, and the supporting facts supervise the attention."""

COLUMNS: tuple[Column, ...] = get_args(Column)

DECLARED = Path(__file__).with_name("declared.toml")
"""The symmetries of bAbI's tasks, written by hand."""

SUPERVISION = 1.0
"""``supervise_attention`` of the column supervised."""


def choose_columns(names: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns of these names, in the order of the table; by default all.

    Raises:
        InputError: for another name.
    """
    for name in names or ():
        if name not in COLUMNS:
            raise InputError(f"there is no column {quoted(name)}; there are: {', '.join(COLUMNS)}")
    return tuple(column for column in COLUMNS if not names or column in names)


def recipes_of(column: Column, protocol: Protocol) -> tuple[Recipe, ...]:
    """The recipes of a training: those of the variant "best"; the validation data chooses one.

    The column supervised has the same recipes, with supervision.
    """
    best = recipes("best", joint=protocol == "joint")
    if column != "supervised":
        return best
    return tuple(Recipe(network, training.changed({"supervise_attention": SUPERVISION})) for network, training in best)


def declared_symmetries(examples: Sequence[Example]) -> Symmetries:
    """The declared symmetries of the tasks of training questions.

    Raises:
        InputError: if the questions do not have all words of these symmetries.
        DataError: if the file is malformed.
    """
    symmetries = read_symmetries(DECLARED).limited_to({example.task for example in examples})
    foreign = foreign_word(symmetries, examples, None, lowercase=True)
    if foreign is not None:
        raise InputError(f"the columns declared and supervised need the words of bAbI's English files, and "
                         f"{quoted(foreign[1])} is not in the training data; choose other columns")  # fmt: skip
    return symmetries
