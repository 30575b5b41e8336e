"""Answer a question about a story from its text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.qa.stories import check_question
from memn2n.rules import questions
from memn2n.rules.coreference import resolve
from memn2n.rules.giving import gift
from memn2n.rules.kinds import afraid_of, colour_of
from memn2n.rules.motives import why, will_go
from memn2n.rules.reading import read_question, read_sentence
from memn2n.rules.relations import is_related, neighbour, path
from memn2n.rules.whereabouts import World

if TYPE_CHECKING:
    from collections.abc import Sequence


def solve(story: Sequence[str], question: str) -> str | None:
    """Answer a question of the 20 bAbI tasks by rules.

    Args:
        story: its sentences, oldest first.
        question: of whichever task; none is told.

    Returns:
        The answer as the bAbI files spell it ("football", "milk,apple", "s,e", "maybe", "none", "two"), or None
        where the story does not decide it.

    Raises:
        InputError: if there is no story, or a sentence or the question is not of the tasks' English.
    """
    check_question(story, question)
    facts = list(resolve(read_sentence(sentence) for sentence in story))
    match read_question(question):
        case questions.WhereIs() as asked:
            return World(facts).where(asked)
        case questions.WhereBefore() as asked:
            return World(facts).where_before(asked)
        case questions.IsIn() as asked:
            return World(facts).is_in(asked)
        case questions.Carries() as asked:
            return World(facts).carries(asked)
        case questions.Gift() as asked:
            return gift(facts, asked)
        case questions.WhatIs() as asked:
            return neighbour(facts, asked)
        case questions.IsRelated() as asked:
            return is_related(facts, asked)
        case questions.Path() as asked:
            return path(facts, asked)
        case questions.AfraidOf() as asked:
            return afraid_of(facts, asked)
        case questions.ColourOf() as asked:
            return colour_of(facts, asked)
        case questions.WillGo() as asked:
            return will_go(facts, asked)
        case questions.Why() as asked:
            return why(facts, asked)
