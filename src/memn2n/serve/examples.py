"""Simulated stories to try a model with, one for each skill."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from memn2n.simulator import SKILLS, simulate

if TYPE_CHECKING:
    from memn2n.qa.stories import Example

_QUESTIONS = 4
"""Questions that are simulated for each skill; one of them is shown."""

_SENTENCES = 20
"""Longer stories are shown only if all stories of the skill are longer."""


@lru_cache(16)
def examples(seed: int) -> list[dict[str, Any]]:
    """One example of each of the 20 skills, as ``schemas.StoryExample``."""
    shown = []
    for task, skill in SKILLS.items():
        train = simulate(task=task, n_train=_QUESTIONS, n_test=0, seed=seed).train
        shown.append(_example(task, skill.name, max(train, key=_preference)))
    return shown


def _preference(example: Example) -> int:
    """A key that prefers the longest story of up to ``_SENTENCES``, else the shortest story."""
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
