"""Warnings about training data of which a training cannot use a part."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from memn2n.errors import DataWarning
from memn2n.terminal import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memn2n.qa.batch import Longs
    from memn2n.qa.stories import Example, StorySet
    from memn2n.qa.vocabulary import Vocabulary

_NAMED = 5
"""At most this many tasks or answers are named in a warning."""
_CALLER = 5
"""The warning's place is the call of ``StoryQA.fit``."""


def warn_of_long_stories(stories: StorySet, memory_size: int) -> None:
    """Warn with a DataWarning of stories with more sentences than the memory holds, with their number in each task."""
    long = np.diff(stories.story_start) > memory_size
    if not long.any():
        return
    parts = []
    for task, label in enumerate(stories.tasks):
        of_task = long[stories.task == task]
        if of_task.any():
            parts.append(f"{of_task.sum()} of {len(of_task)} stories" + (f" of task {label}" if label else ""))
    if len(parts) > _NAMED:
        parts = [f"{long.sum()} of {len(long)} stories"]
    _warn(f"{', '.join(parts)} are longer than the memory, which holds {memory_size} sentences: only the last "
          f"{memory_size} sentences are used; a larger memory_size uses more")  # fmt: skip


def warn_of_untrained_answers(
    stories: StorySet, examples: Longs, held_out: Longs, text_of: Callable[[int], str]
) -> None:
    """Warn with a DataWarning of answers that only questions held out for validation have.

    Args:
        stories: the training data.
        examples: positions of the questions to train on.
        held_out: positions of the questions held out.
        text_of: position of a question -> its answer.
    """
    answers, first = np.unique(stories.answer[held_out], return_index=True)
    only = first[np.isin(answers, stories.answer[examples], invert=True)]
    if len(only):
        named = ", ".join(repr(text_of(int(held_out[i]))) for i in only[:_NAMED])
        more = f" and {len(only) - _NAMED} more" if len(only) > _NAMED else ""
        _warn(f"only questions that are held out for validation have the answer {named}{more}: the network does not "
              "learn it; give validation data, or hold out other questions (validation_split)")  # fmt: skip


def warn_of_unknown_words(examples: Iterable[Example], vocabulary: Vocabulary) -> None:
    """Warn with a DataWarning of words in training data that a vocabulary does not have."""
    texts = dict.fromkeys(text for example in examples for text in (*example.story, *example.values, example.question))
    unknown = dict.fromkeys(word for text in texts for word in vocabulary.unknown_words(text))
    if unknown:
        _warn(f"the model that the training goes on from does not know {listed(unknown)}: unknown words are ignored; "
              "train a new model to learn them")  # fmt: skip


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=_CALLER)
