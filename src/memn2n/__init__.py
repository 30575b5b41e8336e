"""memn2n: end-to-end memory networks (Sukhbaatar et al. 2015) that answer questions about stories, and show why."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memn2n.errors import ConfigError, DataError, DownloadError, InputError, MemN2NError, ModelError, TrainingError
    from memn2n.lm.answers import LMEvaluation, NextWords, WordScore
    from memn2n.lm.config import LMConfig, LMTraining, lm_variant
    from memn2n.lm.data.corpus import Corpus, read_corpus
    from memn2n.lm.data.python_help import carried_text
    from memn2n.lm.model import MemoryLM
    from memn2n.lm.vocabulary import LMVocabulary
    from memn2n.qa.answers import Answer, Evaluation
    from memn2n.qa.config import NetworkConfig, TrainingConfig, variant
    from memn2n.qa.data import read_stories
    from memn2n.qa.data.babi import read_babi, write_babi
    from memn2n.qa.data.jsonl import read_jsonl, write_jsonl
    from memn2n.qa.model import StoryQA
    from memn2n.qa.pretrained import pretrained
    from memn2n.qa.stories import Example, Split
    from memn2n.qa.vocabulary import Vocabulary
    from memn2n.rules import solve
    from memn2n.simulator import simulate
    from memn2n.simulator.world import World
    from memn2n.simulator.world_file import read_world

_HOMES = {
    "Answer": "qa.answers",
    "ConfigError": "errors",
    "Corpus": "lm.data.corpus",
    "DataError": "errors",
    "DownloadError": "errors",
    "Evaluation": "qa.answers",
    "Example": "qa.stories",
    "InputError": "errors",
    "LMConfig": "lm.config",
    "LMEvaluation": "lm.answers",
    "LMTraining": "lm.config",
    "LMVocabulary": "lm.vocabulary",
    "MemN2NError": "errors",
    "MemoryLM": "lm.model",
    "ModelError": "errors",
    "NetworkConfig": "qa.config",
    "NextWords": "lm.answers",
    "Split": "qa.stories",
    "StoryQA": "qa.model",
    "TrainingConfig": "qa.config",
    "TrainingError": "errors",
    "Vocabulary": "qa.vocabulary",
    "WordScore": "lm.answers",
    "World": "simulator.world",
    "carried_text": "lm.data.python_help",
    "lm_variant": "lm.config",
    "pretrained": "qa.pretrained",
    "read_babi": "qa.data.babi",
    "read_corpus": "lm.data.corpus",
    "read_jsonl": "qa.data.jsonl",
    "read_stories": "qa.data",
    "read_world": "simulator.world_file",
    "simulate": "simulator",
    "solve": "rules",
    "variant": "qa.config",
    "write_babi": "qa.data.babi",
    "write_jsonl": "qa.data.jsonl",
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
