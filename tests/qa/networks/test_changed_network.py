"""A network that a program changes is used, or refused; the engine and NumPy never compute in its place."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from memn2n import ConfigError, Example, NetworkConfig, StoryQA, TrainingConfig
from memn2n.qa.networks import NETWORKS, SOFTMAX, Family
from memn2n.qa.networks.memn2n import QANetwork

EXAMPLES = [Example((f"{name} is here.",), "who?", name) for name in ("ann", "bob", "eva") for _ in range(4)]
QUICK = TrainingConfig(restarts=1, epochs=2, linear_start="none", validation=0.0)


class ChangedConfig(NetworkConfig):
    """Settings of the changed networks."""


def only_ann(logits: torch.Tensor) -> torch.Tensor:
    """Logits of which the first answer is the largest by far."""
    return logits * 0 + torch.eye(logits.shape[1])[2] * 1000


class Subclass(QANetwork):
    def forward(self, batch: Any, stage: Any = SOFTMAX) -> tuple[torch.Tensor, torch.Tensor]:
        logits, attention = super().forward(batch, stage)
        return only_ann(logits.nan_to_num(neginf=-1e3)), attention


def hooked(*given: Any) -> QANetwork:
    network = QANetwork(*given)
    network.register_forward_hook(lambda _m, _i, out: (only_ann(out[0].nan_to_num(neginf=-1e3)), out[1]))
    return network


@pytest.mark.parametrize("network", [Subclass, hooked])
def test_a_family_with_a_changed_network_answers_by_it(
    network: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "changed", Family(ChangedConfig, network))
    qa = StoryQA.fit(EXAMPLES, network=ChangedConfig(dim=4), training=QUICK)
    assert {answer.text for answer in qa.answer_many((e.story, e.question) for e in EXAMPLES)} == {"ann"}
    assert qa.evaluate(EXAMPLES).error == pytest.approx(2 / 3)


def test_the_network_of_the_package_cannot_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine would train and answer by the package's own one."""
    qa = StoryQA.fit(EXAMPLES, network=NetworkConfig(dim=4), training=QUICK)
    for network in (Subclass, hooked):
        monkeypatch.setitem(NETWORKS, "memn2n", Family(NetworkConfig, network))
        with pytest.raises(ConfigError, match="the network of the family memn2n was replaced"):
            qa.evaluate(EXAMPLES)
        with pytest.raises(ConfigError, match="the network of the family memn2n was replaced"):
            StoryQA.fit(EXAMPLES, network=NetworkConfig(dim=4), training=QUICK)
    monkeypatch.setitem(NETWORKS, "memn2n", Family(NetworkConfig, QANetwork))
    qa.evaluate(EXAMPLES)


def test_a_config_of_two_families_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "changed", Family(NetworkConfig, Subclass))
    with pytest.raises(ConfigError, match="have the same config class"):
        StoryQA.fit(EXAMPLES, network=NetworkConfig(dim=4), training=QUICK)


def test_the_numpy_function_of_the_package_is_only_for_its_own_network() -> None:
    own = NETWORKS["memn2n"]
    for network in (Subclass, hooked, "module:name"):
        with pytest.raises(ConfigError, match="forward is the one of memn2n, but network is "):
            dataclasses.replace(own, config=ChangedConfig, network=network)
    assert dataclasses.replace(own, config=ChangedConfig, network=QANetwork).forward == own.forward


def test_an_array_that_a_program_changes_or_replaces_is_used() -> None:
    qa = StoryQA.fit(EXAMPLES, network=NetworkConfig(dim=4), training=QUICK)
    before = qa.answer(["ann is here."], "who?")
    for name, array in qa.network.arrays.items():
        qa.network.arrays[name] = 2 * array
    assert qa.answer(["ann is here."], "who?").probability != before.probability
    for array in qa.network.arrays.values():
        array /= 2
    assert qa.answer(["ann is here."], "who?").probability == before.probability
