"""Tasks 1 to 3: answers that need one, two or three supporting facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.simulation import Simulation
from memn2n.simulator.story_writer import RECENCY_WEIGHTS

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter


def single_fact(writer: StoryWriter) -> None:
    """Task 1: where is a person?"""
    simulation = Simulation(writer)

    def ask() -> None:
        person = writer.recent(simulation.came)
        assert person is not None  # every sentence is about a person
        writer.ask("where_person", simulation.place[person], simulation.came[person], person=person)

    writer.alternate(simulation.move, ask)


def two_facts(writer: StoryWriter) -> None:
    """Task 2: where is an object that somebody carries or has dropped?"""
    simulation = Simulation(writer)

    def ask() -> None:
        known: dict[str, tuple[int, int]] = {}  # object -> its two supporting facts
        for thing, places in simulation.carried_to.items():
            if thing in simulation.dropped:
                dropped, came = simulation.dropped[thing]
                if came is not None:
                    known[thing] = (dropped, came)
            elif places:
                known[thing] = (simulation.taken[thing], places[-1][1])
        name = writer.recent({name: handled for name, (handled, _) in known.items()})
        if name is not None:
            place = simulation.place[simulation.carrier.get(name, name)]
            writer.ask("where_object", place, *known[name], object=name)

    writer.alternate(simulation.step, ask)


def three_facts(writer: StoryWriter) -> None:
    """Task 3: where was an object before it was in a place?"""
    simulation = Simulation(writer, get_there=0.2)

    def ask() -> None:
        known = {name: simulation.dropped[name][0] if name in simulation.dropped else simulation.taken[name]
                 for name, places in simulation.carried_to.items() if len(places) > 1}  # fmt: skip
        name = writer.recent(known)
        if name is None:
            return
        carried_to = simulation.carried_to[name]
        places = [place for place, _ in carried_to]
        # the last arrival at each place except the first, latest first
        arrivals = [index for index in range(len(places) - 1, 0, -1) if places[index] not in places[index + 1 :]]
        index = writer.rng.weighted(arrivals[: len(RECENCY_WEIGHTS)], RECENCY_WEIGHTS)
        (before, left), (place, came) = carried_to[index - 1 : index + 1]
        writer.ask("where_object_before", before, known[name], came, left, object=name, place=place)

    writer.alternate(simulation.step, ask)
