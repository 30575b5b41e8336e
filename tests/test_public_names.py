"""The public names of the package, and its family of exceptions."""

from __future__ import annotations

import subprocess
import sys

import pytest

import memn2n
from memn2n import MemN2NError


def test_every_public_name_is_there() -> None:
    names = set(dir(memn2n))
    assert {"StoryQA", "MemoryLM", "simulate", "solve", "read_babi", "pretrained", "__version__"} <= names
    for name in names - {"__version__"}:
        assert getattr(memn2n, name).__module__.startswith("memn2n.")
    with pytest.raises(AttributeError, match="nothing"):
        memn2n.nothing  # type: ignore[attr-defined]  # noqa: B018
    from memn2n import simulator

    assert simulator.SKILLS
    assert callable(memn2n.simulate), "not hidden by a module of the same name"


def test_no_public_name_is_hidden_by_a_module() -> None:
    """A package's attribute is replaced by a module of the same name as soon as anything imports that module."""
    code = """
import importlib, pkgutil, types
import memn2n, memn2n.reproduce
modules = {"memn2n": memn2n}
for found in pkgutil.walk_packages(memn2n.__path__, "memn2n."):
    if not found.name.endswith("__main__"):
        modules[found.name] = importlib.import_module(found.name)
for name, module in modules.items():
    parent, _, last = name.rpartition(".")
    if parent and vars(modules[parent])[last] is not module:
        print(name, "is hidden by a name of its package")
for package in (memn2n, memn2n.reproduce):
    for name in package.__all__:
        if isinstance(getattr(package, name), types.ModuleType):
            print(package.__name__, name, "is hidden by a module")
print(len(modules), "modules")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, _ = done.stdout.split(maxsplit=1)
    assert done.stdout == f"{number} modules\n"
    assert int(number) > 100


def test_every_error_is_one_family() -> None:
    from memn2n import errors

    family = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    status = {kind.__name__: kind.exit_status for kind in family if issubclass(kind, MemN2NError)}
    assert {name for name, code in status.items() if code == 1} == {
        "MemN2NError",
        "TrainingError",
        "DownloadError",
        "StorageError",
    }
    assert {name for name, code in status.items() if code == 2} == {
        "InputError",
        "ConfigError",
        "DataError",
        "ModelError",
    }
