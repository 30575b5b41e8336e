"""The repository's files as a whole: their length, their docstrings, CITATION.cff, and what runs the checks."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
MOST_LINES = 350
MOST_COLUMNS = 100
CODE = (".py", ".pyi", ".cpp", ".hpp", ".js", ".css")
CHECKS = ("ruff check", "ruff format --check", "mypy")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def code_files(*folders: str) -> list[Path]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.suffix in CODE]
    assert paths
    return paths


def code_lines(markdown: str) -> Iterator[tuple[int, str]]:
    """The lines of the code blocks, with their numbers."""
    inside = False
    for number, line in enumerate(markdown.splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif inside:
            yield number, line


def test_no_file_is_too_long() -> None:
    paths = code_files("src", "tests", "benchmarks", "examples")
    lengths = {path.relative_to(ROOT): path.read_text("utf-8").count("\n") for path in paths}
    too_long = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MOST_LINES]
    assert not too_long, "\n".join(too_long)


def test_every_module_has_a_docstring() -> None:
    paths = [path for path in code_files("src", "examples") if path.suffix == ".py"]
    docstrings = {str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in paths}
    assert [path for path, docstring in docstrings.items() if not docstring] == []


def test_code_blocks_are_not_too_wide() -> None:
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*.md"))]
    wide = [f"{page.relative_to(ROOT)}:{number}: {len(line)} columns" for page in pages
            for number, line in code_lines(page.read_text("utf-8")) if len(line) > MOST_COLUMNS]  # fmt: skip
    assert not wide, "\n".join(wide)


def test_code_lines_are_those_between_the_fences() -> None:
    assert list(code_lines("text\n```sh\none\ntwo\n```\ntext\n")) == [(3, "one"), (4, "two")]


def test_citation_names_this_version_and_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = pyproject()["project"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert {"title", "message", "authors"} <= citation.keys()  # required by the format
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["authors"] == project["authors"] == [{"name": "The memn2n authors"}]
    paper = citation["references"][0]
    assert paper["title"] == "End-To-End Memory Networks"
    assert [author["family-names"] for author in paper["authors"]] == ["Sukhbaatar", "Szlam", "Weston", "Fergus"]
    assert paper["year"] == 2015
    assert paper["identifiers"][0] == {"type": "other", "value": "arXiv:1503.08895"}


def test_the_workflow_runs_what_must_pass() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert workflow[True].keys() == {"push", "pull_request"}  # YAML 1.1 reads the key "on" as true
    (job,) = workflow["jobs"].values()
    assert job["runs-on"].startswith("ubuntu-")
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in actions)
    python = next(step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
    assert pyproject()["project"]["requires-python"].startswith(f">={python}")
    assert (ROOT / ".ci" / "run").is_file()


def test_pre_commit_checks_what_ci_checks() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    hooks = repository["hooks"]
    assert [hook["language"] for hook in hooks] == ["system"] * len(hooks)  # the environment's tools, in its versions
    assert tuple(hook["entry"] for hook in hooks) == CHECKS
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert all(f".venv/bin/{check}" in script for check in CHECKS)
