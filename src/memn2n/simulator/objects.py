"""Tasks 1 to 3 and 5 to 8: where people and objects are, who carries what, and who gave what to whom."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from memn2n.simulator.simulation import Simulation
from memn2n.simulator.story_writer import MAX_AGE, RECENCY_WEIGHTS

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter

_LAST_GIFT = 0.984
"""Probability that a question is about the last gift; otherwise it is about any gift."""

_GIFT_QUESTIONS = {
    "what_given": ("object", ("person", "receiver")),
    "who_gave": ("person", ("object",)),
    "given_to_whom": ("receiver", ("person", "object")),
    "who_received": ("receiver", ("object",)),
    "who_gave_to": ("person", ("object", "receiver")),
}
"""Question -> (the part of a gift that it asks for, the parts that it names)."""

_GIFT_WEIGHTS = (2, 1, 1, 1, 1)


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


def three_arguments(writer: StoryWriter) -> None:
    """Task 5: who gave what to whom?"""
    simulation = Simulation(writer, giving=True)
    rng = writer.rng

    def ask() -> None:
        gifts = simulation.gifts
        if not gifts or len(writer.story) - gifts[-1].position > MAX_AGE:
            return
        chosen = gifts[-1] if rng.chance(_LAST_GIFT) else rng.choice(gifts)
        phrase = rng.weighted([*_GIFT_QUESTIONS], _GIFT_WEIGHTS)
        asked, named = _GIFT_QUESTIONS[phrase]
        known = {part: getattr(chosen, part) for part in named}
        gift = next(gift for gift in reversed(gifts) if known.items() <= gift._asdict().items())  # the last that fits
        writer.ask(phrase, getattr(gift, asked), gift.position, **known)

    writer.alternate(simulation.step, ask)


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
        number = [*simulation.carrier.values()].count(person)
        facts = sorted(chain.from_iterable(simulation.handled[person].values()))
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
        facts = chain.from_iterable(things.values())
        writer.ask("what_carried", ",".join(carried) or writer.world.phrases["nothing"], *facts, person=person)

    writer.alternate(simulation.step, ask)
