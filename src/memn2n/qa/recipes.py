"""Recipes: settings of a network and of its training that belong together.

Where the paper and its official code differ, "official" and "paper" are the settings of either. "best" answers better
than both: for one task it has several recipes, because no single network learns all skills, and the validation data
chooses; for several tasks it has another one. "quick" trains the same networks once, for a third of the epochs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.qa.config import FamilyConfig, NetworkConfig, TrainingConfig, Variant
from memn2n.settings import check_choice, check_type
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping


class Recipe(NamedTuple):
    """The settings of a network, and those of its training."""

    network: FamilyConfig
    training: TrainingConfig


def recipes(name: Variant, joint: bool = False) -> tuple[Recipe, ...]:
    """The recipes of a variant.

    Args:
        name: the variant. "official" and "paper" have one recipe, "best" and "quick" several for one task.
        joint: whether one network learns several tasks. "best" and "quick" then have another recipe.

    Raises:
        ConfigError: for another name.
    """
    check_choice("variant", name, get_args(Variant))
    return _JOINT_RECIPES.get(name, _RECIPES[name]) if joint else _RECIPES[name]


def variant(name: Variant) -> Recipe:
    """Settings of the official Matlab code ("official"), or of the paper's text ("paper").

    Both trained 10 restarts for a table; ``restarts`` keeps its own default here.

    Raises:
        ConfigError: for another name, or a variant of several recipes.
    """
    found = recipes(name)
    if len(found) > 1:
        raise ConfigError(Setting("variant"), f" is {name}, which has {len(found)} recipes; see memn2n.recipes")
    return found[0]


def choose_recipes(
    given: Iterable[Recipe] | None, network: FamilyConfig | None, training: TrainingConfig | None,
    changes: Mapping[str, Any], joint: bool,
) -> tuple[Recipe, ...]:  # fmt: skip
    """The recipes of a training: those given, the one of these settings, or those of the variant "quick".

    Args:
        given: recipes.
        network: settings of a network.
        training: settings of a training.
        changes: other values for settings of each training; None for no change.
        joint: whether the data has several tasks.

    Raises:
        ConfigError: if there is no recipe, something has the wrong type, or both recipes and settings are given.
    """
    check_type("network", network, FamilyConfig, "memn2n.NetworkConfig(dim=30)")
    check_type("training", training, TrainingConfig, "memn2n.TrainingConfig(epochs=30)")
    if given is None:
        if network is None and training is None:
            found = recipes("quick", joint)
        else:
            found = (Recipe(network or NetworkConfig(), training or TrainingConfig()),)
    elif network is not None or training is not None:
        raise ConfigError(Setting("recipes"), " cannot be given together with ", Setting("network"), " or ",
                          Setting("training"))  # fmt: skip
    else:
        found = tuple(_recipe(one) for one in given) if isinstance(given, Iterable) else (_recipe(given),)
        if not found:
            raise ConfigError(Setting("recipes"), " is empty: give at least one")
    values = {name: value for name, value in changes.items() if value is not None}
    return tuple(Recipe(one.network, one.training.changed(values)) for one in found)


def _recipe(given: object) -> Recipe:
    """A pair of settings as a recipe; ConfigError if it is none."""
    if isinstance(given, tuple) and len(given) == 2:
        network, training = given
        if isinstance(network, FamilyConfig) and isinstance(training, TrainingConfig):
            return Recipe(network, training)
    raise ConfigError(Setting("recipes"), f" has {quoted(given)}: it must be memn2n.Recipe(network, training)")


_HALF_RELU = NetworkConfig(dim=60, hops=4, temporal="add", state_matrix="identity", relu=True, linear=0.5)
_LONG = TrainingConfig(
    optimizer="adam", learning_rate=0.003, decay="cosine", epochs=500, stop_loss=0.001, clip="frobenius",
    sampling="permutation", select="good",
)  # fmt: skip

_BEST = (
    Recipe(  # learns most skills; its linear start and encoding lead out of the local optimum of task 16
        _HALF_RELU.changed({"memory_size": 130}),
        _LONG.changed({"epochs": 300, "noise_rate": 0.3}),
    ),
    Recipe(  # long stories, where only the order of the sentences counts, and not how far apart they are
        _HALF_RELU.changed({"encoding": "pe", "hops": 5, "memory_size": 200}),
        _LONG.changed({"noise_rate": 1.0, "linear_start": "none"}),
    ),
    Recipe(  # stories in which the order of the sentences does not count: maps, sizes
        NetworkConfig(dim=80, encoding="pe", temporal="none", tying="layerwise", relu=True),
        _LONG.changed({"epochs": 1500, "noise": "none", "linear_start": "none"}),
    ),
)

_JOINT = (
    Recipe(  # the hard tasks first, and then more of the tasks that are not learned yet
        _HALF_RELU.changed({"dim": 100, "memory_size": 130, "empty_slots": "mask"}),
        _LONG.changed({"restarts": 1, "learning_rate": 0.0015, "epochs": 520, "linear_start_epochs": 10,
                       "noise_rate": 0.3, "sampling": "hard", "hard_first": 0.33}),
    ),
)  # fmt: skip


def _quick(best: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    """The recipes with one network each, which is trained for a third of the epochs."""
    return tuple(
        Recipe(network, training.changed({"restarts": 1, "epochs": training.epochs // 3})) for network, training in best
    )


_RECIPES: dict[Variant, tuple[Recipe, ...]] = {
    "official": (Recipe(NetworkConfig(), TrainingConfig()),),
    "paper": (
        Recipe(
            NetworkConfig(encoding="pe", temporal="add", empty_slots="mask", answer_softmax="words"),
            TrainingConfig(clip="frobenius", linear_start="validation", linear_start_epochs=100, noise="empty",
                           sampling="permutation", validation_split="random"),
        ),
    ),
    "best": _BEST,
    "quick": _quick(_BEST),
}  # fmt: skip

_JOINT_RECIPES: dict[Variant, tuple[Recipe, ...]] = {"best": _JOINT, "quick": _quick(_JOINT)}
