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
        one = max(simulate(task=task, n_train=_QUESTIONS, n_test=0, seed=seed).train, key=_preference)
        shown.append({"task": task, "skill": skill.name.replace("-", " "), "story": one.story, "question": one.question,
                      "answer": one.answer, "support": one.support})  # fmt: skip
    return shown


def _preference(example: Example) -> int:
    """A key that prefers the longest story of up to ``_SENTENCES``, else the shortest story."""
    length = len(example.story)
    return length if length <= _SENTENCES else -length
