"""Tasks 1 to 3: answers that follow from one, two or three supporting facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.scene import RECENT, Scene, lately, tell

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller


def single_fact(teller: Teller) -> None:
    """Task 1: where is somebody?"""
    scene = Scene(teller)

    def ask() -> None:
        person = lately(teller, scene.came)
        assert person is not None  # every sentence tells of somebody
        teller.ask("where_person", scene.place[person], scene.came[person], person=person)

    tell(teller, scene.move, ask)


def two_facts(teller: Teller) -> None:
    """Task 2: where is an object, that somebody carries or has dropped?"""
    scene = Scene(teller)

    def ask() -> None:
        known: dict[str, tuple[int, int]] = {}  # object -> the two facts
        for thing, way in scene.way.items():
            if thing in scene.dropped:
                dropped, came = scene.dropped[thing]
                if came is not None:
                    known[thing] = (dropped, came)
            elif way:
                known[thing] = (scene.taken[thing], way[-1][1])
        name = lately(teller, {name: handled for name, (handled, _) in known.items()})
        if name is not None:
            place = scene.place[scene.carrier.get(name, name)]
            teller.ask("where_object", place, *known[name], object=name)

    tell(teller, scene.step, ask)


def three_facts(teller: Teller) -> None:
    """Task 3: where was an object before it was at some place?"""
    scene = Scene(teller, there=0.2)

    def ask() -> None:
        known = {name: scene.dropped[name][0] if name in scene.dropped else scene.taken[name]
                 for name, way in scene.way.items() if len(way) > 1}  # fmt: skip
        name = lately(teller, known)
        if name is None:
            return
        way = scene.way[name]
        places = [place for place, _ in way]
        # positions in the way where the object was at a place for the last time, from the end
        stages = [index for index in range(len(way) - 1, 0, -1) if places[index] not in places[index + 1 :]]
        index = teller.dice.weighted(stages[: len(RECENT)], RECENT)
        (before, left), (place, came) = way[index - 1 : index + 1]
        teller.ask("where_object_before", before, known[name], came, left, object=name, place=place)

    tell(teller, scene.step, ask)
