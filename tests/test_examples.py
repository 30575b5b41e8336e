"""The programs of examples: each one runs, and what it prints is right."""

from __future__ import annotations

import html
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from memn2n import StoryQA, write_jsonl
from memn2n.simulator import simulate

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))
MOST_LINES = 100


def run(name: str, *arguments: str | Path) -> str:
    """Run an example, which must neither fail nor warn, and return what it prints."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def number(pattern: str, text: str) -> float:
    """The last number at the place of ``#`` in a pattern."""
    return float(re.findall(pattern.replace("#", r"([0-9.]*[0-9])"), text)[-1])


def test_the_list_of_examples_is_complete() -> None:
    listed = re.findall(r"^- \[([a-z_]+\.py)\]\(\1\): ", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == NAMES != []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short_and_can_be_imported(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (EXAMPLES / name).read_text("utf-8").count("\n") <= MOST_LINES
    assert callable(runpy.run_path(str(EXAMPLES / name))["main"])
    assert capsys.readouterr().out == ""


def test_train_on_simulated_stories(tmp_path: Path) -> None:
    printed = run("train_on_babi.py", "--restarts", "1", "--epochs", "60", "--out", tmp_path / "model")
    assert number("test error: #%", printed) < 5
    assert number("supporting fact: #%", printed) > 90
    answer = re.search(r"-> (\w+) \(\d+%\); right: (\w+)", printed)
    assert answer is not None
    assert answer[1] == answer[2]
    assert StoryQA.load(tmp_path / "model").answer(["Mary moved to the office."], "Where is Mary?").text == "office"


def test_train_on_babi(real_data: Path) -> None:
    printed = run("train_on_babi.py", "--babi", real_data / "babi" / "en", "--task", "15", "--epochs", "60")
    assert number("test error: #% of 1000 questions", printed) < 5


def test_stories_of_ones_own_and_a_name_never_seen() -> None:
    printed = run("own_stories.py")
    assert number("test error: #%", printed) < 5
    assert "Zuse walked to the canteen." in printed
    assert re.search(r"Where is Zuse\?\n-> canteen \(\d+%\)\n +never seen in training: zuse\n", printed)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "my.jsonl", simulate(task=1, n_train=600, n_test=0, seed=1).train)
    printed = run("own_stories.py", tmp_path / "my.jsonl")
    assert number("test error: #%", printed) < 5
    assert "Zuse" not in printed


def test_attention_is_printed_and_written(tmp_path: Path) -> None:
    printed = run("inspect_attention.py", "--html", tmp_path / "why.html")
    assert "Where is the football? -> office" in printed
    found = re.findall(r"^(\w.*\.)((?: +\d+%)+)$", printed, re.MULTILINE)
    rows = [(sentence, *weights.replace("%", "").split()) for sentence, weights in found]
    assert len(rows) == 5
    most = {max(rows, key=lambda row: int(row[hop]))[0] for hop in range(1, len(rows[0]))}
    assert most >= {"Mary took the football.", "Mary went to the office."}, "the two supporting facts"
    page = (tmp_path / "why.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    for sentence, *weights in rows:
        cells = re.search(rf"{re.escape(html.escape(sentence))}</th>(.*)</tr>", page)
        assert cells is not None
        assert [round(100 * float(cell)) for cell in re.findall(r">([0-9.]+)</td>", cells[1])] == [*map(int, weights)]


def test_a_training_loop_of_ones_own_learns_and_saves_a_model(tmp_path: Path) -> None:
    printed = run("custom_torch_loop.py", "--epochs", "15", "--out", tmp_path / "custom")
    assert number("epoch 1: training loss #", printed) > 1
    assert number("epoch 15: training loss #", printed) < 0.3
    assert number("test error: #%", printed) < 20
    assert number("attention recall: #%", printed) > 95
    story = ["Mary went to the kitchen.", "Mary took the milk.", "Mary went to the garden."]
    answer = StoryQA.load(tmp_path / "custom").answer(story, "Where is the milk?")
    assert answer.text == "garden"


def test_a_language_model_learns_a_text(tmp_path: Path) -> None:
    lines = ["the cat sat on the mat .", "the dog lay in the sun .", "the bird sang in the tree ."]
    (tmp_path / "my.txt").write_text("\n".join(lines * 400), "utf-8")
    prompt = " <eos> ".join([*lines, "the cat sat on the"])
    printed = run("language_model.py", tmp_path / "my.txt", "--epochs", "8", "--prompt", prompt, "--words", "4")
    assert number("validation perplexity #", printed) < 1.5
    assert number("\n  mat  #%\n", printed) > 90
    assert f"\n{prompt} mat . <eos> the\n" in printed


def test_a_language_model_of_the_carried_text() -> None:
    printed = run("language_model.py", "--epochs", "3", "--prompt", "The value of the")
    assert 1 < number("test perplexity: #", printed) < 300  # word frequencies alone give 368
    assert len(re.findall(r"^  \S+  [0-9.]+%$", printed, re.MULTILINE)) == 5
    assert re.search(r"^The value of the( \S+){20}$", printed, re.MULTILINE)
