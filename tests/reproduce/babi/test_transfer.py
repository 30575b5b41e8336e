"""Networks trained on simulated stories, tested on published ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memn2n import Example, InputError, NetworkConfig, StoryQA, TrainingConfig, read_babi, read_stories, simulate
from memn2n.reproduce import TransferOptions, run_transfer
from memn2n.reproduce.babi import recipe as recipes
from memn2n.reproduce.babi.run import TableProgress
from memn2n.simulator.story_files import write_simulated
from tests.cli.conftest import CLI, cli

__all__ = ["cli"]

RECIPE = """
table = "babi-10k"
column = "PE LS RN"
joint = false
[network]
dim = 8
[training]
epochs = 3
linear_start_epochs = 2
"""
SIZES: dict[str, Any] = {"n_train": 100, "n_test": 60}


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small en-10k: tasks 1 and 9, and only the test file of task 3; with a quick recipe."""
    folder = tmp_path / "en-10k"
    for train, _ in write_simulated(folder, (1, 3, 9), 100, 60, seed=77):
        if train.name.startswith("qa3_"):
            train.unlink()
    (tmp_path / "recipes" / "babi-10k").mkdir(parents=True)
    (tmp_path / "recipes" / "babi-10k" / "pe-ls-rn.toml").write_text(RECIPE)
    monkeypatch.setattr(recipes, "RECIPES", tmp_path / "recipes")
    return folder


@pytest.mark.filterwarnings("ignore:.* stories of task 3 are longer than the memory:memn2n.DataWarning")
def test_the_figures_are_those_of_the_models_that_fit_trains(published: Path, tmp_path: Path) -> None:
    report = run_transfer(
        published, tmp_path / "out", (3, 1), TransferOptions(restarts=2, seed=5, backend="torch"), **SIZES
    )
    one, three = report.rows
    assert (one.label, three.label) == ("1: 1 supporting fact", "3: 3 supporting facts")
    training = TrainingConfig(epochs=3, linear_start_epochs=2, restarts=2, seed=5)

    def fit(train: list[Example]) -> StoryQA:
        return StoryQA.fit(train, network=NetworkConfig(dim=8), training=training, backend="torch")

    for task, row in ((1, one), (3, three)):
        train, test = simulate(task, seed=5, **SIZES)
        qa = fit(train)
        assert row.simulated == qa.evaluate(test).error
        assert row.transferred == qa.evaluate(read_stories(published, "test", [task])).error
    train, test = read_babi(published, 1)
    assert one.published == fit(train).evaluate(test).error
    assert one.transferred is not None
    assert one.excess == pytest.approx(one.transferred - one.published)
    assert three.published is None
    assert three.excess == pytest.approx((three.transferred or 0) - (three.simulated or 0))
    assert (report.mean.label, report.mean.transferred) == ("mean of 1", one.transferred)


def test_the_same_call_continues_after_ctrl_c(published: Path, tmp_path: Path) -> None:
    def ctrl_c(stories: str, progress: TableProgress) -> None:
        if stories == "simulated" and progress.restarts_done == 2:
            raise KeyboardInterrupt

    options = TransferOptions(restarts=2, backend="torch")
    with pytest.raises(KeyboardInterrupt):
        run_transfer(published, tmp_path / "out", (1, 9), options, on_progress=ctrl_c, **SIZES)
    began: dict[str, int] = {}

    def note(stories: str, progress: TableProgress) -> None:
        began.setdefault(stories, progress.restarts_done)

    again = run_transfer(published, tmp_path / "out", (1, 9), options, on_progress=note, **SIZES)
    assert began == {"published": 4, "simulated": 2}
    assert again.rows == run_transfer(published, tmp_path / "whole", (1, 9), options, **SIZES).rows


def test_the_command(cli: CLI, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fewer_questions(
        folder: Path, tasks: tuple[int, ...], _train: int, _test: int, seed: int
    ) -> Iterator[tuple[Path, Path]]:
        yield from write_simulated(folder, tasks, 90, 30, seed)

    monkeypatch.setattr("memn2n.reproduce.babi.transfer.write_simulated", fewer_questions)
    args = ["reproduce", "transfer", "--data", published, "--tasks", "1,9", "--restarts", 1, "--out", tmp_path / "out"]
    shown = cli(*args)
    assert shown.status == 0, shown.err
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    for row in (*found["rows"], found["mean"]):
        line = next(line for line in shown.out.splitlines() if line.strip().startswith(row["label"]))
        assert line.split()[-4:-1] == [f"{100 * row[key]:.1f}" for key in ("published", "transferred", "simulated")]
        assert line.split()[-1] == f"{100 * row['excess']:+.1f}"
    assert "simulated, PE LS RN, task 9, restart 1: training loss" in shown.err
    assert "| 9: simple negation |" in (tmp_path / "out" / "results.md").read_text()
    assert json.loads(cli(*args, "--json").out)["rows"] == found["rows"]


def test_bad_input_is_refused(cli: CLI, published: Path, tmp_path: Path) -> None:
    assert cli("reproduce", "transfer").err.startswith("memn2n: Missing option '--data'")
    assert cli("reproduce", "transfer", "--column", "PE").err.startswith("memn2n: No such option: --column")
    with pytest.raises(InputError, match="task 21 cannot be simulated"):
        run_transfer(published, tmp_path / "out", (21,), **SIZES)
    with pytest.raises(InputError, match="n_train is 0"):
        run_transfer(published, tmp_path / "out", (3,), n_train=0)
