"""Parse sentences into statements and questions into typed questions, by patterns.

Verbs, prepositions and times of day are fixed words. Any word can be the name of a person, animal, place, object, shape
or colour: a name is recognised by its position in the pattern.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

from memn2n.errors import InputError
from memn2n.rules import questions, statements
from memn2n.rules.statements import OPPOSITE, AboutPeople
from memn2n.terminal import quoted
from memn2n.unicode_text import normal_form, without_question_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from memn2n.rules.questions import Question
    from memn2n.rules.statements import Relation, Statement

    _Slots = dict[str, str]

TIMES = ("yesterday", "this morning", "this afternoon", "this evening")
"""Times of day, earliest first."""

_T = TypeVar("_T")

_NAMES = {"who", "other", "receiver"}
"""Slots that begin with a capital letter in a statement or question."""

_WORDS = {
    "then": r"(?:(?:then|after that|afterwards|following that),? )?",
    "went": r"(?:went|went back|moved|journeyed|travelled)",
    "took": r"(?:got|took|grabbed|picked up)",
    "dropped": r"(?:dropped|left|put down|discarded)",
    "gave": r"(?:gave|handed|passed)",
    "time": "|".join(TIMES),
    "side": r"(?:to the )?(?P<side>(?:north|south|east|west|left|right)(?= of)|above|below)(?: of)?",
}


def singular(plural: str) -> str:
    """The singular of an English noun, by its ending: wolves, mice, geese, foxes, ponies, cats, sheep."""
    for ending, single in (("lves", "lf"), ("mice", "mouse"), ("eese", "oose"), ("xes", "x"), ("ies", "y"), ("s", "")):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + single
    return plural


def _who(slots: _Slots) -> tuple[str, ...]:
    return (slots["who"], slots["other"]) if slots.get("other") else (slots["who"],)


def _moved(slots: _Slots) -> Statement:
    return statements.Moved(_who(slots), slots["place"], (slots["time"] or slots["late"]).lower())


def _side(slots: _Slots) -> Relation:
    return cast("Relation", slots["side"].lower())


# <who> matches one word. <the place> matches "the" and one or more words; the slot "place" holds the words after "the".
_SENTENCES: dict[str, Callable[[_Slots], Statement]] = {
    "(?:(?P<time>{time}) )?{then}<who>(?: and <other>)? {went} to <the place>(?: (?P<late>{time}))?": _moved,
    "{then}<who> is in <the place>": lambda s: statements.Located(_who(s), (s["place"],)),
    "{then}<who> is (?:not|no longer) in <the place>": lambda s: statements.Located(
        _who(s), (s["place"],), inside=False
    ),
    "{then}<who> is either in <the place> or <the second>": lambda s: statements.Located(
        _who(s), (s["place"], s["second"])
    ),
    "{then}<who> {took} <the thing>(?: there)?": lambda s: statements.Took(_who(s), s["thing"]),
    "{then}<who> {dropped} <the thing>(?: there)?": lambda s: statements.Dropped(_who(s), s["thing"]),
    "{then}<who> {gave} <the thing> to <receiver>": lambda s: statements.Gave(_who(s), s["thing"], s["receiver"]),
    "<the first> is {side} <the second>": lambda s: statements.Related(s["first"], _side(s), s["second"]),
    "<the first> is bigger than <the second>": lambda s: statements.Related(s["first"], "bigger", s["second"]),
    "<the first> fits inside <the second>": lambda s: statements.Related(s["first"], "smaller", s["second"]),
    "<who> is an? <kind>": lambda s: statements.OfKind(s["who"], s["kind"].lower()),
    "<who> is <quality>": lambda s: statements.Described(_who(s), s["quality"].lower()),
    "<kind> are afraid of <feared>": lambda s: statements.Fears(
        singular(s["kind"].lower()), singular(s["feared"].lower())
    ),
}

_QUESTIONS: dict[str, Callable[[_Slots], Question]] = {
    "where is <the thing>": lambda s: questions.WhereIs(s["thing"]),
    "where is <who>": lambda s: questions.WhereIs(s["who"]),
    "where was <the thing> before <the place>": lambda s: questions.WhereBefore(s["thing"], s["place"]),
    "where was <who> before <the place>": lambda s: questions.WhereBefore(s["who"], s["place"]),
    "is <who> in <the place>": lambda s: questions.IsIn(s["who"], s["place"]),
    "what is <who> carrying": lambda s: questions.Carries(s["who"]),
    "how many objects is <who> carrying": lambda s: questions.Carries(s["who"], count=True),
    "what did <who> give to <receiver>": lambda s: questions.Gift("thing", s["who"], receiver=s["receiver"]),
    "who gave <the thing> to <receiver>": lambda s: questions.Gift("giver", thing=s["thing"], receiver=s["receiver"]),
    "who gave <the thing>": lambda s: questions.Gift("giver", thing=s["thing"]),
    "who received <the thing>": lambda s: questions.Gift("receiver", thing=s["thing"]),
    "who did <who> give <the thing> to": lambda s: questions.Gift("receiver", s["who"], s["thing"]),
    "what is {side} <the second>": lambda s: questions.WhatIs(_side(s), s["second"]),
    "what is <the first> {side}": lambda s: questions.WhatIs(OPPOSITE[_side(s)], s["first"]),
    "is <the first> {side} <the second>": lambda s: questions.IsRelated(s["first"], _side(s), s["second"]),
    "is <the first> bigger than <the second>": lambda s: questions.IsRelated(s["first"], "bigger", s["second"]),
    "does <the first> fit in <the second>": lambda s: questions.IsRelated(s["first"], "smaller", s["second"]),
    "how do you go from <the start> to <the goal>": lambda s: questions.Path(s["start"], s["goal"]),
    "what is <who> afraid of": lambda s: questions.AfraidOf(s["who"]),
    "what colou?r is <who>": lambda s: questions.ColourOf(s["who"]),
    "where will <who> go": lambda s: questions.WillGo(s["who"]),
    "why did <who> go to <the place>": lambda s: questions.Why(s["who"], place=s["place"]),
    "why did <who> get <the thing>": lambda s: questions.Why(s["who"], thing=s["thing"]),
}


def _pattern(form: str) -> re.Pattern[str]:
    form = re.sub(r"<the (\w+)>", r"the (?P<\1>\\w[\\w' -]*?)", form)
    form = re.sub(r"(?<!\?P)<(\w+)>", r"(?P<\1>\\w[\\w'-]*)", form)
    return re.compile(form.format(**_WORDS), re.IGNORECASE)


_SENTENCE_PATTERNS = [(_pattern(form), build) for form, build in _SENTENCES.items()]
_QUESTION_PATTERNS = [(_pattern(form), build) for form, build in _QUESTIONS.items()]


@lru_cache(maxsize=1 << 16)  # the same sentences occur in many stories
def parse_sentence(sentence: str) -> Statement:
    """Parse a sentence of a story. Pronouns stay as they are; ``resolve_pronouns`` replaces them.

    Raises:
        InputError: if the sentence matches no pattern.
    """
    return _parse(sentence, ".", _SENTENCE_PATTERNS, "sentence")


@lru_cache(maxsize=1 << 16)
def parse_question(question: str) -> Question:
    """Parse a question.

    Raises:
        InputError: if the question matches no pattern.
    """
    return _parse(question, "?", _QUESTION_PATTERNS, "question")


def resolve_pronouns(story: Iterable[Statement]) -> Iterator[Statement]:
    """Replace the pronouns in the statements of a story by names.

    "He" and "she" mean the person who was last named alone; "they" means the people who were last named. A statement
    whose pronoun has no person before it is left out.
    """
    meant: dict[tuple[str, ...], tuple[str, ...]] = {("He",): (), ("She",): (), ("They",): ()}
    for statement in story:
        if not isinstance(statement, AboutPeople):
            yield statement
        elif who := meant.get(statement.who, statement.who):
            meant[("They",)] = who
            if len(who) == 1:
                meant[("He",)] = meant[("She",)] = who
            yield replace(statement, who=who)


def _parse(text: str, mark: str, patterns: list[tuple[re.Pattern[str], Callable[[_Slots], _T]]], what: str) -> _T:
    form = " ".join(normal_form(text, lowercase=False).split())
    asked = without_question_mark(form) if mark == "?" else None
    bare = (form.removesuffix(mark) if asked is None else asked.lstrip("\"'“„«([")).rstrip()
    for pattern, build in patterns:
        if match := pattern.fullmatch(bare):
            slots = match.groupdict(default="")
            for name in slots.keys() & _NAMES:
                slots[name] = slots[name][:1].upper() + slots[name][1:]  # some questions write names in lower case
            return build(slots)
    raise InputError(f"the {what} {quoted(text)} is not in the English of the bAbI tasks")
