"""Tasks 6 to 8: yes/no questions about places, and the number and the list of the objects that a person carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.simulation import Simulation

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter


def yes_or_no(writer: StoryWriter) -> None:
    """Task 6: is a person in a place?"""
    simulation = Simulation(writer)
    rng = writer.rng

    def ask() -> None:
        person = writer.recent(simulation.came)
        if person is None:
            return
        here = simulation.place[person]
        truth = rng.chance(0.5)
        place = here if truth else rng.choice([place for place in writer.world.places if place != here])
        writer.ask("is_in", writer.yes_or_no(truth), simulation.came[person], person=person, place=place)

    writer.alternate(simulation.step, ask)


def counting(writer: StoryWriter) -> None:
    """Task 7: how many objects does a person carry?"""
    simulation = Simulation(writer, giving=True)

    def ask() -> None:
        person = writer.recent(simulation.acted)
        if person is None:
            return
        number = sum(carrier == person for carrier in simulation.carrier.values())
        facts = sorted(position for positions in simulation.handled[person].values() for position in positions)
        writer.ask("how_many", writer.world.numbers[number], *facts, person=person)

    writer.alternate(simulation.step, ask)


def lists(writer: StoryWriter) -> None:
    """Task 8: which objects does a person carry? The list is in the order in which the person first had each."""
    simulation = Simulation(writer)

    def ask() -> None:
        person = writer.recent(simulation.acted)
        if person is None:
            return
        things = simulation.handled[person]
        carried = [name for name in things if simulation.carrier.get(name) == person]
        facts = (position for positions in things.values() for position in positions)
        writer.ask("what_carried", ",".join(carried) or writer.world.phrases["nothing"], *facts, person=person)

    writer.alternate(simulation.step, ask)
