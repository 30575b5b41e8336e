"""Tests of the engine need it."""

import pytest

from memn2n.qa import engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if engine.unavailable():
        for item in items:
            if "tests/engine/" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=f"there is no engine here: {engine.unavailable()}"))
