"""Tasks 11 to 14: who "she" and "they" are, people who go together, and what came before what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.simulator.scene import LATE, lately, tell

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller

_RECENT_ONE = (10, 8, 2)
_RECENT_TWO = (9, 9, 5, 2)
_RECENT_THEY = (9, 9, 2, 1)
"""How likely somebody is to be asked about, from who moved last back, in tasks 11, 12 and 13."""


class _Move(NamedTuple):
    """Where somebody went, and the sentences from which that follows."""

    place: str
    facts: tuple[int, ...]


def coreference(teller: Teller) -> None:
    """Task 11: a pronoun stands for whom the sentence before it names."""
    _walks(teller, group=1, again=True, recent=_RECENT_ONE, late=5)


def conjunction(teller: Teller) -> None:
    """Task 12: two people move together."""
    _walks(teller, group=2, again=False, recent=_RECENT_TWO, late=3)


def compound_coreference(teller: Teller) -> None:
    """Task 13: "they" stands for both whom the sentence before it names."""
    _walks(teller, group=2, again=True, recent=_RECENT_THEY, late=3)


def _walks(teller: Teller, group: int, again: bool, recent: tuple[float, ...], late: int) -> None:
    """So many people move at a time; if ``again``, every second sentence moves the same ones on, as a pronoun."""
    dice, world = teller.dice, teller.world
    last: dict[str, _Move] = {}
    walking: list[str] = []

    def elsewhere(people: list[str]) -> str:
        known = {last[name].place for name in people if name in last}
        return dice.one([place for place in world.places if place not in known])

    def step() -> None:
        facts: tuple[int, ...] = ()
        on = again and len(teller.story) % 2 == 1
        if not on:
            walking[:] = dice.some(world.people, group)
        place, verb = elsewhere(walking), dice.one(world.moves)
        if on:
            facts = last[walking[0]].facts
            pronoun = world.pronouns.get(walking[0], world.phrases["they"]) if group == 1 else world.phrases["they"]
            position = teller.say("then", then=dice.one(world.thens), pronoun=pronoun, verb=verb, place=place)
        elif group == 1:
            position = teller.say("move", person=walking[0], verb=verb, place=place)
        else:
            position = teller.say("together", person=walking[0], other=walking[1], verb=verb, place=place)
        for name in walking:
            last[name] = _Move(place, (*facts, position))

    def ask() -> None:
        person = lately(teller, {name: move.facts[-1] for name, move in last.items()}, recent, late)
        assert person is not None  # every sentence tells of somebody
        teller.ask("where_person", last[person].place, *last[person].facts, person=person)

    tell(teller, step, ask)


def times(teller: Teller) -> None:
    """Task 14: where was somebody before they were at some place, when the story may tell the later before the earlier?

    Each sentence tells where somebody was at their next time of day; between two questions none stands in its place.
    """
    dice, world = teller.dice, teller.world
    days: dict[str, list[_Move]] = {}  # person -> where they were at each time, from the earliest on
    steps: list[tuple[str, int]] = []  # person and number of the time, as they come
    waiting: list[tuple[str, int]] = []  # those that are to be told

    def step() -> None:
        free = [name for name in world.people if len(days.get(name, ())) < len(world.times)]
        if not free:
            return
        person = dice.one(free)
        day = days.pop(person, [])
        place = dice.one([place for place in world.places if not day or place != day[-1].place])
        waiting.append((person, len(day)))
        steps.append((person, len(day)))
        days[person] = [*day, _Move(place, ())]

    def ask() -> None:
        if all(len(day) < 2 for day in days.values()):
            return
        for person, time in dice.turned(waiting):
            phrase = dice.one(("time_first", "time_last"))
            place = days[person][time].place
            told = teller.say(phrase, person=person, time=world.times[time], place=place, verb=dice.one(world.moves))
            days[person][time] = _Move(place, (told,))
        waiting.clear()
        late = [(name, time) for name, time in steps[-LATE:] if time and _is_last(days[name], time)]
        if not late:
            return
        person, time = dice.one(late)
        day = days[person]
        place, before = day[time].place, day[time - 1]
        teller.ask("where_person_before", before.place, *day[time].facts, *before.facts, person=person, place=place)

    tell(teller, step, ask)


def _is_last(day: list[_Move], time: int) -> bool:
    """Whether somebody was never again where they were at a time."""
    return all(day[time].place != move.place for move in day[time + 1 :])
