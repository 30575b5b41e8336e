"""The course of a training as a figure, from the metrics in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError
from memn2n.explain.figure import new_figure
from memn2n.files.model_folder import CONFIG
from memn2n.files.records import iter_records

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = "metrics.jsonl"
_TRAIN: dict[str, Any] = {"color": "0.55", "linestyle": "--"}
_VALID: dict[str, Any] = {"color": "#005a9c", "linestyle": "-"}


def curves_figure(folder: str | Path) -> Figure:
    """Training and validation, epoch by epoch: loss and error of each restart, or a language model's perplexity.

    Raises:
        DataError: if the folder has no metrics, or they are damaged.
        ConfigError: if matplotlib is not installed.
    """
    path = Path(folder) / _METRICS
    if not path.is_file():
        raise DataError(folder, None, f"there is no {_METRICS} here: name the folder of a training")
    records = [record for _, _, record in iter_records(path)]
    try:
        if records and "event" in records[0]:
            kept = json.loads((Path(folder) / CONFIG).read_bytes())["restarts"]
            return _of_restarts(records, {restart["restart"] for restart in kept if restart["kept"]})
        return _of_epochs(records)
    except (KeyError, TypeError, ValueError, OSError):
        raise DataError(path, None, "these are no metrics of a training; train again") from None


def _of_restarts(records: list[dict[str, Any]], kept: set[int]) -> Figure:
    figure = new_figure(8, 3.2)
    loss, error = figure.subplots(1, 2)
    restarts = sorted({record["restart"] for record in records})
    for restart in restarts:
        epochs = [record for record in records if record["event"] == "epoch" and record["restart"] == restart]
        shade: dict[str, Any] = (
            {"alpha": 1.0, "linewidth": 1.5} if restart in kept else {"alpha": 0.4, "linewidth": 0.8}
        )
        axis = range(1, len(epochs) + 1)
        loss.plot(axis, [epoch["train"]["loss"] for epoch in epochs], **_TRAIN, **shade)
        if all(epoch["valid"] for epoch in epochs):
            loss.plot(axis, [epoch["valid"]["loss"] for epoch in epochs], **_VALID, **shade)
            error.plot(axis, [100 * epoch["valid"]["error"] for epoch in epochs], **_VALID, **shade)
        error.plot(axis, [100 * epoch["train"]["error"] for epoch in epochs], **_TRAIN, **shade)
    loss.set_yscale("log")
    _finish(loss, "loss, nats a question")
    _finish(error, "error, percent")
    if len(restarts) > 1:
        figure.suptitle("strong: what was kept; light: the other restarts", fontsize=8)
    figure.tight_layout()
    return figure


def _of_epochs(records: list[dict[str, Any]]) -> Figure:
    figure = new_figure(4.5, 3.2)
    from matplotlib.ticker import LogFormatter  # after new_figure, which tells what to install

    axes = figure.subplots()
    epochs = [record["epoch"] for record in records]
    axes.plot(epochs, [record["train_perplexity"] for record in records], **_TRAIN)
    if all(record["valid"] is not None for record in records):
        axes.plot(epochs, [record["valid_perplexity"] for record in records], **_VALID)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(LogFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 1)))  # 200, 300: it seldom spans powers of ten
    _finish(axes, "perplexity")
    figure.tight_layout()
    return figure


def _finish(axes: Axes, what: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(what)
    axes.plot([], [], label="training", **_TRAIN)
    axes.plot([], [], label="validation", **_VALID)
    axes.legend(fontsize=7, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
