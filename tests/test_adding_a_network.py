"""docs/adding-a-network.md: its family is short, and its commands and code work on facts with values."""

import json
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "adding-a-network.md").read_text("utf-8")
MOST_LINES = 60
TOWNS = ["oslo", "lima", "rome", "cairo", "delhi", "paris", "accra", "quito", "hanoi", "berne"]
LANDS = ["norway", "peru", "italy", "egypt", "india", "france", "ghana", "ecuador", "vietnam", "switzerland"]


CLASHES = {
    "c1": "epochs: int = 2",
    "c2": "no_gate: int = 2",
    "c3": "settings: int = 2",
    "c4": "depth: int",
    "c5": "hops: Annotated[int, Range(1, 3)] = 2",
}
"""File -> a setting that its family cannot have."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def facts(number: int, seed: int) -> str:
    """Questions about five towns with any countries, so that only the memory knows the answer."""
    rng = random.Random(seed)
    lines = []
    for _ in range(number):
        towns = rng.sample(TOWNS, 5)
        values = [rng.choice(LANDS) for _ in towns]
        asked = rng.randrange(5)
        lines.append({"story": towns, "values": values, "question": f"{towns[asked]}?", "answer": values[asked],
                      "support": [asked]})  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the page names, and the model that its first command trains."""
    folder = tmp_path_factory.mktemp("family")
    (folder / "key_value.py").write_text(blocks("python")[0], "utf-8")
    (folder / "facts.jsonl").write_text(facts(800, 0), "utf-8")
    (folder / "test.jsonl").write_text(facts(100, 1), "utf-8")
    run(f"{commands()[0]} --restarts 1 --epochs 30", folder)
    return folder


def commands() -> list[str]:
    return blocks("sh")[0].splitlines()


def run(command: str, folder: Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the page; fail unless it succeeds."""
    words = shlex.split(command)
    assert words[0] == "memn2n"
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_the_family_is_short() -> None:
    assert len(blocks("python")[0].splitlines()) <= MOST_LINES


def test_the_trained_model_answers_from_the_values(folder: Path) -> None:
    evaluation = json.loads(run(f"{commands()[1]} --json", folder).stdout)
    assert evaluation["error"] < 0.05
    assert evaluation["attention_recall"] > 0.95


def test_predictions_read_the_values(folder: Path) -> None:
    record = {"story": ["Oslo", "Lima"], "values": ["Peru", "Ghana"], "question": "Lima?"}
    command = commands()[2].replace("test.jsonl", "-")
    predicted = json.loads(run(command, folder, json.dumps(record) + "\n").stdout)
    assert predicted["prediction"] == "ghana"
    assert len(predicted["attention"]) == 1, "one row for each of the --key-hops"


def test_the_settings_of_the_family_are_options(folder: Path) -> None:
    page = run("memn2n --import key_value.py qa train --help", folder).stdout
    assert re.search(r"--key-hops <int> +Number K of times", page)


def test_without_the_import_the_model_is_refused_in_one_line(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "memn2n", "qa", "eval", "runs/kv", "test.jsonl"], cwd=folder,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "family is 'key-value': the families are memn2n; to add one, import the module" in done.stderr


def test_the_python_code_trains_and_answers(folder: Path) -> None:
    code = blocks("python")[1].replace("KeyValueConfig(dim=30)", "KeyValueConfig(dim=30), restarts=1")
    code = code.replace("qa.answer(", "print(qa.answer(").replace(".text", ".text)")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == re.findall(r'\.text  # "(\w+)"', PAGE)[0], done.stderr


def test_options_of_another_family_and_imports_that_cannot_be_used_are_refused(folder: Path) -> None:
    code = blocks("python")[0].replace('"key-value"', '"clash"')
    field = "key_hops: Annotated[int, Range(1, 64)] = 2"
    assert field in code
    for name, setting in CLASHES.items():
        (folder / f"{name}.py").write_text(code.replace(field, setting).replace("key_hops", "dim"), "utf-8")
    (folder / "other").mkdir()
    for name in ("json", "uvicorn"):  # a module that is imported, and one that is not
        (folder / "other" / f"{name}.py").write_text(code, "utf-8")
    for options, message in (
        ("--import key_value.py qa train facts.jsonl --family key-value --out x --tying layerwise",
         "--tying is not a setting of the family key-value"),
        ("--import nothing.py qa ask", "--import is 'nothing.py': there is no such file"),
        ("--import c1.py qa train --out x", "a setting epochs, but the command has an argument of this name"),
        ("--import c2.py qa train --out x", "a setting no_gate, but the command has an argument of this name"),
        ("--import c3.py qa train --out x", "a setting settings, but the command has an argument of this name"),
        ("--import c4.py qa train --out x", "the setting depth of the family clash has no default; give it one"),
        ("--import c5.py qa train --out x", "a setting hops of another type or with other choices than another family"),
        ("--import key_value.py qa train --family key-value --variant paper --out x",
         "--variant is paper, which is for the family memn2n"),
        ("qa train --tables 3 --out x", "No such option: --tables"),
        ("--import '' qa ask", "--import is '': there is no such module"),
        ("--import .x qa ask", "--import is '.x': there is no such module"),
        ("--import other/uvicorn.py qa ask", "another module is named uvicorn; rename the file"),
        ("--import other/json.py qa ask", "--import is 'other/json.py': another module is named json; rename the file"),
        ("--import no_such_module qa ask", "--import is 'no_such_module': there is no such module"),
        ("qa train facts.jsonl --out x", "--family is memn2n, which does not read values"),
    ):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", "memn2n", *shlex.split(options)], cwd=folder, capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert message in done.stderr
        assert not (folder / "x").exists()
