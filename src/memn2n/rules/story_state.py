"""Answer where people and objects are and were, who carries what, and who gave what to whom."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from memn2n.rules.parsing import TIMES
from memn2n.rules.statements import Dropped, Gave, Located, Moved, Took

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memn2n.rules.questions import Carries, Gift, IsIn, WhereBefore, WhereIs
    from memn2n.rules.statements import Statement

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class _Location(NamedTuple):
    """In one of the places, or, if ``inside`` is false, in none of them."""

    places: tuple[str, ...]
    inside: bool = True

    @property
    def certain(self) -> str | None:
        """The place, if only one is possible."""
        return self.places[0] if self.inside and len(self.places) == 1 else None


class StoryState:
    """What is known at the end of a story.

    Args:
        statements: the statements of the story, in order. Those with a time of day are sorted by it; all others come
            after them.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._history: dict[str, list[_Location]] = defaultdict(list)  # person or object -> its locations, in order
        self._held: dict[str, dict[str, None]] = defaultdict(dict)  # person -> all objects ever held, in order
        self._holder: dict[str, str] = {}  # object -> the person who holds it now
        for statement in sorted(statements, key=_hour):
            self._apply(statement)

    def where(self, question: WhereIs) -> str | None:
        """The place of a person or object; None if it is not certain."""
        history = self._history.get(question.what)
        return history[-1].certain if history else None

    def where_before(self, question: WhereBefore) -> str | None:
        """The place of a person or object before its last arrival at the named place."""
        history = self._history.get(question.what, [])
        arrivals = [step for step, location in enumerate(history) if location.certain == question.place]
        return history[arrivals[-1] - 1].certain if arrivals and arrivals[-1] > 0 else None

    def is_in(self, question: IsIn) -> str | None:
        """Yes, no, or maybe.

        Maybe if the place is one of several; None if it is only known that the person is not in some other place.
        """
        history = self._history.get(question.what)
        if not history:
            return None
        places, inside = history[-1]
        if question.place not in places:
            return "no" if inside else None
        return "no" if not inside else "yes" if len(places) == 1 else "maybe"

    def carries(self, question: Carries) -> str | None:
        """The objects that a person carries, or their number.

        The list is in the order in which the person first got each object, even if it was dropped in between.
        """
        if question.person not in self._held and question.person not in self._history:
            return None
        things = self._carried_by(question.person)
        if question.count:
            return _NUMBERS[len(things)] if len(things) < len(_NUMBERS) else None
        return ",".join(things) or "nothing"

    def _apply(self, statement: Statement) -> None:
        match statement:
            case Moved(who, place):
                self._move(who, _Location((place,)))
            case Located(who, places, inside):
                self._move(who, _Location(places, inside))
            case Took(who, thing):
                self._locate(thing, who[0])
                self._hand(thing, who[0])
            case Dropped(who, thing):
                self._locate(thing, who[0])
                self._holder.pop(thing, None)
            case Gave(who, thing, receiver):
                self._locate(thing, who[0])
                self._hand(thing, receiver)

    def _move(self, people: Iterable[str], location: _Location) -> None:
        for person in people:
            for moved in (person, *self._carried_by(person)):
                self._add_location(moved, location)

    def _carried_by(self, person: str) -> list[str]:
        return [thing for thing in self._held.get(person, ()) if self._holder.get(thing) == person]

    def _hand(self, thing: str, person: str) -> None:
        self._held[person].setdefault(thing)
        self._holder[thing] = person

    def _locate(self, thing: str, person: str) -> None:
        """Record that an object is where a person is; if that is not certain, the object's last location stays."""
        history = self._history.get(person)
        if history and history[-1].certain:
            self._add_location(thing, history[-1])

    def _add_location(self, name: str, location: _Location) -> None:
        history = self._history[name]
        if not history or history[-1] != location:
            history.append(location)


def last_gift(statements: Sequence[Statement], question: Gift) -> str | None:
    """The part that the question asks for, of the last gift that has all the parts that it names."""
    for statement in reversed(statements):
        if isinstance(statement, Gave):
            parts = {"giver": statement.who[0], "thing": statement.thing, "receiver": statement.receiver}
            named = {"giver": question.giver, "thing": question.thing, "receiver": question.receiver}
            if all(name in (None, parts[part]) for part, name in named.items()):
                return parts[question.asked]
    return None


def _hour(statement: Statement) -> int:
    return TIMES.index(statement.time) if isinstance(statement, Moved) and statement.time else len(TIMES)
