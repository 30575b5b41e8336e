"""memn2n lm train."""

from __future__ import annotations

import json
import math
import shutil
import signal
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from memn2n import LMConfig, LMTraining, MemoryLM
from memn2n.lm.training.display import LMProgress
from memn2n.lm.training.progress import LMEpoch
from tests.cli.conftest import CLI, Result
from tests.cli.lm.conftest import FAST, TINY, epochs_in_metrics


def test_settings_reach_the_model(cli: CLI, data: Path, tmp_path: Path) -> None:
    given = {
        "dim": 6, "linear": 2, "hops": 2, "memory_size": 4, "query": 0.3, "tied": True, "optimizer": "sgd",
        "learning_rate": 0.03, "anneal": "validation", "anneal_by": 1.4, "lowest_rate": 1e-4, "warmup": 0.2,
        "epochs": 1, "patience": 2, "batch_size": 16, "batching": "random", "block": 4, "embedding_dropout": 0.1,
        "hop_dropout": 0.2, "state_dropout": 0.05, "weight_decay": 0.01, "clip": "tensor", "clip_norm": 7.0,
        "validation": 0.1, "init_std": 0.04, "precision": "fp32", "seed": 3,
    }  # fmt: skip
    args = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in given.items()]
    trained = cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path, "--max-words", 9,
                  "--min-count", 2, "--threads", 1, *args)  # fmt: skip
    assert trained.status == 0, trained.err
    model = MemoryLM.load(tmp_path)
    settings = {field.name: given.pop(field.name) for field in fields(LMConfig)}
    assert model.network.config == LMConfig.from_dict(settings, complete=True)
    assert model.training == LMTraining.from_dict(given, complete=True)
    assert len(model.vocabulary) == 9


def test_half_of_the_state_is_linear_by_default(cli: CLI, data: Path, tmp_path: Path) -> None:
    assert cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path, *FAST).status == 0
    assert MemoryLM.load(tmp_path).network.config.linear_components == 3


def test_training_without_a_text_uses_the_english_of_python(
    cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = cli("lm", "train", "--json", "--lowercase", "--dim", 4, "--hops", 1, "--memory-size", 3, "--epochs", 1,
                  "--batch-size", 2048, "--max-words", 100, "--threads", 1)  # fmt: skip
    assert trained.status == 0, trained.err
    result = json.loads(trained.out)
    assert result["model"] == "runs/lm"
    assert result["epochs"] == result["kept"]["epoch"] == 1
    assert result["kept"]["valid"]["perplexity"] == pytest.approx(math.exp(result["kept"]["valid"]["loss"]))
    assert 1 < result["test"]["perplexity"] < 100
    assert result["minutes"] > 0
    assert result["words_per_second"] > 0
    model = MemoryLM.load("runs/lm")
    assert (model.vocabulary.tokens, model.vocabulary.lowercase, model.lines) == ("words", True, "running")


def send_signal_in(epoch: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a signal to this process during an epoch."""
    shown = LMProgress.__call__

    def press(self: LMProgress, event: object) -> None:
        if not isinstance(event, LMEpoch) and event.epoch == epoch:  # type: ignore[attr-defined]
            signal.raise_signal(number)
        shown(self, event)  # type: ignore[arg-type]

    monkeypatch.setattr(LMProgress, "__call__", press)


def test_an_interrupted_training_ends_like_an_uninterrupted_one(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["lm", "train", "--data-dir", data, "--data-name", "toy", *TINY, "--epochs", 4]

    def train(run: str, *more: object) -> Result:
        return cli(*command, "--out", tmp_path / run, *more)

    assert train("whole").status == 0
    for epoch, number in ((1, signal.SIGINT), (3, signal.SIGTERM)):
        with monkeypatch.context() as patch:
            send_signal_in(epoch, number, patch)
            stopped = train("parts", *(["--resume"] if epoch > 1 else []))
        assert stopped.status == 128 + number
        assert stopped.err.splitlines()[-1] == (
            f"memn2n: interrupted; the checkpoint is in {tmp_path / 'parts'}, "
            "and the same command with --resume continues"
        )
        assert (stopped.out == "") == (epoch == 1), "the best network so far is reported, if there is one"
        assert "test perplexity" not in stopped.out
    assert epochs_in_metrics(tmp_path / "parts") == [1, 2]
    resumed = train("parts", "--resume")
    assert resumed.status == 0, resumed.err
    assert [line.split("  ")[0] for line in resumed.err.splitlines()] == ["epoch 3/4", "epoch 4/4"]
    assert epochs_in_metrics(tmp_path / "parts") == [1, 2, 3, 4]
    whole, parts = (MemoryLM.load(tmp_path / run).network.state_dict() for run in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)

    (tmp_path / "parts" / "metrics.jsonl").unlink()
    assert train("parts", "--resume", "--json").status == 0, "there is nothing left to do"
    assert epochs_in_metrics(tmp_path / "parts") == [1, 2, 3, 4]


def test_ctrl_c_before_the_training_begins(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryLM, "fit", press)
    stopped = cli("lm", "train", "--out", tmp_path / "run")
    assert stopped.status == 130
    assert stopped.err == "memn2n: interrupted before the training began; nothing was saved\n"


def test_resuming_with_other_settings_is_refused(cli: CLI, data: Path, tmp_path: Path) -> None:
    command = ["lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path / "run"]
    assert cli(*command, *TINY, "--epochs", 2).status == 0
    for given, message in (
        (["--hops", 3], "--hops is 3, but 2 in the training that"),
        (["--nhop", 3], "--nhop is 3, but 2"),
        (["--variant", "paper"], "--dim is 150, but 6"),
        (["--valid", data / "toy.test.txt"], "its train text is not the one given now"),
    ):
        refused = cli(*command, "--resume", *given)
        assert (refused.status, refused.err.count("\n")) == (2, 1)
        assert message in refused.err
    shutil.copy(tmp_path / "run" / "model.safetensors", tmp_path / "run" / "checkpoint")
    foreign = cli(*command, "--resume")
    assert (foreign.status, foreign.err.count("\n")) == (2, 1)
    assert "holds a model of kind 'lm', not 'lm training'" in foreign.err
    assert cli(*command, *FAST).status == 0
    assert epochs_in_metrics(tmp_path / "run") == [1]


def test_half_of_dim_is_the_same_setting_whether_it_was_given_or_not(cli: CLI, data: Path, tmp_path: Path) -> None:
    command = ["lm", "train", "--train", data / "toy.train.txt", *TINY, "--variant", "modern"]
    for run, first, then in (("given", ["--linear", 3], []), ("default", [], ["--linear", 3])):
        out = ["--out", tmp_path / run]
        assert cli(*command, *out, *first, "--epochs", 1).status == 0
        assert json.loads((tmp_path / run / "config.json").read_text())["network"]["linear"] == 3
        resumed = cli(*command, *out, *then, "--epochs", 2, "--resume")
        assert resumed.status == 0, resumed.err


def test_a_loss_that_is_not_finite_is_a_failure(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["--data-dir", data, "--data-name", "toy", "--epochs", 3]
    wild = ["--optimizer", "sgd", "--learning-rate", 1e30, "--clip-norm", 1e30, "--warmup", 0]
    failed = cli("lm", "train", *files, *TINY, *wild, "--out", tmp_path / "wild")
    assert failed.status == 1
    assert failed.err.startswith("memn2n: the loss became ")
    assert "in epoch 1; lower --learning-rate (1e+30) or --clip-norm (1e+30)" in failed.err
    assert not (tmp_path / "wild").exists()

    losses = iter([2.0, math.nan])
    monkeypatch.setattr("memn2n.lm.training.trainer.mean_loss", lambda *_: next(losses))
    failed = cli("lm", "train", *files, *TINY, "--out", tmp_path / "run")
    assert failed.status == 1
    assert failed.err.splitlines()[-1].startswith(
        "memn2n: the validation loss became nan in epoch 2; lower --learning-rate"
    )
    assert failed.err.endswith(f"; the best model before that is in {tmp_path / 'run'}\n")
    assert [epoch.valid for epoch in MemoryLM.load(tmp_path / "run").history] == [2.0]


def test_tensorboard_that_is_not_installed(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    refused = cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path / "run", "--tensorboard",
                  tmp_path / "events", *FAST)  # fmt: skip
    assert refused.status == 2
    assert refused.err == (
        "memn2n: --tensorboard needs TensorBoard, which is not installed here: pip install 'memn2n[tensorboard]'\n"
    )
    assert list(tmp_path.iterdir()) == []
