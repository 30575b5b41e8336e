"""The layers of docs/design.md: every import of src is compared with them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
GROUND = "ground"  # the modules directly in memn2n
PUBLIC = "memn2n"  # memn2n/__init__.py, which lists the public names

# From bottom to top. A module imports from its own part and from lower layers, not from another part of its layer.
LAYERS = (
    {GROUND},
    {"files"},
    {"qa", "lm"},
    {"simulator", "rules"},
    {PUBLIC},
    {"explain"},
    {"reproduce"},
    {"serve"},
    {"cli"},
    {"__main__"},
)
LAYER = {part: height for height, layer in enumerate(LAYERS) for part in layer}

# The same inside a wing, from bottom to top. The other modules of a wing must only be free of cycles.
WING = ("data", "networks", "training", "model", "pretrained")


def imports_of(source: str, module: str, modules: Iterable[str], is_package: bool = False) -> Iterator[str]:
    """The modules of memn2n that a source imports, wherever the statement stands: in a function, for type checking."""
    known = set(modules)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")
            parent = parent[: len(parent) - node.level + is_package] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            found = [name if (name := f"{base}.{alias.name}") in known else base for alias in node.names]
        else:
            continue
        for name in found:
            if name.split(".")[0] == "memn2n":
                yield name


@cache
def graph() -> dict[str, set[str]]:
    """Module -> the modules of memn2n that it imports; stubs count, as that of the public names."""
    paths = {path: path.relative_to(SRC).with_suffix("").parts for path in SRC.glob("memn2n/**/*.py*")
             if path.suffix in (".py", ".pyi")}  # fmt: skip
    names = {path: ".".join(parts).removesuffix(".__init__") for path, parts in paths.items()}
    found: dict[str, set[str]] = {module: set() for module in names.values()}
    for path, module in names.items():
        found[module].update(imports_of(path.read_text("utf-8"), module, found, path.stem == "__init__"))
    return found


def part_of(module: str) -> str:
    """The part of the package that a module belongs to: its folder, or one of the names above."""
    names = module.split(".")
    if len(names) == 1:
        return PUBLIC
    if names[1] == "__main__" or (SRC / "memn2n" / names[1]).is_dir():
        return names[1]
    return GROUND


def edges() -> Iterator[tuple[str, str]]:
    """Every (importing, imported) pair of modules."""
    for module, imported in graph().items():
        for other in imported:
            yield module, other


def test_every_folder_has_a_layer() -> None:
    folders = {path.parent.name for path in SRC.glob("memn2n/*/__init__.py")}
    assert folders == LAYER.keys() - {GROUND, PUBLIC, "__main__"}


def test_every_imported_module_exists() -> None:
    assert {other for _, other in edges()} <= graph().keys()


def test_imports_run_downwards() -> None:
    upwards = [
        f"{module} imports {other}"
        for module, other in edges()
        if part_of(module) != part_of(other) and LAYER[part_of(other)] >= LAYER[part_of(module)]
    ]
    assert not upwards, "\n".join(upwards)


def test_question_answering_and_language_model_do_not_import_each_other() -> None:
    pairs = {(part_of(module), part_of(other)) for module, other in edges()}
    assert not pairs & {("qa", "lm"), ("lm", "qa")}
    assert {("cli", "qa"), ("cli", "lm")} <= pairs  # the graph is not empty


def test_rules_use_stories_only() -> None:
    """The rules check the networks and the simulator, so they share nothing with either but the form of a story."""
    used = {other for module, other in edges() if part_of(module) == "rules" and part_of(other) != "rules"}
    assert {other for other in used if part_of(other) != GROUND} == {"memn2n.qa.stories"}


@pytest.mark.parametrize("wing", ["qa", "lm"])
def test_imports_run_downwards_inside_a_wing(wing: str) -> None:
    height = {f"memn2n.{wing}.{name}": line for line, name in enumerate(WING)}

    def layer(module: str) -> int | None:
        return height.get(".".join(module.split(".")[:3]))

    inside = [(module, layer(module), other, layer(other)) for module, other in edges()]
    assert {line for _, line, _, _ in inside} >= set(range(4))
    assert [f"{module} imports {other}" for module, line, other, below in inside
            if line is not None and below is not None and line < below] == []  # fmt: skip


def test_no_import_cycles() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_imports_are_found_wherever_they_stand() -> None:
    source = """
import numpy, memn2n.errors
from memn2n.qa import model
from memn2n.files.lines import write_lines
if TYPE_CHECKING:
    from memn2n.lm.model import MemoryLM
def load():
    from . import vocabulary
    from ..errors import InputError
"""
    modules = ["memn2n.errors", "memn2n.qa.model", "memn2n.files.lines", "memn2n.lm.model", "memn2n.qa.vocabulary"]
    assert sorted(imports_of(source, "memn2n.qa.x", modules)) == sorted([*modules, "memn2n.errors"])
    assert list(imports_of("from .files import x", "memn2n.files", modules, is_package=True)) == ["memn2n.files.files"]


def test_the_package_and_its_command_line_load_no_numpy_and_no_pytorch() -> None:
    code = "import memn2n, memn2n.cli, sys; print({'numpy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
