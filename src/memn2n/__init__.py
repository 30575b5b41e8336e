"""memn2n: end-to-end memory networks (Sukhbaatar et al. 2015) that answer questions about stories, and show why."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memn2n.answers import Answer, Evaluation
    from memn2n.config import NetworkConfig, TrainingConfig, variant
    from memn2n.data.babi import read_babi
    from memn2n.data.jsonl import read_jsonl, write_jsonl
    from memn2n.errors import MemN2NError
    from memn2n.qa import StoryQA
    from memn2n.simulator import simulate
    from memn2n.stories import Example, Split

_HOMES = {
    "Answer": "answers",
    "Evaluation": "answers",
    "Example": "stories",
    "MemN2NError": "errors",
    "NetworkConfig": "config",
    "Split": "stories",
    "StoryQA": "qa",
    "TrainingConfig": "config",
    "read_babi": "data.babi",
    "read_jsonl": "data.jsonl",
    "simulate": "simulator",
    "variant": "config",
    "write_jsonl": "data.jsonl",
}

__all__ = ["Answer", "Evaluation", "Example", "MemN2NError", "NetworkConfig", "Split", "StoryQA", "TrainingConfig",
           "read_babi", "read_jsonl", "simulate", "variant", "write_jsonl"]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name from its module when it is first used: ``import memn2n`` itself loads neither NumPy nor PyTorch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("memn2n")
    if name not in _HOMES:
        raise AttributeError(f"module 'memn2n' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"memn2n.{_HOMES[name]}"), name)
    return value
