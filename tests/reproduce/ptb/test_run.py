"""The table on Penn Treebank: its figures, continuing after an interruption, and refused folders."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memn2n import InputError, MemoryLM, ModelError, read_corpus
from memn2n.lm.training.progress import LMEpoch, LMStep
from memn2n.machine import Precision
from memn2n.reproduce import PTBOptions, read_lm_recipes, run_lm_table
from memn2n.reproduce.ptb.report import LMTableReport
from memn2n.reproduce.ptb.run import RowEvent
from tests.reproduce.ptb.small_data import ptb, quick_lm, write_lm_recipes, write_ptb

__all__ = ["ptb", "quick_lm"]


def run(
    data: Path, out: Path, rows: list[str] | None = None, restarts: int = 1, seed: int = 0,
    precision: Precision = "fp32", **given: Any,
) -> LMTableReport:  # fmt: skip
    options = PTBOptions(restarts=restarts, seed=seed, threads=1, precision=precision)
    return run_lm_table(data, out, rows, options, **given)


def figures(report: LMTableReport) -> list[tuple[Any, ...]]:
    """The figures that must not change when a table is made again."""
    return [(row.recipe.name, row.valid, row.test, row.restarts, row.epochs) for row in report.rows]


@pytest.mark.parametrize("row", ["2x100", "own"])
def test_the_figures_are_those_of_the_model_that_fit_trains(
    ptb: Path, quick_lm: Path, tmp_path: Path, row: str
) -> None:
    report = run(ptb.parent, tmp_path / "out", rows=[row], seed=3)
    recipe = read_lm_recipes()[row]
    train, valid, test = (read_corpus(ptb / f"ptb.{part}.txt") for part in ("train", "valid", "test"))
    training = replace(recipe.training, precision="fp32")
    model = MemoryLM.fit(train, valid, network=recipe.network, training=training, seed=3, threads=1)
    found = report.rows[0]
    assert found.valid == pytest.approx(model.perplexity(valid), rel=1e-9)
    assert found.test == pytest.approx(model.perplexity(test), rel=1e-9)
    assert found.epochs == 3
    (only,) = found.restarts
    assert only == pytest.approx(found.valid, rel=1e-5)
    assert found.seconds > 0
    kept = MemoryLM.load(tmp_path / "out" / row)
    assert kept.perplexity(test) == pytest.approx(found.test, rel=1e-9)


def test_the_lstm_learns(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    write_lm_recipes(quick_lm, epochs="20", learning_rate="0.05")
    found = run(ptb, tmp_path / "out", rows=["lstm"]).rows[0]
    assert found.valid is not None
    assert found.test is not None
    # of the five words of a sentence, two are certain, two have three values, one has four
    assert 2.05 < found.valid < 3.0
    assert 2.05 < found.test < 3.0
    with pytest.raises(ModelError, match="holds a model of kind 'lstm', not 'lm'"):
        MemoryLM.load(tmp_path / "out" / "lstm")


def test_rows_are_in_the_order_of_the_table_or_of_the_call(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    write_lm_recipes(quick_lm, epochs="1")
    out, events = tmp_path / "out", []
    report = run(ptb, out, on_row=lambda row, report: events.append((row.recipe.name, len(report.rows))))
    assert events == [("lstm", 1), ("2x100", 2), ("own", 3)]
    assert figures(run(ptb, out, rows=["own", "lstm", "own"])) == [figures(report)[i] for i in (2, 0)]
    with pytest.raises(InputError, match="no row '6x9' of ptb; there are: lstm, 2x100, own"):
        run(ptb, out, rows=["own", "6x9"])


def test_finished_trainings_are_not_repeated(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    events: list[RowEvent] = []
    whole = run(ptb, tmp_path / "out", restarts=2, on_event=events.append)
    assert {(one.row, one.restart, one.restarts) for one in events} == {
        (row, restart, 2) for row in ("lstm", "2x100", "own") for restart in (0, 1)
    }
    events.clear()
    again = run(ptb, tmp_path / "out", restarts=2, on_event=events.append)
    assert events == []
    assert figures(again) == figures(whole)
    assert [row.seconds for row in again.rows] == [row.seconds for row in whole.rows]


class EndError(Exception):
    """Ends a training, as a crash would."""


@pytest.mark.parametrize("row", ["lstm", "2x100", "own"])
def test_continuing_after_a_crash_gives_the_same_figures(ptb: Path, quick_lm: Path, tmp_path: Path, row: str) -> None:
    whole = run(ptb, tmp_path / "whole", rows=[row])

    def end(event: RowEvent) -> None:
        if isinstance(event.event, LMStep) and event.event.epoch == 2:
            raise EndError

    out = tmp_path / "out"
    with pytest.raises(EndError):
        run(ptb, out, rows=[row], on_event=end)
    epochs: list[int] = []
    found = run(ptb, out, rows=[row], on_event=lambda event: epochs.append(event.event.epoch))
    assert figures(found) == figures(whole)
    assert set(epochs) == {2, 3}, "the first epoch was not trained again"


@pytest.mark.parametrize("row", ["lstm", "2x100"])
def test_ctrl_c_loses_no_batch(ptb: Path, quick_lm: Path, tmp_path: Path, row: str) -> None:
    whole = run(ptb, tmp_path / "whole", rows=[row])
    events: list[LMStep | LMEpoch] = []

    def press(event: RowEvent) -> None:
        events.append(event.event)
        if len(events) == 3:  # batches of the first epoch
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(ptb, out, rows=[row], on_event=press)
    assert len(events) == 3
    assert not (out / "results.json").exists()
    found = run(ptb, out, rows=[row], on_event=press)
    before, after = events[2:4]
    assert isinstance(before, LMStep)
    assert isinstance(after, LMStep)
    assert after.words == before.words + before.words // 3
    assert figures(found) == figures(whole)


def test_after_a_kill_in_the_first_save_training_begins_again(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    whole = run(ptb, tmp_path / "whole", rows=["own", "lstm"])
    for row in ("own", "lstm"):
        checkpoint = tmp_path / "out" / row / "checkpoint"
        checkpoint.mkdir(parents=True)
        (checkpoint / "model.safetensors.0123456789ab.partial").touch()
    assert figures(run(ptb, tmp_path / "out", rows=["own", "lstm"])) == figures(whole)


@pytest.mark.parametrize("finished", [True, False])
def test_the_folder_of_a_fit_is_continued(ptb: Path, quick_lm: Path, tmp_path: Path, finished: bool) -> None:
    """Another program may have called MemoryLM.fit with this folder."""
    whole = run(ptb, tmp_path / "whole", rows=["2x100"])
    recipe = read_lm_recipes()["2x100"]

    def end(event: LMStep | LMEpoch) -> None:
        if not finished and isinstance(event, LMEpoch):
            raise EndError

    def fit() -> None:
        train, valid = (read_corpus(ptb / f"ptb.{part}.txt") for part in ("train", "valid"))
        training = replace(recipe.training, precision="fp32")
        MemoryLM.fit(train, valid, network=recipe.network, training=training, folder=tmp_path / "out" / "2x100",
                     threads=1, on_event=end)  # fmt: skip

    if finished:
        fit()
    else:
        with pytest.raises(EndError):
            fit()
    epochs: set[int] = set()
    found = run(ptb, tmp_path / "out", rows=["2x100"], on_event=lambda event: epochs.add(event.event.epoch))
    assert figures(found) == figures(whole)
    assert epochs == (set() if finished else {2, 3})


@pytest.mark.parametrize("row", ["lstm", "2x100"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", "seed 0 in place of 1"),
        ("training", "learning_rate 0.0"),
        ("network", "memory_size 5 in place of 4"),
        ("precision", "precision fp32 in place of bf16"),
        ("train", "another text"),
        ("valid", "another text"),
    ],
)
def test_a_folder_of_another_training_is_refused(
    ptb: Path, quick_lm: Path, tmp_path: Path, row: str, change: str, message: str
) -> None:
    write_lm_recipes(quick_lm, epochs="1")
    out = tmp_path / "out"
    run(ptb, out, rows=[row])
    given: dict[str, Any] = {}
    if change in {"seed", "precision"}:
        given = {"seed": 1} if change == "seed" else {"precision": "bf16"}
    elif change == "training":
        write_lm_recipes(quick_lm, epochs="1", learning_rate="0.5")
    elif change == "network":
        path = quick_lm / f"{row}.toml"
        path.write_text(path.read_text().replace("memory_size = 5", "memory_size = 4"))
    else:
        path = ptb / f"ptb.{change}.txt"
        path.write_text(path.read_text().replace("ann sees", "ann knows"))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(ModelError, match="take another --out, or remove that folder") as caught:
        run(ptb, out, rows=["own", row], **given)
    assert message in str(caught.value)
    assert str(out / row) in str(caught.value)
    assert "\n" not in str(caught.value)
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert after == before, "nothing was trained or written before that"


def test_a_damaged_checkpoint_is_named(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    write_lm_recipes(quick_lm, epochs="1")
    run(ptb, tmp_path / "out", rows=["lstm"])
    path = tmp_path / "out" / "lstm" / "checkpoint" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        run(ptb, tmp_path / "out", rows=["lstm"])


@pytest.mark.parametrize("row", ["lstm", "2x100"])
def test_the_best_restart_is_reported(ptb: Path, quick_lm: Path, tmp_path: Path, row: str) -> None:
    out = tmp_path / "out"
    found = run(ptb, out, rows=[row], restarts=3, seed=4).rows[0]
    alone = [run(ptb, tmp_path / f"alone-{seed}", rows=[row], seed=seed).rows[0] for seed in (4, 5, 6)]
    assert found.restarts == tuple(one.restarts[0] for one in alone)
    assert len(set(found.restarts)) == 3
    best = min(alone, key=lambda one: one.valid or math.inf)
    assert (found.valid, found.test, found.epochs) == (best.valid, best.test, best.epochs)
    assert {path.name for path in out.iterdir() if path.is_dir()} == {row, f"{row}-restart-1", f"{row}-restart-2"}
    fewer = run(ptb, out, rows=[row], restarts=2, seed=4).rows[0]
    assert fewer.restarts == found.restarts[:2]
    assert fewer.seconds < found.seconds


def test_a_row_that_diverges_does_not_end_the_table(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    path = quick_lm / "2x100.toml"
    path.write_text(path.read_text() + "learning_rate = 1e30\nclip_norm = 1e30\n")
    report = run(ptb, tmp_path / "out")
    assert [row.valid is None for row in report.rows] == [False, True, False]
    diverged = report.rows[1]
    assert (diverged.test, diverged.restarts, diverged.epochs) == (None, (None,), 0)
    assert "| 2x100 | 128 | diverged | 121 | diverged | 0 |" in (tmp_path / "out" / "results.md").read_text()


def test_the_files_hold_what_the_report_says(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pages: list[tuple[int, int]] = []

    def on_row(*_: object) -> None:
        rows = json.loads((out / "results.json").read_text())["rows"]
        pages.append((len(rows), (out / "results.md").read_text().count("\n| ")))

    report = run(ptb.parent, out, seed=2, command="memn2n reproduce it", on_row=on_row)
    assert pages == [(1, 3), (2, 4), (3, 5)], "after each row, with two lines of headings"
    written = json.loads((out / "results.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))
    assert written["command"] == "memn2n reproduce it"
    assert (written["seed"], written["restarts"], written["precision"]) == (2, 1, "float32")
    assert written["data"] == str(ptb), "the folder's parent was named"
    assert {"memn2n", "torch", "date", "device"} <= written.keys()
    row = written["rows"][2]
    assert (row["row"], row["paper"]) == ("own", {"row": "7x200", "valid": 118, "test": 111})
    assert written["rows"][0]["network"] == {"dim": 6, "memory_size": 5}, "an LSTM has no hops"
    assert row["training"]["seed"] == 2
    page = (out / "results.md").read_text()
    assert f"| own (beside 7x200) | 118 | {row['valid']:.1f} | 111 | {row['test']:.1f} | 3 |" in page
    assert "memn2n reproduce it" in page
    assert "seed 2 and 1 restart of each row, products in float32 on device cpu" in page


def test_without_a_test_text_the_column_says_so(quick_lm: Path, tmp_path: Path) -> None:
    data = write_ptb(tmp_path / "half", test=False)
    report = run(data, tmp_path / "out", rows=["own"])
    assert report.rows[0].test is None
    assert not report.to_dict()["has_test"]
    cells = f"| 118 | {report.rows[0].valid:.1f} | 111 | no test file |"
    assert cells in (tmp_path / "out" / "results.md").read_text()
    write_ptb(data)
    assert run(data, tmp_path / "out", rows=["own"]).rows[0].test is not None, "a test text may come later"


def test_another_programs_results_are_not_overwritten(ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"mine": 1}')
    with pytest.raises(ModelError, match=r"results\.json was not written by memn2n reproduce"):
        run(ptb, tmp_path)
