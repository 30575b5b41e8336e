"""Task 14: moves at times of day, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.story_writer import MAX_AGE

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter


def time_order(writer: StoryWriter) -> None:
    """Task 14: where was a person before they were in a place, if the story may state the later move first?

    Each sentence states a person's place at their next time of day. The sentences between two questions are reordered
    so that none keeps its position.
    """
    rng, world = writer.rng, writer.world
    places: dict[str, list[str]] = {}  # person -> place at each time of day, earliest first
    facts: dict[tuple[str, int], int] = {}  # person and time -> position of the sentence that states the place
    moves: list[tuple[str, int]] = []  # person and time of each move
    unwritten: list[tuple[str, int]] = []  # those since the last question

    def step() -> None:
        free = [name for name in world.people if len(places.get(name, ())) < len(world.times)]
        if not free:
            return
        person = rng.choice(free)
        day = places.setdefault(person, [])
        unwritten.append((person, len(day)))
        moves.append((person, len(day)))
        day.append(rng.choice([place for place in world.places if not day or place != day[-1]]))

    def ask() -> None:
        if all(len(day) < 2 for day in places.values()):
            return
        for person, time in rng.deranged(unwritten):
            phrase = rng.choice(("time_first", "time_last"))
            place, verb = places[person][time], rng.choice(world.moves)
            facts[person, time] = writer.write(phrase, person=person, time=world.times[time], place=place, verb=verb)
        unwritten.clear()
        recent = [(name, time) for name, time in moves[-MAX_AGE:] if time and not _returned(places[name], time)]
        if not recent:
            return
        person, time = rng.choice(recent)
        before, place = places[person][time - 1 : time + 1]
        writer.ask(
            "where_person_before", before, facts[person, time], facts[person, time - 1], person=person, place=place
        )

    writer.alternate(step, ask)


def _returned(day: list[str], time: int) -> bool:
    """Whether the place at a time is visited again later."""
    return day[time] in day[time + 1 :]
