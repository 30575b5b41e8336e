"""The progress bar: on a terminal, and elsewhere."""

from __future__ import annotations

import pytest

from memn2n import progress_bar as module
from memn2n.progress_bar import ProgressBar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the bar sees, in seconds."""
    now = [0.0]

    class Time:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    monkeypatch.setattr(module, "time", Time)
    return now


def test_a_new_stage_has_its_own_speed(clock: list[float]) -> None:
    with ProgressBar(unit="words") as bar:
        for label, done in (("one", 0), ("one", 10), ("one", 30), ("two", 500), ("two", 505)):
            clock[0] += 2
            bar.show(label, "", done, 1000)
            if (label, done) == ("one", 30):
                assert (bar.speed, bar.time_left) == ("  10 words/s", "  0:01:37 left")
            if (label, done) == ("two", 500):
                assert (bar.speed, bar.time_left) == ("", ""), "what was done before it began does not count"
        assert bar.speed == "  2 words/s"


def test_a_line_that_comes_too_soon_is_left_out(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(seconds_between_lines=10) as bar:
        for seconds, line in ((5, "first"), (5, "second"), (9, "third"), (1, "fourth")):
            clock[0] += seconds
            bar.log(line)
        bar.print("always")
        clock[0] += 9
        bar.log("fifth")
    assert capsys.readouterr().err.split() == ["second", "fourth", "always"]


@pytest.mark.parametrize("terminal", [True, False])
def test_only_standard_error_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any stream for a terminal then
    with ProgressBar() as bar:
        bar.show("restart [1]", "1/2 [done]", 1, 2)
        print("standard output")
        bar.log("a log line")
        bar.hide()
    out, err = capsys.readouterr()
    assert out == "standard output\n"
    assert ("restart [1]" in err, "1/2 [done]" in err, "\x1b" in err) == (terminal, terminal, terminal)
    assert ("a log line" in err) != terminal, "a bar, or lines"
