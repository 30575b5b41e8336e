"""Skips the tests of the engine if the engine is not available."""

from pathlib import Path

import pytest

from memn2n.qa import engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if engine.unavailable():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"no engine: {engine.unavailable()}"))
