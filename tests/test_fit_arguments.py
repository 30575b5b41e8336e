"""Arguments of ``fit`` that stories and language models have in common: their types, and whether progress is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from memn2n import ConfigError, LMConfig, LMTraining, MemoryLM, NetworkConfig, StoryQA, TrainingConfig, simulate
from tests.lm import small_model

EXAMPLES, _ = simulate(task=1, n_train=20, n_test=1, seed=0)
QUICK = TrainingConfig(epochs=1, restarts=1, linear_start="none")


def fit_stories(**arguments: Any) -> StoryQA:
    given: dict[str, Any] = {"train": EXAMPLES, "network": NetworkConfig(dim=3, hops=1), "training": QUICK}
    return StoryQA.fit(**(given | arguments))


def fit_text(**arguments: Any) -> MemoryLM:
    given: dict[str, Any] = {"train": small_model.TRAIN, "valid": small_model.VALID, "threads": 1}
    given |= {"network": LMConfig(dim=2, hops=1, memory_size=2), "training": LMTraining(epochs=1, precision="fp32")}
    return MemoryLM.fit(**(given | arguments))


@pytest.mark.parametrize(("fit", "arguments"), [
    (fit_stories, {"network": {"dim": 30}}),
    (fit_stories, {"network": LMConfig()}),
    (fit_stories, {"training": {"epochs": 1}}),
    (fit_stories, {"vocabulary": ["a", "b"]}),
    (fit_stories, {"candidates": "abc"}),
    (fit_stories, {"start": "runs/first"}),
    (fit_stories, {"threads": "2"}),
    (fit_text, {"train": "mine.txt"}),
    (fit_text, {"valid": "mine.txt"}),
    (fit_text, {"network": {"dim": 30}}),
    (fit_text, {"training": {"epochs": 1}}),
    (fit_text, {"vocabulary": ["a", "b"]}),
    (fit_text, {"min_count": "3"}),
    (fit_text, {"max_words": 3.5}),
    (fit_text, {"threads": True}),
])  # fmt: skip
def test_an_argument_of_another_type_is_named(fit: Callable[..., object], arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(ConfigError, match=f"^{name} is "):
        fit(**arguments)


@pytest.mark.parametrize("fit", [fit_stories, fit_text])
def test_progress_is_shown_in_notebooks_or_if_wanted(
    fit: Callable[..., object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fit()
    assert capsys.readouterr() == ("", "")
    events: list[object] = []
    fit(progress=True, on_event=events.append)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "loss" in shown.err
    assert events
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    fit()
    assert "loss" in capsys.readouterr().err
    fit(progress=False)
    assert capsys.readouterr() == ("", "")
