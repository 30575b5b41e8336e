"""The benchmark of question answering runs, and its figures are consistent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memn2n.qa import engine

needs_engine = pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}")
RATES = {"examples_per_second", "answers_per_second_single", "answers_per_second_text", "answers_per_second_encoded"}
COSTS = {"seconds_per_restart", "peak_memory_mb"}

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "benchmarks.qa", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The printed report, and the written figures."""
    file = tmp_path_factory.mktemp("benchmark") / "qa.json"
    done = run("--quick", "--json", file)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text(encoding="utf-8"))


@needs_engine
def test_all_figures_are_written(measured: tuple[str, dict[str, Any]]) -> None:
    figures = measured[1]["tasks"]["1"]
    for backend in ("engine", "pytorch"):
        assert figures[backend].keys() == RATES | COSTS
        assert all(value > 0 for value in figures[backend].values())
    assert all(ratio >= 1 for of in figures["median_over_best"].values() for ratio in of.values())


@needs_engine
def test_ratios_are_the_factors_by_which_the_engine_is_better(measured: tuple[str, dict[str, Any]]) -> None:
    figures = measured[1]["tasks"]["1"]
    ours, theirs = figures["engine"], figures["pytorch"]
    assert figures["ratios"].keys() == RATES | COSTS
    for name, ratio in figures["ratios"].items():
        assert ratio == pytest.approx(ours[name] / theirs[name] if name in RATES else theirs[name] / ours[name])


@needs_engine
def test_operations_and_share_of_the_peak_are_consistent(measured: tuple[str, dict[str, Any]]) -> None:
    found = measured[1]
    figures = found["tasks"]["1"]
    speed = sum(figures["operations_per_example"].values()) * figures["engine"]["examples_per_second"]
    assert figures["operations_per_second"] == pytest.approx(speed)
    assert figures["share_of_peak"] == pytest.approx(speed / found["peak_operations_per_second"])
    assert 0 < figures["share_of_peak"] < 1


@needs_engine
def test_the_table_shows_every_figure(measured: tuple[str, dict[str, Any]]) -> None:
    printed, found = measured
    rows = [line for line in printed.splitlines() if line.startswith("| ") and line.count("|") == 5]
    assert len(rows) == 1 + len(RATES | COSTS), "a heading, and a row for each"
    assert f"{found['machine']['cores']} cores" in printed
    assert found["machine"]["torch"] in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table"], "--table needs --data"),
        (["--threads", "0"], "--threads is 0"),
        pytest.param(["--tasks", "x"], "--tasks is 'x'", marks=needs_engine),
        pytest.param(["--data", "nowhere"], "nowhere", marks=needs_engine),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
