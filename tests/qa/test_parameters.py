"""The parameters of a network: named arrays, drawn at random, checked, and shared with PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch

from memn2n import ConfigError, Example, NetworkConfig, TrainingConfig
from memn2n.qa.config import DataShape
from memn2n.qa.networks import NETWORKS, Family, Stage, family_named, torch_network
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from memn2n.qa.training.torch_loop import TorchLoop
from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN, Vocabulary

SHAPE = DataShape(40, longest_sentence=5, slots=6)
EVERYTHING = NetworkConfig(dim=30, temporal="add", tying="layerwise", gate=True, hops=2)


def draw(config: NetworkConfig = EVERYTHING, seed: int = 0, std: float = 0.1) -> Parameters:
    return Parameters.draw(config, SHAPE, np.random.default_rng(seed), std)


def test_the_names_and_shapes_of_all_parameters() -> None:
    shapes = {name: array.shape for name, array in draw().arrays.items()}
    tables, times = {f"tables.{i}": (40, 30) for i in range(4)}, {f"times.{i}": (6, 30) for i in range(2)}
    gates = {f"gates.{k}": (30, 30) for k in range(2)} | {f"gate_biases.{k}": (30,) for k in range(2)}
    assert shapes == tables | times | {"H": (30, 30)} | gates
    adjacent = draw(NetworkConfig(dim=4, hops=3)).arrays
    assert {name: array.shape for name, array in adjacent.items()} == {f"tables.{i}": (46, 4) for i in range(4)}


def test_the_first_values_follow_the_seed_and_the_standard_deviation() -> None:
    mine, again, other = draw(), draw(), draw(seed=1)
    for name, array in mine.arrays.items():
        assert array.dtype == np.float32
        assert np.array_equal(array, again.arrays[name])
        assert not np.array_equal(array, other.arrays[name])
        mean = 0.5 if name.startswith("gate_biases") else 0
        assert array[SPECIAL:].mean() == pytest.approx(mean, abs=0.06)
        assert array[SPECIAL:].std() == pytest.approx(0.1, rel=0.3)
    assert draw(std=0.5).arrays["H"].std() == pytest.approx(0.5, rel=0.1)


def test_no_two_arrays_start_alike() -> None:
    arrays = [array[SPECIAL:8].ravel()[:60] for array in draw().arrays.values() if array.ndim == 2]
    for i, one in enumerate(arrays):
        for other in arrays[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.7


def test_rows_of_null_and_of_the_unknown_word_start_at_zero() -> None:
    drawn = draw()
    assert drawn.words() == ["tables.0", "tables.1", "tables.2", "tables.3"]
    for name in drawn.words():
        assert not drawn.arrays[name][[NULL, UNKNOWN]].any()
    assert drawn.arrays["times.0"][NULL].any()


def wrong(name: str, array: Any) -> dict[str, Any]:
    return draw().arrays | {name: array}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (wrong("H", np.zeros((30, 29), np.float32)), r"H has the shape \(30, 29\)"),
        (wrong("H", np.zeros((30, 30))), "H has the shape .* and type float64"),
        (wrong("H", np.zeros((30, 60), np.float32)[:, ::2]), "float32, contiguous and writable"),
        (wrong("H", np.frombuffer(bytes(3600), np.float32).reshape(30, 30)), "contiguous and writable"),
        (wrong("V", np.zeros(3, np.float32)), "the arrays have V, which these settings do not need"),
        ({name: array for name, array in draw().arrays.items() if name != "H"}, "the arrays lack H"),
        ({}, "the arrays lack tables.0, "),
    ],
)
def test_arrays_that_do_not_fit_the_settings_are_refused(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Parameters.of(EVERYTHING, SHAPE, arrays)


def test_arrays_are_taken_in_any_order() -> None:
    drawn = draw()
    again = Parameters.of(EVERYTHING, SHAPE, dict(reversed(drawn.arrays.items())))
    assert list(again.arrays) == list(drawn.arrays)
    assert again.arrays["H"] is drawn.arrays["H"], "not a copy"


def test_the_constructor_wants_the_arrays_in_order() -> None:
    """The engine takes the tables, and the gates, by their position."""
    with pytest.raises(ConfigError, match="not in the order of the settings"):
        Parameters(EVERYTHING, SHAPE, dict(reversed(draw().arrays.items())))


def test_a_copy_has_memory_of_its_own() -> None:
    drawn = draw()
    copy = drawn.copy()
    drawn.arrays["H"][:] = 7
    assert not (copy.arrays["H"] == 7).any()


def test_pytorch_uses_the_memory_of_the_arrays() -> None:
    drawn = draw()
    network, tensors = torch_network(drawn)
    assert isinstance(network, torch.nn.Module)
    assert {name for name, _ in network.named_parameters()} == drawn.arrays.keys() == tensors.keys()
    drawn.arrays["H"][0, 0] = 5
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert drawn.arrays["H"][0, 0] == 6
    for name, parameter in network.named_parameters():
        assert np.shares_memory(parameter.detach().numpy(), drawn.arrays[name])


def loop_on(parameters: Parameters, optimizer: str = "sgd") -> TorchLoop:
    examples = [Example(("a b.", f"{word} c."), f"{word} d?", word) for word in "abcdefgh"]
    stories = StorySet.encode(examples, Vocabulary.build(["a b c d e f g h"], []))
    config = TrainingConfig.from_dict({"optimizer": optimizer})
    return TorchLoop(parameters, stories, np.arange(len(stories)), config, np.random.default_rng(0))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_by_pytorch_changes_the_arrays_in_place(optimizer: str) -> None:
    drawn = draw()
    before, held = drawn.copy(), dict(drawn.arrays)
    loop = loop_on(drawn, optimizer)
    loop.epoch(0.1, Stage())
    loop.finish()
    for name, array in drawn.arrays.items():
        assert array is held[name]
        assert not np.array_equal(array, before.arrays[name]), name


def test_training_in_other_memory_ends_in_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU the network has memory of its own; here its tensors are copies."""
    here, elsewhere = draw(), draw()
    held = dict(elsewhere.arrays)
    mine = loop_on(here)
    monkeypatch.setattr("memn2n.qa.training.torch_loop.torch_network", lambda given, _: torch_network(given.copy()))
    theirs = loop_on(elsewhere)
    for loop in (mine, theirs):
        loop.epoch(0.1, Stage())
    for name, array in draw().arrays.items():
        assert np.array_equal(elsewhere.arrays[name], array), "not yet written"
    theirs.finish()
    for name, array in here.arrays.items():
        assert elsewhere.arrays[name] is held[name]
        assert np.array_equal(elsewhere.arrays[name], array), name


def test_a_network_with_parameters_of_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a parameter would be trained, and then lost."""

    class Other(QANetwork):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.extra = torch.nn.Linear(2, 2)

    class OtherConfig(NetworkConfig):
        pass

    monkeypatch.setitem(NETWORKS, "other", Family(OtherConfig, Other))
    with pytest.raises(ConfigError, match="the parameters of Other must be the tensors that it was given"):
        torch_network(draw(OtherConfig()))


def test_two_families_with_one_config_class_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "mine", Family(NetworkConfig, QANetwork))
    for name in ("mine", "memn2n"):
        with pytest.raises(ConfigError, match="have the same config class; derive a class for each"):
            family_named(name)
