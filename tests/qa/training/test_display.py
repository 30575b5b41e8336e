import pytest

from memn2n import TrainingConfig
from memn2n import progress_bar as module
from memn2n.qa.training.display import QAProgress
from memn2n.qa.training.problem import Restart
from memn2n.qa.training.schedule import Epoch, Score

SCORE = Score(1.5, 0.25)


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float) -> list[str]:
    """Lines for two restarts that are trained at the same time, with this number of seconds between events."""
    clock = iter(seconds * i for i in range(100))
    now = 0.0

    class Time:
        @staticmethod
        def monotonic() -> float:
            return now

    monkeypatch.setattr(module, "time", Time)
    config = TrainingConfig(restarts=2, epochs=2, linear_start="none")
    events: list[Epoch | Restart] = [
        *(Epoch(restart, "softmax", epoch, 0.1, SCORE, None, 0.1) for epoch in (1, 2) for restart in (0, 1)),
        Restart(1, SCORE, SCORE, 1.0),
        Restart(0, None, None, 1.0, "the loss became nan in softmax epoch 3"),
    ]
    with QAProgress([config]) as bar:
        for event in events:
            now = next(clock)
            bar(event)
        assert bar._bar.tasks[0].completed == bar._bar.tasks[0].total == 4
    return capsys.readouterr().err.splitlines()


RESTARTS = [
    "restart 2/2  training loss 1.5000 (25.0% wrong)  validation 1.5000 (25.0% wrong)  1.0 s",
    "restart 1/2 stopped: the loss became nan in softmax epoch 3  1.0 s",
]


def test_quick_epochs_have_no_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(monkeypatch, capsys, 0.01) == RESTARTS


def test_slow_epochs_have_a_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(monkeypatch, capsys, 2.0)
    assert lines[:3] == [
        "restart 2/2  softmax epoch 1  loss 1.5000",
        "restart 1/2  softmax epoch 2  loss 1.5000",
        "restart 2/2  softmax epoch 2  loss 1.5000",
    ]
    assert lines[3:] == RESTARTS
