"""Tasks 6 to 8: yes or no, how many, and which, of people among objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.scene import Scene, lately, tell

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller


def yes_or_no(teller: Teller) -> None:
    """Task 6: is somebody at some place?"""
    scene = Scene(teller)
    dice = teller.dice

    def ask() -> None:
        person = lately(teller, scene.came)
        if person is None:
            return
        here = scene.place[person]
        truth = dice.chance(0.5)
        place = here if truth else dice.one([place for place in teller.world.places if place != here])
        teller.ask("is_in", teller.answer(truth), scene.came[person], person=person, place=place)

    tell(teller, scene.step, ask)


def counting(teller: Teller) -> None:
    """Task 7: how many objects does somebody carry?"""
    scene = Scene(teller, giving=True)

    def ask() -> None:
        person = lately(teller, scene.acted)
        if person is None:
            return
        number = sum(carrier == person for carrier in scene.carrier.values())
        facts = sorted(position for positions in scene.handled[person].values() for position in positions)
        teller.ask("how_many", teller.world.numbers[number], *facts, person=person)

    tell(teller, scene.step, ask)


def lists(teller: Teller) -> None:
    """Task 8: which objects does somebody carry? In the order in which they first had them."""
    scene = Scene(teller)

    def ask() -> None:
        person = lately(teller, scene.acted)
        if person is None:
            return
        things = scene.handled[person]
        carried = [name for name in things if scene.carrier.get(name) == person]
        facts = (position for positions in things.values() for position in positions)
        teller.ask("what_carried", ",".join(carried) or teller.world.phrases["nothing"], *facts, person=person)

    tell(teller, scene.step, ask)
