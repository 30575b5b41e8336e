"""The learning curves of a training as a figure, drawn from the metrics in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError
from memn2n.explain.figure import new_figure
from memn2n.files.metrics import METRICS, read_metrics
from memn2n.files.model_folder import config_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TRAIN: dict[str, Any] = {"color": "0.55", "linestyle": "--"}
_VALID: dict[str, Any] = {"color": "#005a9c", "linestyle": "-"}
_KEPT: dict[str, Any] = {"alpha": 1.0, "linewidth": 1.5}
_OTHERS: dict[str, Any] = {"alpha": 0.4, "linewidth": 0.8}
_WIDTH, _HEIGHT = 4.2, 3.2  # inches of a panel
_QA = {"loss": "loss, nats per question", "error": "error, wrong answers"}
_LM = {"perplexity": "perplexity"}


def curves_figure(folder: str | Path) -> Figure:
    """Draw training and validation measures by epoch.

    Question answering shows the loss and the error of each restart, and emphasizes the restarts that were kept. A
    language model shows its perplexity.

    Args:
        folder: the folder of a training, with the file described in ``memn2n.files.metrics``.

    Raises:
        DataError: if the folder has no metrics, or they are damaged.
        ConfigError: if matplotlib is not installed.
    """
    epochs = [event for event in read_metrics(folder) if event["event"] == "epoch"]
    try:
        if "perplexity" in epochs[0]["train"]:
            return _figure({0: epochs}, {0}, _LM)
        restarts: dict[int, list[dict[str, Any]]] = {}
        for epoch in epochs:
            restarts.setdefault(epoch["restart"], []).append(epoch)
        outcomes = config_of(folder)["restarts"]
        return _figure(restarts, {outcome["restart"] for outcome in outcomes if outcome["kept"]}, _QA)
    except (KeyError, IndexError, TypeError, ValueError):
        raise DataError(Path(folder) / METRICS, None, "these are not the metrics of a training; train again") from None


def _figure(restarts: dict[int, list[dict[str, Any]]], kept: set[int], measures: dict[str, str]) -> Figure:
    """Draw a panel for each measure; ``measures`` maps its key in the metrics to the label of its axis."""
    figure = new_figure(_WIDTH * len(measures), _HEIGHT)
    from matplotlib.ticker import LogFormatter, PercentFormatter  # new_figure says what to install if these are missing

    for panel, (measure, label) in enumerate(measures.items()):
        axes = figure.add_subplot(1, len(measures), panel + 1)
        for restart, epochs in sorted(restarts.items()):
            style = _KEPT if restart in kept else _OTHERS
            for part, color in (("train", _TRAIN), ("valid", _VALID)):
                if all(epoch[part] for epoch in epochs):
                    values = [epoch[part][measure] for epoch in epochs]
                    axes.plot(range(1, len(epochs) + 1), values, **color, **style)
        if measure == "error":
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        else:
            axes.set_yscale("log")
        if measure == "perplexity":
            axes.yaxis.set_major_formatter(LogFormatter())
            axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 1)))  # 200, 300, ...
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.plot([], [], label="training", **_TRAIN)
        axes.plot([], [], label="validation", **_VALID)
        axes.legend(fontsize=7, frameon=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    if len(restarts) > 1:
        figure.suptitle("strong: restarts that were kept; light: the others", fontsize=8)
    figure.tight_layout()
    return figure
