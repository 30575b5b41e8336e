"""memn2n reproduce."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memn2n.cli.reproduce.progress import EpochBar, TrainingBar
from tests.cli.conftest import CLI
from tests.reproduce.babi.best.small_recipes import QUICK as QUICK_BEST
from tests.reproduce.babi.best.small_recipes import quick_best, use_recipes
from tests.reproduce.babi.small_data import babi_1k, quick, write_recipes
from tests.reproduce.ptb.small_data import ptb, quick_lm, write_lm_recipes

__all__ = ["babi_1k", "ptb", "quick", "quick_best", "quick_lm"]

ON_ONE_THREAD = ["--threads", 1, "--precision", "fp32"]
QUICK = ["--restarts", 2, "--backend", "torch"]


def test_a_column_side_by_side_with_the_paper(cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    args = ["reproduce", "babi-1k", "--data", babi_1k, "--column", "PE LS", "--tasks", "1-3", "--out", out, *QUICK]
    shown = cli(*args)
    assert shown.status == 0, shown.err
    found = json.loads((out / "results.json").read_text())
    column = found["columns"][0]
    for task in column["tasks"]:
        row = next(line for line in shown.out.splitlines() if line.strip().startswith(f"{task['task']}: "))
        figures = [f"{100 * task[key]:.1f}" for key in ("paper", "by_training", "by_validation", "mean")]
        assert row.split()[-7:-2] == [*figures, "±"]
        assert row.split()[-1] == f"{100 * task['ensemble']:.1f}"
    mean = next(line for line in shown.out.splitlines() if line.split()[:1] == ["mean"])
    assert mean.split()[1:3] == [f"{100 * (0.002 + 0.128) / 2:.1f}", f"{100 * column['mean']['by_training']:.1f}"]
    assert "because the train file is missing: task 3" in shown.out
    assert "failed tasks" in shown.out
    assert shown.err.count("\n") == 4, "a line a restart without a terminal"
    assert "2/4  PE LS, task 1, restart 2: training loss" in shown.err
    assert found["command"].startswith("memn2n reproduce babi-1k --data")
    again = cli(*args, "--json")
    assert json.loads(again.out)["columns"][0]["tasks"] == column["tasks"]
    assert again.err == ""


def test_all_columns_and_a_folder_by_default(
    cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = cli("reproduce", "babi-1k", "--data", babi_1k.parent, "--tasks", 2, *QUICK)
    assert shown.out.count("babi-1k: PE LS") == 2
    assert (tmp_path / "runs" / "babi-1k" / "results.md").exists()


def test_divergence_fails_after_all_columns(cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path) -> None:
    write_recipes(quick, learning_rate="1e30", clip_norm="1e30")
    failed = cli("reproduce", "babi-1k", "--data", babi_1k, "--tasks", "1,2", "--out", tmp_path / "out", *QUICK)
    assert failed.status == 1
    assert failed.err.splitlines()[-1] == (
        "memn2n: every restart diverged: PE LS (tasks 1, 2); PE LS RN joint (tasks 1, 2)"
    )
    assert (tmp_path / "out" / "results.md").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["babi-2k"], "No such command 'babi-2k'"),
        (["babi-1k", "--column", "GRU"], "column 'GRU' of babi-1k: there is no such column; there are: PE LS, PE LS"),
        (["babi-1k", "--column", "LSTM"], "column 'LSTM' of babi-1k: it is not a MemN2N; there are: PE LS"),
        (["babi-1k", "--tasks", "one"], "--tasks is 'one'"),
        (["babi-1k", "--tasks", "3-1"], "3-1 goes backwards"),
        (["babi-1k", "--tasks", "21"], "task 21 is not in babi-1k: its tasks are 1 to 20"),
        (["babi-1k", "--tasks", "3,7"], "none of the wanted tasks has its files (task 3: no train file, task 7"),
        (["babi-1k", "--restarts", "0"], "--restarts is 0: it must be from 1"),
        (["babi-1k", "--seed", "-1"], "--seed is -1"),
        (["babi-1k", "--threads", "0"], "--threads is 0"),
        (["babi-1k", "--data", "{tmp}/empty"], "empty holds no bAbI training files"),
        (["babi-1k", "--data", "{tmp}/none"], "none: there is no such folder"),
        (["babi-1k", "--data", "{tmp}/file"], "file: this is not a folder"),
        (["babi-1k", "--out", "{tmp}/file"], "file is a file; name a folder for the results"),
        (["babi-1k", "--out", "{tmp}/file/below"], "below: Not a directory"),
        (["babi-1k", "--row", "6x100"], "No such option: --row"),
        (["babi-1k", "--device", "cpu"], "No such option: --device"),
        (["babi-1k", "--precision", "auto"], "No such option: --precision"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path, args: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    given = [arg.format(tmp=tmp_path) for arg in args]
    failed = cli("reproduce", given[0], "--data", babi_1k, "--out", tmp_path / "out", *given[1:])
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written"


def test_babi_needs_data(cli: CLI) -> None:
    failed = cli("reproduce", "babi-1k")
    assert (failed.status, failed.err.count("\n")) == (2, 1)
    assert failed.err == "memn2n: Missing option '--data'; see memn2n reproduce babi-1k --help\n"


def best(data: Path, out: Path, *more: object) -> list[object]:
    args = ["reproduce", "babi-1k-best", "--data", data, "--out", out, "--seeds", 2, "--threads", 1]
    return [*args, "--column", "weak", "--column", "declared", *more]


@pytest.mark.usefixtures("quick_best")
def test_our_own_table_with_several_seeds(cli: CLI, babi_1k: Path, tmp_path: Path) -> None:
    args = best(babi_1k, tmp_path / "out", "--tasks", "1,2")
    shown = cli(*args)
    assert shown.status == 0, shown.err
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    for column, place in zip(found["columns"], ("per-task", "per-task", "joint", "joint"), strict=True):
        assert column["protocol"] == place
        mean, deviation = (f"{100 * column['mean']['ensemble'][key]:.2f}" for key in ("mean", "deviation"))
        line = next(one for one in shown.out.splitlines() if one.strip().startswith(f"{column['column']}, ensemble"))
        assert f"{mean} ± {deviation}" in line
    assert shown.out.count("babi-1k-best: ") == 5
    assert "1: 1 supporting fact" in shown.out
    assert "never the best seed" in shown.out
    assert "because this call does not report them: tasks 3-20" in shown.out
    lines = shown.err.splitlines()
    assert len(lines) == 12, "a line a training without a terminal"
    assert lines[4].startswith("5/12  declared, task 1, seed 0: error ")
    assert lines[-1].startswith("12/12  declared, all tasks jointly, seed 1: error ")
    again = cli(*args, "--json")
    assert json.loads(again.out)["columns"] == found["columns"]
    assert again.err == ""
    joint = cli(*args, "--json", "--protocol", "joint")
    assert json.loads(joint.out)["columns"] == found["columns"][2:]


@pytest.mark.usefixtures("quick_best")
def test_an_interrupted_table_of_ours_says_how_to_continue(
    cli: CLI, babi_1k: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(bar: TrainingBar, event: object) -> None:
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingBar, "show_progress", press)
        shown = cli(*best(babi_1k, tmp_path / "out"))
    assert shown.status == 130
    assert shown.err.endswith("out holds what is finished, and the same command continues from there\n")
    assert cli(*best(babi_1k, tmp_path / "out", "--tasks", "1", "--protocol", "per-task")).status == 0


@pytest.mark.usefixtures("quick_best")
def test_a_training_of_ours_that_diverged_fails_after_all(
    cli: CLI, babi_1k: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_recipes(monkeypatch, QUICK_BEST.changed({"learning_rate": 1e30, "clip_norm": 1e30}))
    failed = cli(*best(babi_1k, tmp_path / "out", "--tasks", "1", "--protocol", "per-task"))
    assert failed.status == 1
    assert failed.err.splitlines()[-1] == (
        "memn2n: every restart diverged: per-task weak (task-1-seed-0, task-1-seed-1); "
        "per-task declared (task-1-seed-0, task-1-seed-1)"
    )
    assert (tmp_path / "out" / "results.md").exists()


@pytest.mark.usefixtures("quick_best")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--column", "PE LS"], "there is no column 'PE LS'; there are: weak, found, declared, supervised"),
        (["--tasks", "21"], "task 21 is not in babi-1k: its tasks are 1 to 20"),
        (["--tasks", "3"], "none of the wanted tasks has its files (task 3: no train file)"),
        (["--seeds", "0"], "--seeds is 0: it must be from 1"),
        (["--seed", "-1"], "--seed is -1"),
        (["--threads", "0"], "--threads is 0"),
        (["--protocol", "all"], "--protocol"),
        (["--restarts", "2"], "No such option: --restarts"),
        (["--data", "{tmp}/none"], "none: there is no such folder"),
        (["--out", "{tmp}/file"], "file is a file; name a folder for the results"),
        (["--out", "{tmp}/file/below"], "below: Not a directory"),
    ],
)
def test_bad_input_for_our_table_is_one_line_and_status_2(
    cli: CLI, babi_1k: Path, tmp_path: Path, args: list[str], message: str
) -> None:
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    failed = cli(*best(babi_1k, tmp_path / "out", *(arg.format(tmp=tmp_path) for arg in args)))
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written"


def test_rows_side_by_side_with_the_paper(cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    args = ["reproduce", "ptb", "--data", ptb, "--row", "own", "--row", "lstm", "--out", out, *ON_ONE_THREAD]
    shown = cli(*args)
    assert shown.status == 0, shown.err
    found = json.loads((out / "results.json").read_text())
    assert found["command"].startswith("memn2n reproduce ptb --data")
    lines = shown.out.splitlines()
    for row, paper in zip(found["rows"], ((118, 111), (120, 115)), strict=True):
        line = next(line for line in lines if line.split()[:1] == [row["row"]]).split()
        assert line[-6:-1] == [f"{paper[0]}", f"{row['valid']:.1f}", f"{paper[1]}", f"{row['test']:.1f}", "3"]
    assert lines[-1] == f"written to {out / 'results.md'} and results.json"
    log = shown.err.splitlines()
    assert len(log) == 8, "without a terminal a line an epoch and a line a row"
    assert log[1].startswith("own, epoch 2: perplexity ")
    assert log[3].startswith("own (beside 7x200): paper valid 118, ours valid ")
    again = cli(*args, "--json")
    assert json.loads(again.out)["rows"] == found["rows"]
    assert len(again.err.splitlines()) == 2, "nothing was trained"


def test_a_bar_on_a_terminal(
    cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any stream for a terminal then
    shown = cli("reproduce", "ptb", "--data", ptb, "--row", "own", "--out", tmp_path / "out", *ON_ONE_THREAD)
    assert shown.status == 0, shown.err
    assert "own, epoch 1 " in shown.err
    assert "own, epoch 1: perplexity" not in shown.err
    assert "own (beside 7x200): paper valid 118" in shown.err


def test_all_rows_and_a_folder_by_default(
    cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lm_recipes(quick_lm, epochs="1")
    (tmp_path / "data").mkdir()
    ptb.rename(tmp_path / "data" / "ptb")
    monkeypatch.chdir(tmp_path)
    shown = cli("reproduce", "ptb", "--restarts", 2, *ON_ONE_THREAD)
    assert shown.status == 0, shown.err
    names = [line.split()[0] for line in shown.out.splitlines() if line.strip()]
    assert [name for name in names if name in {"lstm", "2x100", "own"}] == ["lstm", "2x100", "own"]
    assert "2x100, restart 2/2, epoch 1: perplexity" in shown.err
    assert {path.name for path in (tmp_path / "runs" / "ptb").iterdir()} >= {"results.md", "own", "lstm-restart-1"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_says_how_to_continue(
    cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def press(bar: EpochBar, event: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(EpochBar, "show_event", press)
    shown = cli("reproduce", "ptb", "--data", ptb, "--row", "own", "--out", tmp_path / "out", *ON_ONE_THREAD)
    assert shown.status == 128 + number
    assert shown.err == (
        f"memn2n: interrupted; {tmp_path / 'out'} holds what is finished, and the same command continues from there\n"
    )
    assert (tmp_path / "out" / "own" / "checkpoint" / "model.safetensors").exists()


def test_a_row_that_diverged_fails_after_all_rows(cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path) -> None:
    write_lm_recipes(quick_lm, learning_rate="1e30", clip_norm="1e30")
    failed = cli("reproduce", "ptb", "--data", ptb, "--row", "own", "--row", "2x100", "--out", tmp_path, *ON_ONE_THREAD)
    assert failed.status == 1
    assert failed.err.splitlines()[-1] == "memn2n: every restart diverged: own; 2x100"
    assert (tmp_path / "results.md").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--row", "6x9"], "there is no row '6x9' of ptb; there are: lstm, 2x100, own"),
        (["--column", "PE LS"], "No such option: --column"),
        (["--tasks", "1"], "No such option: --tasks"),
        (["--backend", "torch"], "No such option: --backend"),
        (["--restarts", "0"], "--restarts is 0: it must be from 1"),
        (["--seed", "-1"], "--seed is -1"),
        (["--threads", "0"], "--threads is 0"),
        (["--device", "abacus"], "--device is 'abacus', which PyTorch cannot use here"),
        (["--data", "{tmp}/empty"], "empty: there is no ptb.train.txt here; name the folder of ptb.train.txt, ptb.val"),
        (["--data", "{tmp}/none"], "none: there is no ptb.train.txt here"),
        (["--data", "{tmp}/half"], "half: there is no ptb.valid.txt here"),
        (["--data", "{tmp}/blank"], "ptb.train.txt: there is no word in this text"),
        (["--data", "{tmp}/short"], "ptb.train.txt has 3 words to train on, and the memory holds 5"),
        (["--out", "{tmp}/file"], "file is a file; name a folder for the results"),
    ],
)
def test_bad_input_for_ptb_is_one_line_and_status_2(
    cli: CLI, ptb: Path, quick_lm: Path, tmp_path: Path, args: list[str], message: str
) -> None:
    for name, texts in (("empty", {}), ("half", {"train": "a b\n"}), ("blank", {"train": "\n", "valid": "a b\n"}),
                        ("short", {"train": "a b\n", "valid": "a b\n"})):  # fmt: skip
        (tmp_path / name).mkdir()
        for part, text in texts.items():
            (tmp_path / name / f"ptb.{part}.txt").write_text(text)
    (tmp_path / "file").write_text("")
    given = [arg.format(tmp=tmp_path) for arg in args]
    failed = cli("reproduce", "ptb", "--data", ptb, "--row", "own", "--out", tmp_path / "out", *given)
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert message in failed.err
    assert failed.out == ""
    assert not list(tmp_path.rglob("results.*"))


def test_help_needs_no_heavy_imports() -> None:
    code = (
        "import sys; from memn2n.cli import main\n"
        "sys.argv = ['memn2n', 'reproduce', *sys.argv[1:]]\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'rich.progress'} & set(sys.modules), 'heavy'\n"
    )

    def shown(*command: str) -> str:
        found = subprocess.run(
            [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    commands = shown().partition("Commands:")[2].split("\n")
    ours = ("babi-1k-best", "babi-10k-best")
    tables = ("babi-1k", "babi-10k", *ours, "ptb", "transfer")
    assert [line.split()[0] for line in commands if line] == list(tables), "one line each"
    assert [table for table in tables if "--row" in shown(table)] == ["ptb"]
    assert [table for table in tables if "--column" in shown(table)] == ["babi-1k", "babi-10k", *ours]
