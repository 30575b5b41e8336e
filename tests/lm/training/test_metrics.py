from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from memn2n.errors import ConfigError, DataWarning
from memn2n.lm.training.metrics import LMMetricsLog, LMTensorBoardLog, epoch_record
from memn2n.lm.training.progress import LMEpoch, LMStep

FIRST = LMEpoch(1, 0.02, 3.0, 2.0, True, 1000.0, 0.5)
SECOND = LMEpoch(2, 0.01, 2.5, None, False, 1100.0, 0.6)
STEP = LMStep(1, 10, 100, 3.0, 0.02)


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_metrics_hold_each_epoch_once_also_after_a_resumption(tmp_path: Path) -> None:
    log = LMMetricsLog(tmp_path)
    log(STEP)
    assert list(tmp_path.iterdir()) == []
    log(FIRST)
    assert written(tmp_path) == [epoch_record(FIRST)]
    assert written(tmp_path)[0]["train"] == {"loss": 3.0, "perplexity": pytest.approx(math.exp(3))}
    assert written(tmp_path)[0]["valid"] == {"loss": 2.0, "perplexity": pytest.approx(math.exp(2))}
    assert epoch_record(SECOND)["valid"] is None
    LMMetricsLog(tmp_path, [FIRST])(SECOND)  # the first process was killed
    assert [line["epoch"] for line in written(tmp_path)] == [1, 2]
    LMMetricsLog(tmp_path)(FIRST)
    assert [line["epoch"] for line in written(tmp_path)] == [1], "trained anew"
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_file_that_cannot_be_written_gives_one_warning(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    log = LMMetricsLog(tmp_path)
    with pytest.warns(DataWarning, match="metrics.jsonl cannot be written"):
        log(FIRST)
    log(SECOND)  # a second warning would be an error here


def test_the_values_that_tensorboard_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            calls.append((folder, purge_step))

        def add_scalar(self, *args: Any) -> None:
            calls.append(args)

        def flush(self) -> None: ...

        def close(self) -> None:
            calls.append(("closed",))

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    with LMTensorBoardLog(tmp_path, done=1) as log:
        log(STEP)
        log(FIRST)
        log(SECOND)
    assert calls == [
        (str(tmp_path), 2),
        ("loss/train", 3.0, 1), ("loss/valid", 2.0, 1),
        ("perplexity/train", math.exp(3.0), 1), ("perplexity/valid", math.exp(2.0), 1),
        ("rate", 0.02, 1), ("words per second", 1000.0, 1),
        ("loss/train", 2.5, 2), ("perplexity/train", math.exp(2.5), 2), ("rate", 0.01, 2),
        ("words per second", 1100.0, 2),
        ("closed",),
    ]  # fmt: skip


def test_tensorboard_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'memn2n\[tensorboard\]'"):
        LMTensorBoardLog(tmp_path)


def test_real_tensorboard_reads_it(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with LMTensorBoardLog(tmp_path) as log:
        log(FIRST)
        log(SECOND)
    with LMTensorBoardLog(tmp_path, done=1) as log:  # resumed from before the second epoch
        log(SECOND)
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/train")] == [(1, 3.0), (2, 2.5)]
    assert [event.step for event in events.Scalars("loss/valid")] == [1]
