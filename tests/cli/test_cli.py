"""The command line as a whole: help, bad input, and the small commands."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM
from memn2n.cli import main
from tests.cli.conftest import CLI


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from memn2n.cli import main\n"
        "sys.argv = ['memn2n', *sys.argv[1:]]\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'jaxtyping', 'safetensors'} & set(sys.modules), 'heavy'\n"
    )
    for command in ([], ["qa"], ["qa", "train"], ["qa", "ask"], ["data", "get"], ["demo"], ["info"]):
        found = subprocess.run(
            [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr
        assert "Usage: memn2n" in found.stdout


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import memn2n, sys; assert not {'torch', 'numpy'} & set(sys.modules); memn2n.StoryQA"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["qa", "train", "{tmp}/none.txt", "--out", "{tmp}/run"], "none.txt: there is no such file"),
        (["qa", "train", "{tmp}/none", "--out", "{tmp}/run"], "none: there is no such file"),
        (["qa", "train", "{tmp}/empty.txt", "--out", "{tmp}/run"], "empty.txt: there is no question in this file"),
        (["qa", "train", "{tmp}/bad.jsonl", "--out", "{tmp}/run"], "bad.jsonl:2: this line is not JSON"),
        (["qa", "train", "{tmp}/bad.txt", "--out", "{tmp}/run"], "bad.txt:2: supporting fact '9' is not the ID"),
        (["qa", "train", "{tmp}/en", "--task", "9", "--out", "{tmp}/run"], "there is no train file of task 9"),
        (["qa", "train", "{tmp}/en", "--task", "one", "--out", "{tmp}/run"], "--task is 'one'"),
        (["qa", "train", "{tmp}/en/qa1_s_train.txt", "--task", "1", "--out", "{tmp}/run"], "is one file"),
        (["qa", "train", "{tmp}/nowhere", "--task", "1", "--out", "{tmp}/run"], "there is no such file or folder"),
        (["qa", "train", "{tmp}/en", "--dim", "0", "--out", "{tmp}/run"], "dim is 0: it must be from 1 to 4096"),
        (["qa", "train", "{tmp}/en", "--hops", "999", "--out", "{tmp}/run"], "hops is 999"),
        (["qa", "train", "{tmp}/en", "--memory-size", "0", "--out", "{tmp}/run"], "--memory-size is 0"),
        (["qa", "train", "{tmp}/en", "--learning-rate", "1e39", "--out", "{tmp}/run"], "--learning-rate is 1e+39"),
        (["qa", "train", "{tmp}/latin.txt", "--out", "{tmp}/run"], "latin.txt:1: this is not UTF-8 text"),
        (["qa", "train", "{tmp}/spaced.txt", "--out", "{tmp}/run"], "spaced.txt:2: a question without an answer"),
        (["qa", "train", "--task", "5-3", "--out", "{tmp}/run"], "5-3 goes backwards; write 3-5"),
        (["qa", "train", "x" * 300, "--out", "{tmp}/run"], "File name too long"),
        (["qa", "predict", "{model}", "{tmp}/good.jsonl", "--out", "{tmp}"], "cannot be written: Is a directory"),
        (["qa", "predict", "{model}", "{tmp}/good.jsonl", "--out", "{tmp}/bad.txt/x"], "cannot be written: Not a dir"),
        (["data", "get", "babi", "--out", "{tmp}"], "exists and does not hold this data set"),
        (["data", "get", "babi", "--sha256", "xyz"], "64 hexadecimal digits"),
        (
            ["qa", "train", "{tmp}/en", "--encoding", "pe", "--temporal", "word", "--out", "{tmp}/run"],
            'take --temporal "add"',
        ),
        (["qa", "train", "--select", "validation", "--validation", "0", "--out", "{tmp}/run"], "no validation data"),
        (["qa", "train", "--task", "1,21", "--out", "{tmp}/run"], "task 21 cannot be simulated"),
        (["qa", "train", "{tmp}/en", "--task", "1", "--out", "{tmp}/bad.txt"], "bad.txt cannot be written"),
        (["qa", "eval", "{tmp}/none", "{tmp}/en"], "there is no such model directory"),
        (["qa", "ask", "{tmp}/en"], "is not a memn2n model directory"),
        (["qa", "eval", "{model}", "{tmp}/none"], "none: there is no such file"),
        (["qa", "ask", "{model}", "--story", "{tmp}/none"], "none: there is no such file"),
        (["qa", "predict", "{model}", "{tmp}/bad.jsonl"], "bad.jsonl:1: "),
        (["data", "get", "mnist"], "there is no data set 'mnist'"),
        (["data", "get", "babi", "--url", "ftp://x"], "--url is ftp://x: it must start with http:// or https://"),
    ],
)
def test_bad_input_is_one_line_and_status_2(cli: CLI, babi: Path, model: Path, args: list[str], message: str) -> None:
    tmp = babi.parent
    (tmp / "empty.txt").write_text("")
    (tmp / "bad.txt").write_text("1 a.\n2 b?\tc\t9\n")
    (tmp / "bad.jsonl").write_text('{"story": ["a."], "question": "?", "answer": "b"}\n{oops\n'.replace('"?"', '"b?"'))
    (tmp / "good.jsonl").write_text('{"story": ["a."], "question": "b?"}\n')
    (tmp / "latin.txt").write_bytes(b"1 caf\xe9.\n2 b?\tc\t1\n")
    (tmp / "spaced.txt").write_text("1 Mary moved to the office.\n2 Where is Mary? office 1\n")
    if args[1] == "predict":
        (tmp / "bad.jsonl").write_text("[1]\n")
    before = sorted(tmp.rglob("*"))
    failed = cli(*(arg.format(tmp=tmp, model=model) for arg in args))
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert failed.err.startswith("memn2n: ")
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp.rglob("*")) == before, "nothing was written"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["qa", "train"], "Missing option '--out'; see memn2n qa train --help"),
        (["qa", "train", "--out", "x", "--dim", "wide"], "'--dim': 'wide' is not a valid int; see memn2n qa train"),
        (["qa", "train", "--out", "x", "--nothing"], "No such option: --nothing"),
        (["nothing"], "No such command 'nothing'; see memn2n --help"),
    ],
)
def test_usage_errors_are_one_line_and_status_2(cli: CLI, args: list[str], message: str) -> None:
    failed = cli(*args)
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert failed.err.startswith("memn2n: ")
    assert message in failed.err
    assert failed.out == ""


def test_a_group_without_a_command_shows_its_help(cli: CLI) -> None:
    shown = cli("reproduce")
    assert shown.status == 2
    assert "Commands:" in shown.out + shown.err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from memn2n.errors import DataError

    monkeypatch.setattr(sys, "argv", ["memn2n", "--debug", "qa", "train", "/none", "--out", "/none"])
    with pytest.raises(DataError):
        main()


def test_demo(cli: CLI) -> None:
    shown = cli("demo", "--no-lm")
    assert shown.status == 0, shown.err
    for task in ("1 ", "11", "15"):
        row = next(line for line in shown.out.splitlines() if line.startswith(f"│ {task}"))
        assert float(row.split("│")[3].rstrip("% failed\n")) < 5
    assert "What is " in shown.out
    assert "hop 3" in shown.out
    assert "* supporting fact" in shown.out
    assert "language model" not in shown.out


def test_the_language_model_of_the_demo(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = MemoryLM.fit

    def fit_a_small_one(train: Corpus, valid: Corpus, training: LMTraining, **given: Any) -> MemoryLM:
        network = LMConfig(dim=4, linear=2, hops=1, memory_size=5)
        return fit(train, valid, network=network, training=replace(training, epochs=1), max_words=300, **given)

    monkeypatch.setattr(MemoryLM, "fit", fit_a_small_one)
    shown = cli("demo")
    assert shown.status == 0, shown.err
    assert "epoch 1/" in shown.err
    written = shown.out.split("Its continuation of 'If the value is':\n")[1].split("\n\n")[0]
    assert len(written.split()) == 4 + 20
    assert "memn2n qa ask" in shown.out


def test_info(cli: CLI) -> None:
    import torch

    facts = json.loads(cli("info", "--json").out)
    assert facts["torch"] == torch.__version__
    assert facts["engine"]
    assert "memn2n" in cli("info").out
    assert cli("--version").out.strip() == facts["memn2n"]


def test_help_shows_the_defaults(cli: CLI) -> None:
    text = " ".join(cli("qa", "train", "--help").out.split())
    assert "Size d of embeddings and state. [default: 20]" in text
    assert "How the words of a sentence become one vector. [default: pe-official]" in text


def test_data_get_prints_the_next_command(cli: CLI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def get(name: str, folder: Path, **_: object) -> Path:
        (folder / "tasks" / "en").mkdir(parents=True)
        (folder / "tasks" / "en" / "qa1_x_train.txt").write_text("")
        return folder

    monkeypatch.setattr("memn2n.files.download.get", get)
    shown = cli("data", "get", "babi", "--out", tmp_path / "with space").out
    assert f"memn2n qa train '{tmp_path}/with space/tasks/en' --task 1 --out runs/en-task1" in shown
