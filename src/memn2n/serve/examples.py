"""A simulated story of each skill, to try a model with."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from memn2n.simulator import SKILLS, simulate

if TYPE_CHECKING:
    from memn2n.qa.stories import Example

_QUESTIONS = 4
"""How many are simulated of each skill, for one to be shown."""

_SENTENCES = 20
"""A story of more is not shown where there is another."""


@lru_cache(16)
def examples(seed: int) -> list[dict[str, Any]]:
    """One of each skill: task, skill, story, question, answer, and the positions of the supporting facts."""
    shown = []
    for task, skill in SKILLS.items():
        train = simulate(task=task, n_train=_QUESTIONS, n_test=0, seed=seed).train
        shown.append(_example(task, skill.name, max(train, key=_preference)))
    return shown


def _preference(example: Example) -> int:
    """The longest story that is not too long, else the shortest."""
    length = len(example.story)
    return length if length <= _SENTENCES else -length


def _example(task: int, skill: str, example: Example) -> dict[str, Any]:
    return {
        "task": task,
        "skill": skill.replace("-", " "),
        "story": example.story,
        "question": example.question,
        "answer": example.answer,
        "support": example.support,
    }
