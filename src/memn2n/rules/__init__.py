"""Answers the questions of the 20 bAbI tasks from the text by rules: an oracle to check stories and models against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.qa.stories import as_tuple, check_question
from memn2n.rules import inference, questions, relation_graph
from memn2n.rules.parsing import parse_question, parse_sentence, resolve_pronouns
from memn2n.rules.story_state import StoryState, last_gift

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parse_question", "parse_sentence", "solve"]


def solve(story: Iterable[str], question: str) -> str | None:
    """Answer a question of the 20 bAbI tasks by rules; nothing is learned.

    Args:
        story: the sentences, oldest first.
        question: a question of any of the tasks; the task's number is not needed.

    Returns:
        The answer as the bAbI files spell it ("football", "milk,apple", "s,e", "maybe", "none", "two"), or None if the
        story does not determine it, or contradicts itself.

    Raises:
        InputError: if the story is empty, a sentence is blank, or a sentence or the question is not in the English of
            the bAbI tasks.
    """
    story = as_tuple(story)
    check_question(story, question)
    statements = list(resolve_pronouns(parse_sentence(sentence) for sentence in story))
    match parse_question(question):
        case questions.WhereIs() as asked:
            return StoryState(statements).where(asked)
        case questions.WhereBefore() as asked:
            return StoryState(statements).where_before(asked)
        case questions.IsIn() as asked:
            return StoryState(statements).is_in(asked)
        case questions.Carries() as asked:
            return StoryState(statements).carries(asked)
        case questions.Gift() as asked:
            return last_gift(statements, asked)
        case questions.WhatIs() as asked:
            return relation_graph.neighbour(statements, asked)
        case questions.IsRelated() as asked:
            return relation_graph.is_related(statements, asked)
        case questions.Path() as asked:
            return relation_graph.shortest_path(statements, asked)
        case questions.AfraidOf() as asked:
            return inference.afraid_of(statements, asked)
        case questions.ColourOf() as asked:
            return inference.colour_of(statements, asked)
        case questions.WillGo() as asked:
            return inference.will_go(statements, asked)
        case questions.Why() as asked:
            return inference.why(statements, asked)
