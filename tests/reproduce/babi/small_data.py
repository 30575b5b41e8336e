"""A small bAbI folder, and recipes that reproduce a column from it in a second."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memn2n.reproduce.babi import recipe

PEOPLE, PLACES = ("Ann", "Bob", "Cy"), ("garden", "office", "kitchen", "hall")

QUICK = """
table = "babi-1k"
column = "{column}"
joint = {joint}
[network]
dim = 4
hops = 1
[training]
{training}
"""


def write_babi(folder: Path, seed: int = 0) -> Path:
    """Tasks 1, 2 and 4 with few questions; task 3 has no training file, task 5 no test file."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    for task in range(1, 6):
        for part, stories in (("train", 40), ("test", 30)):
            if (task, part) in {(3, "train"), (5, "test")}:
                continue
            lines = []
            for _ in range(stories):
                moves = [(rng.choice(PEOPLE), rng.choice(PLACES)) for _ in range(2 + task % 2)]
                lines += [f"{i} {who} went to the {where}.\n" for i, (who, where) in enumerate(moves, 1)]
                i = rng.randrange(len(moves))
                who, where = moves[i]
                where = next(place for person, place in reversed(moves) if person == who)
                if part == "test" and rng.random() < 0.1:
                    where = "cellar"  # an answer that training does not know
                lines.append(f"{len(moves) + 1} Where is {who}?\t{where}\t{i + 1}\n")
            (folder / f"qa{task}_made-up_{part}.txt").write_text("".join(lines))
    return folder


def write_recipes(folder: Path, **training: str) -> Path:
    """Quick recipes of the columns PE LS (each task) and PE LS RN joint; ``training`` has more settings, in TOML."""
    (folder / "babi-1k").mkdir(parents=True, exist_ok=True)
    settings = {"epochs": "3", "linear_start_epochs": "2", "batch_size": "8"} | training
    more = "\n".join(f"{key} = {value}" for key, value in settings.items())
    for name, column, joint in (("pe-ls", "PE LS", "false"), ("joint", "PE LS RN joint", "true")):
        text = QUICK.format(column=column, joint=joint, training=more)
        (folder / "babi-1k" / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def babi_1k(tmp_path: Path) -> Path:
    """The small bAbI folder."""
    return write_babi(tmp_path / "babi" / "en")


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of quick recipes, which replace those of the package."""
    folder = write_recipes(tmp_path / "recipes")
    monkeypatch.setattr(recipe, "RECIPES", folder)
    return folder


def start(recipes: Path, *args: object) -> subprocess.Popen[str]:
    """``memn2n reproduce`` as a process of its own, with quick recipes."""
    code = (
        "import sys; from pathlib import Path; from memn2n.cli import main; from memn2n.reproduce.babi import recipe\n"
        "recipe.RECIPES = Path(sys.argv.pop(1)); main()"
    )
    command = [sys.executable, "-c", code, str(recipes), "reproduce", *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_after(process: subprocess.Popen[str], restarts: int, how: signal.Signals) -> str:
    """Send a signal once this number of restarts is done; returns the rest of standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"{restarts}/"):
            break
    os.kill(process.pid, how)
    _, rest = process.communicate()
    return rest
