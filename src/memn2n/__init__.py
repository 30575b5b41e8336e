"""memn2n: end-to-end memory networks (Sukhbaatar et al. 2015) that answer questions about stories, and show why."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memn2n.answers import Answer, Evaluation
    from memn2n.config import LMConfig, LMTraining, NetworkConfig, TrainingConfig, lm_variant, variant
    from memn2n.data import read_stories
    from memn2n.data.babi import read_babi, write_babi
    from memn2n.data.carried import carried_text
    from memn2n.data.corpus import Corpus, read_corpus
    from memn2n.data.jsonl import read_jsonl, write_jsonl
    from memn2n.errors import ConfigError, DataError, DownloadError, InputError, MemN2NError, ModelError, TrainingError
    from memn2n.lm import MemoryLM
    from memn2n.lm_answers import LMEvaluation, NextWords, WordScore
    from memn2n.lm_text import LMVocabulary
    from memn2n.pretrained import pretrained
    from memn2n.qa import StoryQA
    from memn2n.simulator import simulate
    from memn2n.simulator.world import World
    from memn2n.simulator.world_file import read_world
    from memn2n.solver import solve
    from memn2n.stories import Example, Split
    from memn2n.text import Vocabulary

_HOMES = {
    "Answer": "answers",
    "ConfigError": "errors",
    "Corpus": "data.corpus",
    "DataError": "errors",
    "DownloadError": "errors",
    "Evaluation": "answers",
    "Example": "stories",
    "InputError": "errors",
    "LMConfig": "config",
    "LMEvaluation": "lm_answers",
    "LMTraining": "config",
    "LMVocabulary": "lm_text",
    "MemN2NError": "errors",
    "MemoryLM": "lm",
    "ModelError": "errors",
    "NetworkConfig": "config",
    "NextWords": "lm_answers",
    "Split": "stories",
    "StoryQA": "qa",
    "TrainingConfig": "config",
    "TrainingError": "errors",
    "Vocabulary": "text",
    "WordScore": "lm_answers",
    "World": "simulator.world",
    "carried_text": "data.carried",
    "lm_variant": "config",
    "pretrained": "pretrained",
    "read_babi": "data.babi",
    "read_corpus": "data.corpus",
    "read_jsonl": "data.jsonl",
    "read_stories": "data",
    "read_world": "simulator.world_file",
    "simulate": "simulator",
    "solve": "solver",
    "variant": "config",
    "write_babi": "data.babi",
    "write_jsonl": "data.jsonl",
}

__all__ = ["Answer", "ConfigError", "Corpus", "DataError", "DownloadError", "Evaluation", "Example", "InputError",
           "LMConfig", "LMEvaluation", "LMTraining", "LMVocabulary", "MemN2NError", "MemoryLM",
           "ModelError", "NetworkConfig", "NextWords", "Split", "StoryQA", "TrainingConfig",
           "TrainingError", "Vocabulary", "WordScore", "World", "carried_text", "lm_variant", "pretrained", "read_babi",
           "read_corpus", "read_jsonl", "read_stories", "read_world", "simulate", "solve", "variant", "write_babi",
           "write_jsonl"]  # fmt: skip


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a name from its module when it is first used: ``import memn2n`` itself loads neither NumPy nor PyTorch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("memn2n")
    if name not in _HOMES:
        raise AttributeError(f"module 'memn2n' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"memn2n.{_HOMES[name]}"), name)
    return value
