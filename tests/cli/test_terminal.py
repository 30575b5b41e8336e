"""Control characters from files, models and arguments never reach the terminal as they are."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from rich.console import Console

from memn2n import Corpus, Example, LMConfig, LMTraining, MemoryLM, StoryQA
from memn2n.cli.show import show_evaluation
from memn2n.explain.tables import attention_table, words_table
from memn2n.files.records import json_line
from memn2n.terminal import printable
from tests.cli.conftest import CLI
from tests.files.test_download import Server

RED = "\x1b[31mred\x9b0m"


@pytest.fixture(scope="module")
def saved_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm") / "red"
    text = Corpus.from_text(f"{RED} and {RED} or\n" * 20)
    network, training = LMConfig(dim=4, memory_size=3), LMTraining(epochs=1, validation=0)
    MemoryLM.fit(text, network=network, training=training, threads=1).save(folder)
    return folder


def test_control_characters_are_shown_as_escapes() -> None:
    assert printable(RED) == r"\x1b[31mred\x9b0m"
    assert printable("a\tb\nc\rd\x7f") == "a\tb\nc\\x0dd\\x7f"
    assert printable("é 😀 \u200d मरियम \u200f") == "é 😀 \u200d मरियम \u200f"
    assert json_line({"a": RED}) == b'{"a": "\\u001b[31mred\\u009b0m"}\n'


def test_words_of_a_language_model(cli: CLI, saved_lm: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{RED} and\x1b or\n")
    for args in (
        ["next", saved_lm, f"{RED} \x1b"],
        ["generate", saved_lm, f"{RED}", "--words", 40],
        ["score", saved_lm, tmp_path / "a.txt"],
        ["score", saved_lm, tmp_path / "a.txt", "--jsonl"],
        ["score", saved_lm, tmp_path / "\x1b.txt"],
        ["nothing\x1b"],
    ):
        found = cli("lm", *args)
        assert "\x1b" not in found.out + found.err
        assert "\x9b" not in found.out + found.err
        assert "1b" in found.out + found.err, args


def test_stories(cli: CLI, model: Path, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text(f"Mary moved to the {RED}.\n")
    talked = cli("qa", "ask", model, "--story", tmp_path / "story.txt", stdin=f":story\nWhere is {RED}?\n:\x1b\n:why\n")
    explained = cli("qa", "explain", "--story", tmp_path / "story.txt", "--question", "Where is Mary\x1b?", model)
    for found in (talked, explained):
        assert "\x1b" not in found.out + found.err
        assert "\\x1b" in found.out


def test_the_answer_of_a_server(cli: CLI, tmp_path: Path) -> None:
    with Server() as server:
        server.status, server.reason = 404, "Not\x1b[2J Found"
        threading.Thread(target=server.handle_request).start()
        found = cli("data", "get", "babi", "--out", tmp_path / "babi", "--url", server.url)
    assert found.status == 1
    assert "answers 404 Not\\x1b[2J Found" in found.err


def test_tables(qa: StoryQA, saved_lm: Path) -> None:
    console = Console(file=io.StringIO(), width=100)
    show_evaluation(qa.evaluate([Example(("Mary sat.",), "Where?", RED, (), RED)]), console)
    console.print(attention_table(qa.answer([RED], f"Where is {RED}?")))
    console.print(words_table(MemoryLM.load(saved_lm).next_words(RED)))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "\x1b" not in shown
    assert shown.count("\\x1b") >= 5


def test_an_argument_that_a_library_cannot_encode(cli: CLI, tmp_path: Path) -> None:
    (tmp_path / "library_that_encodes.py").write_text("'\\udcff'.encode()\n")
    found = cli("--import", tmp_path / "library_that_encodes.py", "info", "\udcff")
    assert (found.status, found.out) == (2, "")
    assert found.err == "memn2n: the argument '\\udcff' is not text; write it in utf-8\n"


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "\udcff"])
def test_a_host_that_is_no_name(cli: CLI, host: str) -> None:
    pytest.importorskip("uvicorn")
    found = cli("serve", "--no-auth", "--host", host)
    assert found.status == 2
    assert "this is not the name of a machine; use a name or an address of this machine" in found.err


def test_an_error_repeats_only_the_start_of_a_very_long_argument(cli: CLI) -> None:
    for arguments in (["f" * 5000], ["qa", "ask", "d" * 3000]):
        refused = cli(*arguments)
        assert refused.status == 2
        assert len(refused.err) < 700
