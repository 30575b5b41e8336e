"""The server's benchmark runs, and fails at a wrong answer."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from memn2n import pretrained, simulate


def test_rows_of_a_model(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    serve = import_module("benchmarks.serve")
    for name, number in {"REQUESTS": 60, "QUESTIONS": 20, "BULK_REQUESTS": 2, "CONNECTIONS": 4, "CROWD": 8}.items():
        monkeypatch.setattr(serve, name, number)
    examples = simulate(1, n_train=0, n_test=20, seed=1).test
    with serve.serving("stories") as server:
        serve.measure(server, "stories", pretrained(), examples)
        serve.crowd(server, examples)
    *rows, blank, memory = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows] == [
        "| stories, one per request, 4 connections",
        "| stories, 20 per request, 1 connection",
        "| stories, 20 per request, 1 connection, without attention",
    ]
    for row in rows:
        rate, p50, p99, longest, direct, ratio = (
            float(cell.strip("| ").replace(",", "")) for cell in row.split(" | ")[1:]
        )
        assert 0 < p50 <= p99 <= longest
        assert ratio == pytest.approx(rate / direct, abs=0.01)
    assert blank == ""
    assert len(memory.split(": ")[1].split(", ")) == 4


def test_a_wrong_answer_ends_the_benchmark() -> None:
    serve = import_module("benchmarks.serve")
    answer = pretrained().answer(["Mary moved to the bathroom."], "Where is Mary?")
    serve.check(answer.to_dict(), answer)
    serve.check(answer.to_dict() | {"attention": None}, answer)
    for other in (replace(answer, text="kitchen"), replace(answer, probability=0.5),
                  replace(answer, attention=np.zeros_like(answer.attention))):  # fmt: skip
        with pytest.raises(SystemExit, match="a wrong answer"):
            serve.check(answer.to_dict(), other)
