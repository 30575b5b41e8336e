"""The metrics of a training as JSON lines."""

from pathlib import Path

import pytest

from memn2n.errors import DataError, DataWarning
from memn2n.files.metrics import MetricsLog, read_metrics

FIRST, SECOND = {"event": "epoch", "epoch": 1}, {"event": "epoch", "epoch": 2}


def test_events_are_partial_until_they_are_published(tmp_path: Path) -> None:
    final, partial = tmp_path / "metrics.jsonl", tmp_path / "metrics.partial.jsonl"
    final.write_text("of an earlier training")
    partial.write_text("of a training that was killed")
    log = MetricsLog(tmp_path)
    log.add(FIRST)
    log.add(SECOND)
    assert final.read_text() == "of an earlier training"
    assert partial.read_text() == '{"event": "epoch", "epoch": 1}\n{"event": "epoch", "epoch": 2}\n'
    log.publish()
    assert read_metrics(tmp_path) == [FIRST, SECOND]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_resumed_training_publishes_its_earlier_events_too(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, [FIRST])
    log.publish()
    assert read_metrics(tmp_path) == [FIRST]
    log.add(SECOND)
    log.publish()
    assert read_metrics(tmp_path) == [FIRST, SECOND]


@pytest.mark.parametrize("name", ["metrics.jsonl", "metrics.partial.jsonl"])
def test_a_file_that_cannot_be_written_costs_one_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    log = MetricsLog(tmp_path)

    def train() -> None:
        for event in (FIRST, SECOND):
            log.add(event)
            log.publish()

    with pytest.warns(DataWarning, match=r"metrics\.jsonl cannot be written: Is a directory") as warned:
        train()
    assert len(warned) == 1


def test_the_older_format_of_language_models_is_converted(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(
        '{"epoch": 1, "rate": 0.1, "train": 3.0, "valid": null, "train_perplexity": 20.1, "valid_perplexity": null}\n'
    )
    assert read_metrics(tmp_path) == [
        {"event": "epoch", "epoch": 1, "rate": 0.1, "train": {"loss": 3.0, "perplexity": 20.1}, "valid": None,
         "train_perplexity": 20.1, "valid_perplexity": None},
    ]  # fmt: skip


def test_folders_without_metrics(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no metrics\.jsonl here; name the folder of a training"):
        read_metrics(tmp_path)
    (tmp_path / "metrics.jsonl").write_text("oops\n")
    with pytest.raises(DataError, match=r"metrics\.jsonl:1: this line is not JSON"):
        read_metrics(tmp_path)
