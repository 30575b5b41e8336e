"""A model on disk: it loads as it was saved, and damaged or foreign files are refused."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import MemoryLM, StoryQA
from memn2n.errors import MemN2NError, ModelError, TrainingError
from memn2n.files.model_folder import kind_of, load_model, save_model
from memn2n.lm.training import trainer as train_lm
from memn2n.lm.training.checkpoints import load_checkpoint
from memn2n.lm.vocabulary import LMVocabulary
from tests.lm.small_model import MODERN, NETWORK, PLAIN, TEST, assert_same, fit


def test_a_model_survives_a_round_trip(lm: MemoryLM, tmp_path: Path) -> None:
    lm.save(tmp_path / "model")
    again = MemoryLM.load(tmp_path / "model")
    assert_same(again, lm)
    assert again.history == lm.history
    assert again.training == lm.training
    assert again.network.config == NETWORK
    assert again.evaluate(TEST) == lm.evaluate(TEST)
    assert list(again.generate("the", words=9)) == list(lm.generate("the", words=9))
    tied = fit(dataclasses.replace(MODERN, epochs=1), network=dataclasses.replace(NETWORK, tied=True))
    tied.save(tmp_path / "model")
    assert_same(MemoryLM.load(tmp_path / "model"), tied)


def test_another_kind_of_model_is_refused(qa: StoryQA, lm: MemoryLM, tmp_path: Path) -> None:
    qa.save(tmp_path / "qa")
    with pytest.raises(ModelError, match="holds a model of kind 'qa', not 'lm'"):
        MemoryLM.load(tmp_path / "qa")
    lm.save(tmp_path / "lm")
    with pytest.raises(ModelError, match="of kind 'lm', not"):
        StoryQA.load(tmp_path / "lm")
    with pytest.raises(ModelError, match="there is no such model directory"):
        MemoryLM.load(tmp_path / "none")


@pytest.mark.parametrize(
    "record",
    [{"network": {}}, {"network": None}, {"training": {"x": 1}}, {"history": 3}, {"history": [{}]}],
)
def test_a_damaged_record_is_one_line(lm: MemoryLM, tmp_path: Path, record: dict[str, Any]) -> None:
    lm.save(tmp_path)
    config, vocabulary, tensors = load_model(tmp_path, "lm", LMVocabulary)
    save_model(tmp_path, "lm", config | record, vocabulary, tensors)
    with pytest.raises(ModelError, match=r"the settings of this model cannot be used \(.*\); train again") as error:
        MemoryLM.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", ["dim", "tied", "dtype"])
def test_weights_that_do_not_fit_are_refused(lm: MemoryLM, tmp_path: Path, wrong: str) -> None:
    lm.save(tmp_path)
    config, vocabulary, tensors = load_model(tmp_path, "lm", LMVocabulary)
    if wrong == "dtype":
        tensors["H"] = tensors["H"].astype(np.float64)
    else:
        config["network"] |= {"dim": 13} if wrong == "dim" else {"tied": True}
    save_model(tmp_path, "lm", config, vocabulary, tensors)
    with pytest.raises(ModelError, match="the arrays of this model do not fit its settings; train again"):
        MemoryLM.load(tmp_path)


def test_a_folder_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"was not written by memn2n; choose another folder"):
        fit(folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_the_saved_model_is_the_best_and_the_checkpoint_the_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    losses = {"a": [3.0, 2.0, 2.5], "b": [3.0, 2.0]}
    runs: dict[str, MemoryLM] = {}
    for name, script in losses.items():
        left = iter(script)
        monkeypatch.setattr(train_lm, "mean_loss", lambda *_, left=left: next(left))
        runs[name] = fit(dataclasses.replace(PLAIN, epochs=len(script)), folder=tmp_path / name)
    assert [epoch.best for epoch in runs["a"].history] == [True, True, False]
    for name, value in runs["b"].network.state_dict().items():
        assert torch.equal(runs["a"].network.state_dict()[name], value)
    last = load_checkpoint(tmp_path / "a")
    assert len(last.progress.history) == 3
    assert not torch.equal(last.tensors["parameter.A"], runs["a"].network.A)
    left = iter(losses["a"])
    monkeypatch.setattr(train_lm, "mean_loss", lambda *_: next(left))
    assert_same(fit(PLAIN), runs["a"])  # without a folder too


def test_a_failed_training_keeps_its_last_good_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = iter([3.0, 2.0, math.nan])
    with monkeypatch.context() as patch:
        patch.setattr(train_lm, "mean_loss", lambda *_: next(left))
        with pytest.raises(TrainingError, match=r"the validation loss became nan in epoch 3; lower learning_rate"):
            fit(PLAIN, folder=tmp_path)
    assert len(MemoryLM.load(tmp_path).history) == 2
    checkpoint = load_checkpoint(tmp_path)
    assert len(checkpoint.progress.history) == 2
    assert all(value.isfinite().all() for value in checkpoint.tensors.values() if value.is_floating_point())
    assert TrainingError.exit_status == 1


def test_a_rate_that_is_too_high_saves_no_broken_model(tmp_path: Path) -> None:
    """One batch an epoch: its loss is of the weights before the step that breaks them."""
    wild = dataclasses.replace(PLAIN, learning_rate=1e30, clip_norm=1e30, batch_size=10_000, block=10_000)
    with pytest.raises(TrainingError):
        fit(dataclasses.replace(wild, validation=0.0), valid=None, folder=tmp_path)
    for load in (MemoryLM.load, load_checkpoint):
        try:
            found = load(tmp_path)
        except MemN2NError:
            continue
        tensors = found.network.state_dict() if isinstance(found, MemoryLM) else found.tensors
        assert all(value.isfinite().all() for value in tensors.values() if value.is_floating_point())


@pytest.mark.parametrize("tied", [False, True])
def test_parameters_with_the_names_of_earlier_versions_load(tied: bool, tmp_path: Path) -> None:
    """C, T_C and W were once called B, T_B and own_W."""
    lm = fit(dataclasses.replace(MODERN, epochs=1), network=dataclasses.replace(NETWORK, tied=tied), folder=tmp_path)
    older = {"C": "B", "T_C": "T_B", "W": "own_W"}
    for folder in (tmp_path, tmp_path / "checkpoint"):
        kind = kind_of(folder)
        stored, vocabulary, tensors = load_model(folder, kind, LMVocabulary)
        renamed = {}
        for name, tensor in tensors.items():
            prefix, dot, parameter = name.rpartition(".")
            renamed[prefix + dot + older.get(parameter, parameter)] = tensor
        assert ("own_W" in renamed or "parameter.own_W" in renamed) != tied
        save_model(folder, kind, stored, vocabulary, renamed)
    assert_same(MemoryLM.load(tmp_path), lm)
    resumed = fit(dataclasses.replace(MODERN, epochs=1), folder=tmp_path, resume=True)
    assert_same(resumed, lm)
    further = fit(dataclasses.replace(MODERN, epochs=2, anneal="validation"), folder=tmp_path, resume=True)
    assert len(further.history) == 2
