"""Tasks 9 and 10: what is denied, and what is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.simulator.scene import lately, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.simulator.teller import Teller

_MAYBE = 0.58
"""How often a question about somebody of whom two places are told names one of these."""


class _Told(NamedTuple):
    """What was last said of somebody: where they are, may be, or are not."""

    position: int
    places: tuple[str, ...]
    denied: bool = False


def negation(teller: Teller) -> None:
    """Task 9: is somebody at some place, when it may have been denied?"""
    dice = teller.dice

    def unsure(person: str, told: _Told | None) -> _Told:
        if told is not None and not told.denied:
            place = told.places[0]  # where they were
        else:
            place = dice.one([place for place in teller.world.places if told is None or place not in told.places])
        phrase = dice.one(("not_in", "no_longer_in"))
        return _Told(teller.say(phrase, person=person, place=place), (place,), denied=True)

    _tell_whereabouts(teller, unsure)


def indefinite(teller: Teller) -> None:
    """Task 10: is somebody at some place, when it may be one of two?"""
    dice = teller.dice

    def unsure(person: str, _: _Told | None) -> _Told:
        place, other = dice.some(teller.world.places, 2)
        return _Told(teller.say("either_in", person=person, place=place, other=other), (place, other))

    _tell_whereabouts(teller, unsure)


def _tell_whereabouts(teller: Teller, unsure: Callable[[str, _Told | None], _Told]) -> None:
    """People move; every second sentence says where they are instead, half of those by ``unsure``."""
    dice, world = teller.dice, teller.world
    last: dict[str, _Told] = {}

    def step() -> None:
        person = dice.one(world.people)
        told = last.pop(person, None)
        form = dice.one(("move", "move", "in", ""))
        if not form:
            last[person] = unsure(person, told)
            return
        here = told.places if told is not None and len(told.places) == 1 and not told.denied else ()
        place = dice.one([place for place in world.places if place not in here])
        verb = {"verb": dice.one(world.moves)} if form == "move" else {}
        last[person] = _Told(teller.say(form, person=person, place=place, **verb), (place,))

    def ask() -> None:
        person = lately(teller, {name: told.position for name, told in last.items()})
        assert person is not None  # every sentence tells of somebody
        position, places, denied = last[person]
        if denied:
            place, answer = places[0], teller.answer(False)
        elif dice.chance(_MAYBE if len(places) > 1 else 0.5):
            place = dice.one(places)
            answer = teller.answer(True) if len(places) == 1 else world.phrases["maybe"]
        else:
            place = dice.one([place for place in world.places if place not in places])
            answer = teller.answer(False)
        teller.ask("is_in", answer, position, person=person, place=place)

    tell(teller, step, ask)
