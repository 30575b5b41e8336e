"""The tables of default trainings on a small bAbI folder: figures, continuing, and refused folders."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from memn2n import DataError, InputError, ModelError, StoryQA, read_stories, recipes
from memn2n.qa.symmetries.classes import Symmetries
from memn2n.qa.symmetries.finder import Found
from memn2n.reproduce import BestOptions, run_best
from memn2n.reproduce.babi.best import data as data_of_best
from memn2n.reproduce.babi.best import found, run
from memn2n.reproduce.babi.best.columns import declared_symmetries
from memn2n.reproduce.babi.best.data import read_data
from memn2n.reproduce.babi.best.published import published_figures
from memn2n.reproduce.babi.best.report import KINDS, BestColumn, BestReport, Kind
from memn2n.reproduce.babi.best.run import BestProgress
from tests.reproduce.babi.best.small_recipes import QUICK, use_recipes
from tests.reproduce.babi.small_data import write_babi

pytestmark = pytest.mark.usefixtures("quick_best")


def table(
    data: Path, out: Path, columns: list[str] | None = None, tasks: list[int] | None = None, seeds: int = 2,
    seed: int = 0, protocol: Any = "per-task", name: str = "babi-1k-best", **given: Any,
) -> BestReport:  # fmt: skip
    options = BestOptions(seeds=seeds, seed=seed, protocol=protocol, threads=1)
    return run_best(name, data, out, columns, tasks, options, **given)


def errors(column: BestColumn, kind: Kind, seed: int) -> list[float]:
    return [column.seeds[seed].errors[kind][task] for task in column.tasks]


@pytest.fixture
def out(babi_1k: Path) -> Path:
    return babi_1k.parent / "out"


@pytest.mark.parametrize("protocol", ["per-task", "joint"])
@pytest.mark.parametrize("column", ["weak", "declared", "supervised"])
def test_the_figures_are_those_of_the_models_that_fit_trains(
    babi_1k: Path, out: Path, column: str, protocol: str
) -> None:
    report = table(babi_1k, out, [column], protocol=protocol).columns[0]
    units = [([1, 2, 4, 5], [1, 2, 4])] if protocol == "joint" else [([task], [task]) for task in (1, 2, 4)]
    means: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    for seed in (0, 1):
        expected: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
        for train, test in units:
            examples, tests = read_stories(babi_1k, "train", train), read_stories(babi_1k, "test", test)
            symmetries = Symmetries() if column == "weak" else declared_symmetries(examples)
            settings = [
                one._replace(training=one.training.changed({"supervise_attention": 1.0 * (column == "supervised")}))
                for one in recipes("best", protocol == "joint")
            ]
            qa = StoryQA.fit(examples, symmetries=symmetries, seed=seed, recipes=settings)
            kept = [restart for restart in qa.restarts if restart.kept]
            assert len(kept) == len(qa.networks) == 2
            losses = [restart.valid.loss for restart in kept if restart.valid]
            alone = StoryQA([qa.networks[losses.index(min(losses))]], qa.vocabulary, symmetries=qa.symmetries,
                            unseen=qa.unseen)  # fmt: skip
            expected["one network"] += [task.error for task in alone.evaluate(tests).tasks]
            expected["ensemble"] += [task.error for task in qa.evaluate(tests).tasks]
        for kind in KINDS:
            assert errors(report, kind, seed) == expected[kind]
            means[kind].append(fmean(expected[kind]))
    for kind in KINDS:
        mean = report.mean(kind)
        assert mean is not None
        assert mean.mean == pytest.approx(fmean(means[kind]))
        assert mean.deviation == pytest.approx(stdev(means[kind]))
        assert report.failed(kind).mean == fmean(
            sum(error > 0.05 for error in errors(report, kind, seed)) for seed in (0, 1)
        )
    assert report.tasks == (1, 2, 4)
    assert errors(report, "ensemble", 0) != errors(report, "one network", 0), "equal figures would hide a mistake"


def test_weak_is_the_training_of_a_user_without_symmetries(babi_1k: Path, out: Path) -> None:
    report = table(babi_1k, out, ["weak"], [1], seeds=1)
    qa = StoryQA.fit(read_stories(babi_1k, "train", 1), symmetries="none", recipes=recipes("best"), seed=0)
    assert errors(report.columns[0], "ensemble", 0) == [qa.evaluate(read_stories(babi_1k, "test", 1)).error]


def test_symmetries_are_found_once_and_kept_as_a_file_to_read(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []

    def find(examples: list[Any], threads: int | None = None) -> Found:
        searched.append(len(examples))
        return Found(declared_symmetries(examples), (), {})

    monkeypatch.setattr(found, "find_symmetries", find)
    report = table(babi_1k, out, ["found", "declared"], protocol="both")
    assert searched == [sum(len(read_stories(babi_1k, "train", [task])) for task in (1, 2, 4, 5))]
    for one in ("per-task", "joint"):
        same = [column.seeds for column in report.columns if column.protocol == one]
        assert [seed.errors for seed in same[0]] == [seed.errors for seed in same[1]]
    text = (out / "found.toml").read_text()
    assert text.startswith("# Found by memn2n in the training questions of all tasks (")
    assert 'words = ["ann", "bob", "cy"]' in text
    table(babi_1k, out, ["found"], protocol="both")
    assert len(searched) == 1
    path = out / "found.toml"
    path.write_text(text.replace(', "cy"', ""))
    with pytest.raises(ModelError, match="with other recipes, symmetries, data or backend; take another --out"):
        table(babi_1k, out, ["found"])
    path.unlink()
    table(babi_1k, out, ["found"])
    assert path.read_text() == text


def test_found_symmetries_are_those_of_a_default_joint_training(babi_1k: Path, out: Path) -> None:
    table(babi_1k, out, ["found"], seeds=1)
    train = read_stories(babi_1k, "train", [1, 2, 4, 5])
    qa = StoryQA.fit(train, symmetries="auto", recipes=recipes("best", joint=True), threads=1)
    assert qa.symmetries.classes
    assert found.found_symmetries(out / "found.toml", train) == qa.symmetries


def count_trainings(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[str]:
    """Return a list that gets the label of each training from now on; Ctrl-C is pressed after some of them."""
    labels: list[str] = []
    train = run._train

    def counted(one: run.Training, *args: Any) -> Any:
        if len(labels) == stop_after:
            raise KeyboardInterrupt
        labels.append(one.label)
        return train(one, *args)

    monkeypatch.setattr(run, "_train", counted)
    return labels


def test_the_same_call_continues_after_an_interruption(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = table(babi_1k, out.with_name("whole"), ["weak", "declared"])
    with monkeypatch.context() as patch:
        count_trainings(patch, stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            table(babi_1k, out, ["weak", "declared"])
    page = (out / "results.md").read_text()
    assert "Not finished: per task, weak, which has 1 of 2 seeds." in page
    trained = count_trainings(monkeypatch)
    progress: list[BestProgress] = []
    report = table(babi_1k, out, ["weak", "declared"], on_progress=progress.append)
    assert trained[0] == "weak, task 4, seed 1"
    assert len(trained) == 7
    assert report.columns[0].seeds[0].errors == whole.columns[0].seeds[0].errors
    assert [column.mean("ensemble") for column in report.columns] == [
        column.mean("ensemble") for column in whole.columns
    ]
    assert progress[0].trainings_done == 5
    assert [one.trainings_done for one in progress if one.record] == list(range(6, 13))
    assert progress[-1].work_done == progress[-1].work
    assert "Not finished" not in (out / "results.md").read_text()
    more = table(babi_1k, out, ["weak"], [1], seeds=3)
    assert len(trained) == 8
    assert more.columns[0].seeds[1].errors["ensemble"][1] == whole.columns[0].seeds[1].errors["ensemble"][1]


def test_ctrl_c_within_a_training_stores_nothing_of_it(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = StoryQA.fit

    def interrupted(*args: Any, **given: Any) -> StoryQA:
        def press(event: object) -> None:
            raise KeyboardInterrupt

        return fit(*args, **(given | {"on_event": press}))

    monkeypatch.setattr(StoryQA, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        table(babi_1k, out, ["weak"])
    assert not list(out.rglob("*.json"))


@pytest.mark.parametrize("change", ["recipe", "data", "test data"])
def test_trainings_of_other_settings_are_refused(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    table(babi_1k, out, ["weak"], [1])
    if change == "recipe":
        use_recipes(monkeypatch, QUICK.changed({"learning_rate": 0.01}))
    else:
        other = write_babi(babi_1k.with_name("other"), seed=1)
        part = "train" if change == "data" else "test"
        shutil.copy(other / f"qa1_made-up_{part}.txt", babi_1k / f"qa1_made-up_{part}.txt")
    with pytest.raises(ModelError, match="take another --out, or remove the folder") as caught:
        table(babi_1k, out, ["weak"], [1])
    assert str(out / "per-task" / "weak" / "task-1-seed-0.json") in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    ["", "[]", "null", '{"format": "other"}', lambda text: text[:-9], lambda text: text.replace('": 30', '": "30"'),
     lambda text: text.replace('"ensemble": ', '"ensemble": -'), lambda text: text.replace('"recipe"', '"recipes"')],
)  # fmt: skip
def test_a_damaged_record_is_named_with_the_remedy(babi_1k: Path, out: Path, damage: Any) -> None:
    table(babi_1k, out, ["weak"], [1])
    path = out / "per-task" / "weak" / "task-1-seed-1.json"
    path.write_text(damage(path.read_text()) if callable(damage) else damage)
    with pytest.raises(ModelError, match="remove it, and the same command trains that again") as caught:
        table(babi_1k, out, ["weak"], [1])
    assert str(path) in str(caught.value)


def test_the_files_hold_what_the_report_says(babi_1k: Path, out: Path) -> None:
    report = table(babi_1k.parent, out, ["weak", "declared"], [1, 2, 3, 5], seed=7, protocol="both", command="it")
    written = json.loads((out / "results.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))
    assert (written["command"], written["seed"], written["seeds"], written["restarts"]) == ("it", 7, 2, 4)
    assert written["columns"][0]["seeds"] == [7, 8]
    assert written["published"][0]["model"] == "MemN2N PE LS RN"
    page = (out / "results.md").read_text()
    mean = report.columns[1].mean("one network")
    assert mean is not None
    assert f"| declared, one network | {100 * mean.mean:.2f} ± {100 * (mean.deviation or 0):.2f} |" in page
    task = written["columns"][0]["tasks"][1]["ensemble"]
    row = f"| 2: 2 supporting facts | 8.3 | {100 * task['mean']:.1f} ± {100 * task['deviation']:.1f} |"
    assert row in page.partition("## Per task, ensemble")[2]
    chosen = [recipe for seed in written["columns"][0]["recipes"] for recipe in seed.values()]
    numbers = [chosen.count(i) for i in (0, 1)]
    assert sum(numbers) == 4
    assert f"| {numbers[0]} | {numbers[1]} |" in page.partition("| per task, weak | ")[2].partition("\n")[0]
    assert "Left out of all means, because the train file is missing: task 3" in page
    assert "because this call does not report them: tasks 4, 6-20" in page
    assert "| Universal Transformer with ACT | joint | 7.78 | 5 | for each task the best of 10 seeds" in page


def test_a_single_seed_has_no_deviation(babi_1k: Path, out: Path) -> None:
    figure = table(babi_1k, out, ["weak"], [1], seeds=1).columns[0].mean("ensemble")
    assert figure is not None
    assert figure.deviation is None
    assert "±" not in figure.text()


def test_divergence_is_stored_and_left_out_of_the_means(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_recipes(monkeypatch, QUICK.changed({"learning_rate": 1e30, "clip_norm": 1e30}))
    report = table(babi_1k, out, ["weak"], [1])
    assert report.diverged == ["per-task weak (task-1-seed-0, task-1-seed-1)"]
    assert report.columns[0].mean("ensemble") is None
    assert "because every restart of a seed diverged: task 1" in (out / "results.md").read_text()
    trained = count_trainings(monkeypatch)
    assert table(babi_1k, out, ["weak"], [1]).diverged == report.diverged
    assert not trained


def test_supervision_needs_supporting_facts(babi_1k: Path, out: Path) -> None:
    path = babi_1k / "qa1_made-up_train.txt"
    path.write_text(re.sub(r"\t\d+$", "", path.read_text(), flags=re.MULTILINE))
    report = table(babi_1k, out, ["declared", "supervised"], [1, 2])
    assert [column.tasks for column in report.columns] == [(1, 2), (2,)]
    assert "left out of the means of per task, supervised, because there are no supporting facts: task 1" in (
        report.notes()
    )


def test_task_3_of_10k_is_trained_on_simulated_stories(
    babi_1k: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    en_10k = babi_1k.rename(babi_1k.with_name("en-10k"))
    monkeypatch.setitem(data_of_best.SIMULATED, "babi-10k-best", {3: 30})
    read = read_data("babi-10k-best", en_10k, [3, 5], ["per-task", "joint"])
    assert (read.tasks, read.missing, read.simulated) == ((3,), {5: "test"}, {3: 30})
    assert [len(one.train) for one in read.questions] == [30, 190]
    assert {one.task for one in read.questions[0].train} == {"3"}
    assert read_data("babi-10k-best", en_10k, [1], ["per-task"]).simulated == {}
    report = table(en_10k, out, ["weak"], [3], seeds=1, name="babi-10k-best")
    assert report.columns[0].tasks == (3,)
    assert "Trained on 30 simulated questions, because the training file is missing: task 3" in (
        (out / "results.md").read_text()
    )


def test_wrong_arguments_are_refused(babi_1k: Path, out: Path) -> None:
    with pytest.raises(InputError, match="there is no table 'babi-1k'; there are: babi-1k-best, babi-10k-best"):
        table(babi_1k, out, name="babi-1k")
    with pytest.raises(InputError, match="there is no column 'strong'; there are: weak, found, declared, supervised"):
        table(babi_1k, out, ["weak", "strong"])
    with pytest.raises(InputError, match="task 21 is not in babi-1k"):
        table(babi_1k, out, tasks=[21])
    with pytest.raises(DataError, match=r"none of the wanted tasks has its files \(task 3: no train file"):
        table(babi_1k, out, tasks=[3])
    with pytest.raises(InputError, match="is the data of babi-1k"):
        table(babi_1k, out, name="babi-10k-best")
    assert not out.exists()


def test_published_figures_are_complete() -> None:
    for name, number in (("babi-1k-best", 14), ("babi-10k-best", 12)):
        figures = published_figures(name)
        assert len(figures) >= number
        for one in figures:
            assert one.protocol in {"per-task", "joint"}
            assert float(one.mean.split(" ± ")[0]) < 100
            assert one.how
            assert one.source
