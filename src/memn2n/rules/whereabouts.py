"""Where people and things are, were, and who carries what: the story played from its first sentence to its last."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from memn2n.rules.facts import Dropped, Gave, Moved, Stated, Took
from memn2n.rules.reading import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.rules.facts import Fact
    from memn2n.rules.questions import Carries, IsIn, WhereBefore, WhereIs

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Spot(NamedTuple):
    """Somewhere: in one of the places; where ``inside`` is false, in none of them."""

    places: tuple[str, ...]
    inside: bool = True

    @property
    def certain(self) -> str | None:
        """The place, where only one is possible."""
        return self.places[0] if self.inside and len(self.places) == 1 else None


class World:
    """What is known after a story.

    Args:
        facts: the story's facts, in its order. Those that tell a time of day are taken by that time instead, and
            those without one after them.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._trail: dict[str, list[Spot]] = defaultdict(list)  # of people and things: each spot where they came
        self._had: dict[str, dict[str, None]] = defaultdict(dict)  # what a person ever had, in the order of first times
        self._holder: dict[str, str] = {}
        for fact in sorted(facts, key=_hour):
            self._play(fact)

    def where(self, question: WhereIs) -> str | None:
        """The place where somebody or something is, where it is certain."""
        trail = self._trail.get(question.what)
        return trail[-1].certain if trail else None

    def where_before(self, question: WhereBefore) -> str | None:
        """The place from which somebody or something came the last time that it got to the named place."""
        trail = self._trail.get(question.what, [])
        visits = [step for step, spot in enumerate(trail) if spot.certain == question.place]
        return trail[visits[-1] - 1].certain if visits and visits[-1] > 0 else None

    def is_in(self, question: IsIn) -> str | None:
        """Yes, no, or maybe if the place is one of several; None if all that is known is where else they are not."""
        trail = self._trail.get(question.what)
        if not trail:
            return None
        places, inside = trail[-1]
        if question.place not in places:
            return "no" if inside else None
        return "no" if not inside else "yes" if len(places) == 1 else "maybe"

    def carries(self, question: Carries) -> str | None:
        """The things, in the order in which the person first got each, even if dropped in between; or their number."""
        if question.person not in self._had and question.person not in self._trail:
            return None
        things = self._carried_by(question.person)
        if question.count:
            return _NUMBERS[len(things)] if len(things) < len(_NUMBERS) else None
        return ",".join(things) or "nothing"

    def _play(self, fact: Fact) -> None:
        match fact:
            case Moved(who, place):
                self._go(who, Spot((place,)))
            case Stated(who, places, holds):
                self._go(who, Spot(places, holds))
            case Took(who, thing):
                self._meet(thing, who[0])
                self._hand(thing, who[0])
            case Dropped(who, thing):
                self._meet(thing, who[0])
                self._holder.pop(thing, None)
            case Gave(who, thing, receiver):
                self._meet(thing, who[0])
                self._hand(thing, receiver)

    def _go(self, people: Iterable[str], spot: Spot) -> None:
        for person in people:
            for traveller in (person, *self._carried_by(person)):
                self._arrive(traveller, spot)

    def _carried_by(self, person: str) -> list[str]:
        return [thing for thing in self._had.get(person, ()) if self._holder.get(thing) == person]

    def _hand(self, thing: str, person: str) -> None:
        self._had[person].setdefault(thing)
        self._holder[thing] = person

    def _meet(self, thing: str, person: str) -> None:
        trail = self._trail.get(person)
        if trail and trail[-1].certain:  # otherwise the thing's own last spot says more
            self._arrive(thing, trail[-1])

    def _arrive(self, traveller: str, spot: Spot) -> None:
        trail = self._trail[traveller]
        if not trail or trail[-1] != spot:
            trail.append(spot)


def _hour(fact: Fact) -> int:
    return TIMES.index(fact.time) if isinstance(fact, Moved) and fact.time else len(TIMES)
