"""Columns trained on a small bAbI folder: the figures, continuing after an interruption, and refused folders."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from memn2n import InputError, ModelError, StoryQA, TrainingConfig, read_stories
from memn2n.qa.training.problem import Problem
from memn2n.reproduce import BabiOptions, read_recipes, read_table, run_table
from memn2n.reproduce.babi.report import TableReport
from memn2n.reproduce.babi.run import TableProgress
from tests.reproduce.babi.small_data import start, stop_after, write_babi, write_recipes

BOTH = ["PE LS", "PE LS RN joint"]


def run(
    data: Path, out: Path, columns: list[str] | None = None, tasks: list[int] | None = None, restarts: int = 3,
    seed: int = 0, **given: Any,
) -> TableReport:  # fmt: skip
    options = BabiOptions(restarts=restarts, seed=seed, backend="torch")
    return run_table("babi-1k", data, out, columns, tasks, options, **given)


@pytest.mark.parametrize("column", BOTH)
def test_the_figures_are_those_of_the_models_that_fit_trains(babi_1k: Path, quick: Path, column: str) -> None:
    write_recipes(quick, learning_rate="0.02", epochs="4")
    found = run(babi_1k, babi_1k.parent / "out", columns=[column]).columns[0]
    recipe = read_recipes(read_table("babi-1k"))[column]
    training = replace(recipe.training, restarts=3, select="ensemble")
    units = [([1, 2, 4, 5], [1, 2, 4])] if recipe.joint else [([task], [task]) for task in (1, 2, 4)]
    expected: dict[str, list[float]] = {"train": [], "valid": [], "ensemble": []}
    of_restarts: list[tuple[float, ...]] = []
    for train, test in units:
        examples = read_stories(babi_1k, "train", train)
        qa = StoryQA.fit(examples, network=recipe.network, training=training, backend="torch")

        def errors(qa: StoryQA, test: list[int] = test) -> list[float]:
            return [task.error for task in qa.evaluate(read_stories(babi_1k, "test", test)).tasks]

        alone = [errors(StoryQA([network], qa.vocabulary)) for network in qa.networks]
        for by in ("train", "valid"):
            best = min(range(3), key=lambda i, by=by, qa=qa: getattr(qa.restarts[i], by).loss)  # type: ignore[misc]
            expected[by] += alone[best]
        expected["ensemble"] += errors(qa)
        of_restarts += zip(*alone, strict=True)

    assert found.tasks == (1, 2, 4)
    assert [result.restarts for result in found.results] == of_restarts
    assert [result.by_training for result in found.results] == expected["train"]
    assert [result.by_validation for result in found.results] == expected["valid"]
    assert [result.ensemble for result in found.results] == expected["ensemble"]
    assert any(len(set(each)) > 1 for each in of_restarts), "equal restarts would hide a wrong selection"
    for result, each in zip(found.results, of_restarts, strict=True):
        assert result.questions == 30
        assert result.mean == pytest.approx(fmean(each))
        assert result.spread == pytest.approx(stdev(each))
    paper = read_table("babi-1k").columns[column].errors
    assert found.mean.paper == pytest.approx((paper[1] + paper[2] + paper[4]) / 3)
    assert found.mean.by_training == pytest.approx(fmean(expected["train"]))
    assert found.mean.by_validation == pytest.approx(fmean(expected["valid"]))
    assert found.mean.ensemble == pytest.approx(fmean(expected["ensemble"]))
    assert found.failed.ensemble == sum(error > 0.05 for error in expected["ensemble"])
    means = [fmean(errors) for errors in zip(*of_restarts, strict=True)]
    assert found.mean.mean == pytest.approx(fmean(means))
    assert found.mean.spread == pytest.approx(stdev(means))


def test_tasks_without_their_files_are_named_and_left_out_of_means(babi_1k: Path, quick: Path) -> None:
    out = babi_1k.parent / "out"
    report = run(babi_1k, out, columns=BOTH, tasks=[1, 3, 5], restarts=1)
    assert report.missing == {3: "train", 5: "test"}
    paper = read_table("babi-1k").columns
    for column in report.columns:
        assert column.tasks == (1,)
        assert column.mean.paper == paper[column.recipe.column].errors[1]
        assert column.mean.by_training == column.results[0].by_training
    joint = report.columns[1]
    assert joint.trained_on == (1, 2, 4, 5), "all that have a training file"
    notes = report.notes(joint)
    assert "left out of all means, because the train file is missing: task 3: 3 supporting facts" in notes
    assert "left out of all means, because the test file is missing: task 5: 3 argument relations" in notes
    assert "left out of all means, because this call does not report them: tasks 2, 4, 6-20" in notes
    assert "not part of the joint training: tasks 3, 6-20" in notes
    page = (out / "results.md").read_text()
    assert all(f"{note[0].upper()}{note[1:]}." in page for note in notes)


def test_the_files_hold_what_the_report_says(babi_1k: Path, quick: Path) -> None:
    out = babi_1k.parent / "out"
    report = run(babi_1k.parent, out, columns=BOTH, restarts=2, seed=5, command="memn2n reproduce it")
    written = json.loads((out / "results.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))
    assert written["command"] == "memn2n reproduce it"
    assert written["seed"] == 5
    assert written["restarts"] == 2
    assert written["data"] == str(babi_1k), "the folder's parent was named"
    assert [column["backend"] for column in written["columns"]] == ["torch", "torch"]
    assert [column["trained_now"] for column in written["columns"]] == [6, 2]
    task = written["columns"][0]["tasks"][2]
    assert (task["task"], task["name"], task["paper"]) == (4, "2 argument relations", 0.116)
    page = (out / "results.md").read_text()
    row = f"| 4: 2 argument relations | 11.6 | {100 * task['by_training']:.1f} | {100 * task['by_validation']:.1f} |"
    assert row in page
    assert "memn2n reproduce it" in page
    assert page.count("## ") == 2


def test_progress_counts_every_restart(babi_1k: Path, quick: Path) -> None:
    events: list[TableProgress] = []
    run(babi_1k, babi_1k.parent / "out", columns=BOTH, restarts=2, on_progress=events.append)
    assert [one.restarts_done for one in events if one.restart is not None] == list(range(1, 9))
    assert (events[0].restarts_done, events[0].work_done) == (0, 0)
    assert events[-1].work_done == pytest.approx(events[-1].work)
    again: list[TableProgress] = []
    run(babi_1k, babi_1k.parent / "out", columns=BOTH, restarts=2, on_progress=again.append)
    assert [one.restarts_done for one in again] == [8]
    assert again[0].work_done == pytest.approx(events[-1].work)


def count_trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of each restart trained from now on."""
    numbers: list[int] = []
    train = Problem.train

    def counted(self: Problem, number: int, *args: Any) -> Any:
        numbers.append(number)
        return train(self, number, *args)

    monkeypatch.setattr(Problem, "train", counted)
    return numbers


def test_only_missing_restarts_are_trained(babi_1k: Path, quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = babi_1k.parent / "out"
    whole = run(babi_1k, out, columns=["PE LS"])
    (out / "pe-ls" / "task-2" / "restart-1.safetensors").unlink()
    trained = count_trainings(monkeypatch)
    again = run(babi_1k, out, columns=["PE LS"])
    assert trained == [1]
    assert again.columns[0].results == whole.columns[0].results
    assert again.columns[0].trained_now == 1
    fewer = run(babi_1k, out, columns=["PE LS"], restarts=2)
    assert trained == [1]
    assert fewer.columns[0].results[0].restarts == whole.columns[0].results[0].restarts[:2]
    more = run(babi_1k, out, columns=["PE LS"], restarts=4, tasks=[1])
    assert trained == [1, 3]
    assert more.columns[0].results[0].restarts[:3] == whole.columns[0].results[0].restarts


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_continuing_after_a_signal(
    babi_1k: Path, quick: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    write_recipes(quick, decay_every="50")
    out = babi_1k.parent / "out"
    args = ["--column", "PE LS", "--restarts", 12, "--out", out, "--backend", "torch", "--tasks", 1]
    process = start(quick, "babi-1k", "--data", babi_1k, *args)
    said = stop_after(process, 2, how)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert said.splitlines()[-1].startswith(f"memn2n: interrupted; {out} holds what is finished")
    else:
        assert process.returncode == -signal.SIGKILL
    folder = out / "pe-ls" / "task-1"
    (folder / "restart-11.safetensors.0123456789ab.partial").write_text("left by a kill while writing")
    stored = {int(path.stem.split("-")[1]) for path in folder.glob("restart-*.safetensors")}
    assert 2 <= len(stored) < 12
    trained = count_trainings(monkeypatch)
    report = run(babi_1k, out, columns=["PE LS"], restarts=12, tasks=[1])
    assert set(trained) == set(range(12)) - stored
    assert not list(out.rglob("*.partial"))
    fresh = run(babi_1k, babi_1k.parent / "fresh", columns=["PE LS"], restarts=12, tasks=[1])
    assert report.columns[0].results == fresh.columns[0].results


@pytest.fixture
def done(babi_1k: Path, quick: Path) -> Path:
    """A folder with the two restarts of task 1."""
    out = babi_1k.parent / "out"
    run(babi_1k, out, columns=["PE LS"], tasks=[1], restarts=2)
    return out


@pytest.mark.parametrize("change", ["seed", "recipe", "data"])
def test_restarts_of_another_training_are_refused(done: Path, babi_1k: Path, quick: Path, change: str) -> None:
    if change == "recipe":
        write_recipes(quick, learning_rate="0.1")
    if change == "data":
        shutil.rmtree(babi_1k)
        write_babi(babi_1k, seed=1)
    with pytest.raises(ModelError, match="another recipe, data, seed or backend; take another --out") as caught:
        run(babi_1k, done, columns=["PE LS"], tasks=[1], restarts=2, seed=int(change == "seed"))
    assert str(done / "pe-ls" / "task-1") in str(caught.value)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "bit":
        content = content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]
    path.write_bytes({"cut": content[:-7], "bit": content, "empty": b"", "text": b"hello, this is a text"}[how])


@pytest.mark.parametrize("how", ["cut", "bit", "empty", "text", "folder", "record", "foreign"])
def test_a_damaged_file_is_named_with_the_remedy(done: Path, babi_1k: Path, how: str) -> None:
    import numpy as np
    import safetensors.numpy

    path = done / "pe-ls" / "task-1" / "restart-1.safetensors"
    if how == "folder":
        path.unlink()
        path.mkdir()
    elif how == "record":
        path.write_bytes(path.read_bytes().replace(b'\\"stopped\\"', b'\\"stepped\\"'))
    elif how == "foreign":
        path.write_bytes(safetensors.numpy.save({"a": np.zeros(3, np.float32)}))
    else:
        damage(path, how)
    with pytest.raises(ModelError, match="remove it, and the same command trains that restart again") as caught:
        run(babi_1k, done, columns=["PE LS"], tasks=[1], restarts=2)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    run(babi_1k, done, columns=["PE LS"], tasks=[1], restarts=2)


def test_a_copied_restart_is_refused(done: Path, babi_1k: Path) -> None:
    files = [done / "pe-ls" / "task-1" / f"restart-{i}.safetensors" for i in (0, 1)]
    files[1].write_bytes(files[0].read_bytes())
    with pytest.raises(ModelError, match=r"restart-1\.safetensors is damaged"):
        run(babi_1k, done, columns=["PE LS"], tasks=[1], restarts=2)


def test_tasks_on_which_every_restart_diverged_are_left_out_of_means(
    babi_1k: Path, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipes(quick, learning_rate="1e30", clip_norm="1e30")
    out = babi_1k.parent / "out"
    report = run(babi_1k, out, columns=BOTH, tasks=[1, 2])
    for column in report.columns:
        assert column.diverged == (1, 2)
        assert column.results == ()
        assert column.mean == (None,) * 6
    assert "Left out of all means, because every restart diverged: tasks 1-2." in (out / "results.md").read_text()
    trained = count_trainings(monkeypatch)
    assert run(babi_1k, out, columns=BOTH, tasks=[1, 2]).columns[0].diverged == (1, 2)
    assert trained == [], "a restart that diverged is not trained again"


def test_a_restart_that_diverged_is_ignored(babi_1k: Path, quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = babi_1k.parent / "out"
    whole = run(babi_1k, out, columns=["PE LS"], tasks=[1]).columns[0].results[0]
    (out / "pe-ls" / "task-1" / "restart-0.safetensors").unlink()
    train = Problem.train

    def diverging(self: Problem, number: int, *args: Any) -> Any:
        trained = train(self, number, *args)
        return trained._replace(restart=replace(trained.restart, train=None, valid=None, stopped="diverged"))

    monkeypatch.setattr(Problem, "train", diverging)
    found = run(babi_1k, out, columns=["PE LS"], tasks=[1]).columns[0].results[0]
    assert found.restarts == (None, *whole.restarts[1:])
    left = [error for error in whole.restarts[1:] if error is not None]
    assert found.mean == pytest.approx(fmean(left))
    assert found.by_training in left


def test_without_validation_data_there_is_no_selection_by_it(babi_1k: Path, quick: Path) -> None:
    write_recipes(quick, validation="0.0")
    found = run(babi_1k, babi_1k.parent / "out", columns=["PE LS"], tasks=[1, 2], restarts=1).columns[0]
    assert found.mean.by_validation is None
    assert found.failed.by_validation is None
    assert found.mean.spread is None


def test_another_programs_results_are_not_overwritten(babi_1k: Path, quick: Path, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"mine": 1}')
    with pytest.raises(ModelError, match=r"results\.json was not written by memn2n reproduce"):
        run(babi_1k, tmp_path, columns=["PE LS"])


def test_the_other_tables_folder_is_refused(tmp_path: Path) -> None:
    folder = write_babi(tmp_path / "en-10k")
    with pytest.raises(InputError, match="en-10k is the data of babi-10k; name the folder en"):
        run(folder, tmp_path / "out")
    assert TrainingConfig().restarts == 3
