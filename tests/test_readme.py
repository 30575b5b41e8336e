"""The code of README.md and docs: the Python code runs, and the command line accepts the shell commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from memn2n import MemoryLM, NextWords, StoryQA
from memn2n.cli import app

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OWN_TEST = "adding-a-network.md"  # test_adding_a_network.py runs its commands, which need the page's own file
PAGES = [README, *sorted(page for page in ROOT.glob("docs/*.md") if page.name != OWN_TEST)]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def programs(line: str) -> Iterator[list[str]]:
    """The words of each program that a shell line starts, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "#", True
    words: list[str] = []
    for word in lexer:
        if word in {"|", "&&", "||", ";", "&"}:
            yield words
            words = []
        elif set(word) & set("<>"):
            next(lexer)
        else:
            words.append(word)
    yield words


def shell_programs(page: Path) -> Iterator[list[str]]:
    """The words of each program in the shell blocks of a page."""
    command = ""
    for line in "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
        command += line
        try:
            yield from filter(None, programs(re.sub(r"\$\w+", "1", command)))  # in a loop: $seed
        except ValueError:  # a quotation goes on in the next line
            command += "\n"
        else:
            command = ""
    assert not command, f"{page.name}: a quotation without an end: {command}"


@cache
def command_line() -> Any:
    """The command line in which every command records that it was called, and does nothing else."""

    def silence(command: Any) -> None:
        for subcommand in getattr(command, "commands", {}).values():
            silence(subcommand)
        if not hasattr(command, "commands"):
            command.callback = lambda **_: called.append(command.name)

    root = typer.main.get_command(app)
    silence(root)
    return root


called: list[str] = []


def check(words: list[str]) -> None:
    """Parse a command of ``memn2n`` and the values of its options as the command line does, without running it."""
    called.clear()
    try:
        command_line().main(words[1:], prog_name="memn2n", standalone_mode=False)
    except Exception as error:
        pytest.fail(f"{shlex.join(words)}: {error}")
    assert len(called) == 1, f"{shlex.join(words)}: this is no command"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_command_line_knows_the_commands_of(page: Path) -> None:
    for words in shell_programs(page):
        if Path(words[0]).name == "memn2n":
            check(words)
        elif words[1:2] == ["-m"]:
            assert find_spec(words[2]), f"there is no module {words[2]}"


def test_the_readme_names_every_command_group() -> None:
    named = {words[1] for words in shell_programs(README) if Path(words[0]).name == "memn2n"}
    assert named >= {"demo", "qa", "lm", "data", "simulate", "serve", "reproduce"}


@pytest.mark.parametrize(
    "line",
    [
        "memn2n qa",
        "memn2n qa trane",
        "memn2n qa train --hop 3",
        "memn2n qa train --hops x",
        "memn2n qa train --select best",
        "memn2n info too much",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception), match=line):
        check(line.split())


def test_shell_lines_are_taken_apart() -> None:
    assert list(programs("printf 'a b' | memn2n qa ask x > out.txt  # answers")) == [
        ["printf", "a b"],
        ["memn2n", "qa", "ask", "x"],
    ]


def test_the_python_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("The value of the key is known .\nThe value of the word is new .\n" * 8, "utf-8")
    names: dict[str, Any] = {}
    for block in blocks(README, "python"):
        exec(block, names)
    assert names["answer"].text == "bathroom"  # what the comments say
    assert names["answer"].probability > 0.95
    assert names["qa"].evaluate(names["test"]).error < 0.05
    assert StoryQA.load("runs/mine").answer(["Mary moved to the bathroom."], "Where is Mary?").text == "bathroom"
    lm = names["lm"]
    assert isinstance(lm, MemoryLM)
    assert isinstance(lm.next_words("The value of"), NextWords)
    assert lm.next_words("The value of").text == "the"
