"""memn2n reproduce."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CLI
from tests.reproduce.world import babi_1k, quick, write_recipes

__all__ = ["babi_1k", "quick"]

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
    assert "having no train file: task 3" in shown.out
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


def test_divergence_is_a_failure_after_all_is_done(cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path) -> None:
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
        (["babi-2k"], "there is no table 'babi-2k'; there are: babi-1k, babi-10k"),
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
    ],
)
def test_bad_input_is_one_line_and_status_2(
    cli: CLI, babi_1k: Path, quick: Path, tmp_path: Path, args: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    given = [arg.format(tmp=tmp_path) for arg in args]
    failed = cli("reproduce", "--data", babi_1k, "--out", tmp_path / "out", *given)
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written"


def test_help_is_there_without_heavy_imports() -> None:
    code = (
        "import sys; from memn2n.cli import main\n"
        "sys.argv = ['memn2n', 'reproduce', '--help']\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'memn2n.reproduce'} & set(sys.modules), 'heavy'\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "babi-1k|babi-10k" in found.stdout
