"""The public names of the package, and its family of exceptions."""

from __future__ import annotations

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


def test_every_error_is_one_family() -> None:
    from memn2n import errors

    family = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    status = {kind.__name__: kind.exit_status for kind in family if issubclass(kind, MemN2NError)}
    assert {name for name, code in status.items() if code == 1} == {"MemN2NError", "TrainingError", "DownloadError"}
    assert {name for name, code in status.items() if code == 2} == {
        "InputError",
        "ConfigError",
        "DataError",
        "ModelError",
    }
