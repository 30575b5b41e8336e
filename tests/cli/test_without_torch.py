"""Stories need no PyTorch, and what does need it says so in one line.

``.ci/without-torch`` runs this file by itself where PyTorch is not installed. Where it is, a package that raises an
error when it is imported stands in for it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from memn2n.qa import engine

pytestmark = pytest.mark.skipif(bool(engine.unavailable()), reason="the engine was not built")

STORY = "Mary moved to the bathroom.\nJohn went to the hallway.\n"
ASKED = "Where is Mary?"
ABSENT = "import sys; sys.modules.update(torch=None, jaxtyping=None)\n"
NEITHER = f"{ABSENT}sys.modules['memn2n.qa.engine._native'] = None\n"
COMMAND = "from memn2n.cli import main; main()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated stories of task 1, a model of them, a story and a question; and a PyTorch that cannot be imported."""
    folder = tmp_path_factory.mktemp("stories")
    (folder / "broken" / "torch").mkdir(parents=True)
    (folder / "broken" / "torch" / "__init__.py").write_text("raise AssertionError('PyTorch is imported')")
    (folder / "story.txt").write_text(STORY)
    (folder / "question.jsonl").write_text(json.dumps({"story": STORY.splitlines(), "question": ASKED}))
    python(folder, COMMAND, "simulate", "--task", "1", "--out", "data")
    options = ("--task", "1", "--backend", "native", "--restarts", "1", "--epochs", "20", "--out", "model")
    python(folder, COMMAND, "qa", "train", "data", *options)
    return folder


def environment(folder: Path) -> dict[str, str]:
    return os.environ | ({"PYTHONPATH": str(folder / "broken")} if find_spec("torch") else {})


def python(folder: Path, code: str, *args: str, stdin: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, which must end with a status."""
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=folder, env=environment(folder), input=stdin,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.parametrize(
    ("command", "stdin", "shown"),
    [
        ("qa ask", STORY + ASKED, r"^bathroom \(\d+%\)$"),
        ("qa ask model", f"{STORY}{ASKED}\n:why", r"^bathroom \(\d+%\)\n[^│]*hop 1"),
        ("qa eval model data --task 1 --json", "", r'"questions": 1000, "wrong": \d,'),
        (f"qa explain --story story.txt --question '{ASKED}' --html why.html", "", "hop 3"),
        ("qa predict model question.jsonl", "", '"prediction": "bathroom"'),
        ("simulate --task 2 --out two", "", "two"),
        ("reproduce babi-1k --help", "", "1,000 training questions a task"),
        ("reproduce babi-1k --data data --tasks 1 --column PE --restarts 1 --out table", "", "results.md"),
    ],
)
def test_commands_about_stories(folder: Path, command: str, stdin: str, shown: str) -> None:
    done = python(folder, COMMAND, *shlex.split(command), stdin=stdin)
    assert re.search(shown, done.stdout, re.MULTILINE), done.stdout


def test_rules(folder: Path) -> None:
    code = "import sys, memn2n; print(memn2n.solve(sys.argv[1].splitlines(), sys.argv[2]))"
    solved = python(folder, code, STORY, ASKED)
    assert "bathroom" in solved.stdout


def test_the_server(folder: Path) -> None:
    pytest.importorskip("uvicorn")
    command = [sys.executable, "-c", COMMAND, "serve", "--port", "0", "model"]
    body = json.dumps({"story": STORY.splitlines(), "question": ASKED}).encode()
    with subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split(" at ")[1].split(" (")[0]
            asked = urllib.request.Request(f"{address}/api/answer", body, {"content-type": "application/json"})
            with urllib.request.urlopen(asked, timeout=30) as response:
                assert json.load(response)["prediction"] == "bathroom"
        finally:
            server.terminate()


def test_the_demonstration(folder: Path) -> None:
    shown = python(folder, ABSENT + COMMAND, "demo").stdout
    assert "A question of task 15" in shown
    assert [line for line in shown.splitlines() if "PyTorch" in line] == [
        "The language model needs PyTorch; install it: pip install 'memn2n[torch]'"
    ]


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("lm train", "memn2n.MemoryLM"),
        ("lm next model the", "memn2n.MemoryLM"),
        ("reproduce ptb --data data", "this command"),
        ("qa train data --task 1 --out other --backend torch", '--backend "torch"'),
        ("qa train data --task 1 --out other --device cuda", "--device 'cuda'"),
    ],
)
def test_commands_that_need_pytorch(folder: Path, command: str, what: str) -> None:
    refused = python(folder, ABSENT + COMMAND, *command.split(), status=2)
    assert refused.stderr == f"memn2n: {what} needs PyTorch; install it: pip install 'memn2n[torch]'\n"
    assert refused.stdout == ""
    assert not (folder / "other").exists()


def test_without_the_engine_too_a_model_answers(folder: Path) -> None:
    asked = python(folder, NEITHER + COMMAND, "qa", "ask", "model", stdin=STORY + ASKED)
    assert asked.stdout.startswith("bathroom (")
    refused = python(folder, NEITHER + COMMAND, "qa", "train", "data", "--task", "1", "--out", "other", status=2)
    assert refused.stderr == (
        "memn2n: the engine cannot be used: it was not built; without it, training needs PyTorch; "
        "install it: pip install 'memn2n[torch]'\n"
    )


def test_the_language_model_in_python(folder: Path) -> None:
    refused = python(folder, ABSENT + "import memn2n; memn2n.MemoryLM", status=1)
    last = refused.stderr.splitlines()[-1]
    assert last == "memn2n.errors.ConfigError: memn2n.MemoryLM needs PyTorch; install it: pip install 'memn2n[torch]'"
    assert "During handling" not in refused.stderr
