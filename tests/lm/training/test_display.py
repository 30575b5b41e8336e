from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from memn2n import progress_bar as module
from memn2n.lm.training.display import LMProgress
from memn2n.lm.training.progress import LMEpoch, LMStep


def steps(epoch: int, *words: int) -> list[LMStep]:
    return [LMStep(epoch, n, 1000, 5.0, 0.01) for n in words]


def printed(
    monkeypatch: pytest.MonkeyPatch, events: list[LMStep | LMEpoch], seconds: float, *, show: bool = True,
    terminal: bool = False,
) -> str:  # fmt: skip
    """Standard error of some events, this number of seconds apart."""
    now = 0.0

    class Time:
        @staticmethod
        def monotonic() -> float:
            return now

    out = StringIO()
    monkeypatch.setattr(module, "time", Time)
    monkeypatch.setattr(module, "Console", lambda stderr: Console(file=out, force_terminal=terminal, width=120))
    with LMProgress(2, show) as progress:
        for event in events:
            now += seconds
            progress(event)
    return out.getvalue()


EPOCH = LMEpoch(1, 0.01, 5.0, 4.0, True, 2000.0, 0.5)
EPOCH_LINE = (
    "epoch 1/2  loss 5.0000  perplexity 148.41  validation 4.0000, perplexity 54.598  rate 0.01  2,000 words/s  0.5 s"
)


def test_a_quick_epoch_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    worse = LMEpoch(2, 0.01, 5.0, None, False, 2000.0, 0.5)
    lines = printed(monkeypatch, [*steps(1, 250, 500, 1000), EPOCH, worse], 0.1).splitlines()
    assert lines == [
        EPOCH_LINE,
        "epoch 2/2  loss 5.0000  perplexity 148.41  (no better)  rate 0.01  2,000 words/s  0.5 s",
    ]


def test_a_long_epoch_has_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, [*steps(1, 100, 200, 300, 400, 500), EPOCH], 6).splitlines()
    assert lines == [
        "epoch 1/2  20%  loss 5.000  perplexity 148.41  17 words/s  0:00:48 left",
        "epoch 1/2  40%  loss 5.000  perplexity 148.41  17 words/s  0:00:36 left",
        EPOCH_LINE,
    ]
    assert printed(monkeypatch, [*steps(1, 100, 200, 300), EPOCH], 6, show=False).splitlines() == [EPOCH_LINE]


def test_words_before_a_resumption_do_not_count_for_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, [*steps(1, 800, 900)], 10).splitlines()
    assert lines == [
        "epoch 1/2  80%  loss 5.000  perplexity 148.41",
        "epoch 1/2  90%  loss 5.000  perplexity 148.41  10 words/s  0:00:10 left",
    ]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(monkeypatch, [*steps(1, 100, 200)], 20, terminal=True)
    assert "━" in shown
    assert "20%" in shown
    assert "5 words/s" in shown
    assert "0:02:40" in shown, "the time that is left"
    hidden = printed(monkeypatch, [*steps(1, 100, 200), EPOCH], 20, terminal=True, show=False)
    assert hidden.strip() == EPOCH_LINE
