"""Tasks 9 to 14: where people are: not in a place, in one of two, with pronouns, together, and at times of day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.simulator.story_writer import MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.simulator.story_writer import StoryWriter


_MAYBE = 0.58
"""Probability that a question about a person who is in one of two places names one of the two."""


class _Whereabouts(NamedTuple):
    """The last statement about a person: they are in one of the places, or, if ``negated``, not in them."""

    position: int
    places: tuple[str, ...]
    negated: bool = False


class _Move(NamedTuple):
    """Where a person went, and the positions of the sentences from which this follows."""

    place: str
    facts: tuple[int, ...]


def negation(writer: StoryWriter) -> None:
    """Task 9: is a person in a place? Some sentences say where a person is not."""
    rng = writer.rng

    def state_uncertain(person: str, last: _Whereabouts | None) -> _Whereabouts:
        if last is not None and not last.negated:
            place = last.places[0]  # where the person was
        else:
            place = rng.choice([place for place in writer.world.places if last is None or place not in last.places])
        phrase = rng.choice(("not_in", "no_longer_in"))
        return _Whereabouts(writer.write(phrase, person=person, place=place), (place,), negated=True)

    _write_whereabouts(writer, state_uncertain)


def indefinite(writer: StoryWriter) -> None:
    """Task 10: is a person in a place? Some sentences say that a person is in one of two places."""
    rng = writer.rng

    def state_uncertain(person: str, _: _Whereabouts | None) -> _Whereabouts:
        place, other = rng.sample(writer.world.places, 2)
        return _Whereabouts(writer.write("either_in", person=person, place=place, other=other), (place, other))

    _write_whereabouts(writer, state_uncertain)


def _write_whereabouts(
    writer: StoryWriter, state_uncertain: Callable[[str, _Whereabouts | None], _Whereabouts]
) -> None:
    """Write sentences about moves (half of them), certain places (a quarter) and uncertain places (a quarter).

    ``state_uncertain`` writes one about an uncertain place, for a person and the last statement about them.
    """
    rng, world = writer.rng, writer.world
    last: dict[str, _Whereabouts] = {}

    def step() -> None:
        person = rng.choice(world.people)
        before = last.pop(person, None)
        phrase = rng.choice(("move", "move", "in", ""))
        if not phrase:
            last[person] = state_uncertain(person, before)
            return
        here = before.places if before is not None and len(before.places) == 1 and not before.negated else ()
        place = rng.choice([place for place in world.places if place not in here])
        verb = {"verb": rng.choice(world.moves)} if phrase == "move" else {}
        last[person] = _Whereabouts(writer.write(phrase, person=person, place=place, **verb), (place,))

    def ask() -> None:
        person = writer.recent({name: whereabouts.position for name, whereabouts in last.items()})
        assert person is not None  # every sentence is about a person
        position, places, negated = last[person]
        if negated:
            place, answer = places[0], writer.yes_or_no(False)
        elif rng.chance(_MAYBE if len(places) > 1 else 0.5):
            place = rng.choice(places)
            answer = writer.yes_or_no(True) if len(places) == 1 else world.phrases["maybe"]
        else:
            place = rng.choice([place for place in world.places if place not in places])
            answer = writer.yes_or_no(False)
        writer.ask("is_in", answer, position, person=person, place=place)

    writer.alternate(step, ask)


def coreference(writer: StoryWriter) -> None:
    """Task 11: every second sentence has a pronoun for the person of the sentence before."""
    _write_moves(writer, group=1, pronouns=True, weights=(10, 8, 2), max_age=5)


def conjunction(writer: StoryWriter) -> None:
    """Task 12: two people move together."""
    _write_moves(writer, group=2, pronouns=False, weights=(9, 9, 5, 2), max_age=3)


def compound_coreference(writer: StoryWriter) -> None:
    """Task 13: two people move together; every second sentence says "they"."""
    _write_moves(writer, group=2, pronouns=True, weights=(9, 9, 2, 1), max_age=3)


def _write_moves(writer: StoryWriter, group: int, pronouns: bool, weights: tuple[float, ...], max_age: int) -> None:
    """Write sentences about moves, and questions where a person is.

    Args:
        writer: writes the story.
        group: how many people move at once, 1 or 2.
        pronouns: whether every second sentence is about the same people as the one before, and names them by a pronoun.
        weights: relative probabilities that a question is about the person who moved last, last but one, and so on.
        max_age: questions are about people in the last ``max_age`` sentences.
    """
    rng, world = writer.rng, writer.world
    last: dict[str, _Move] = {}
    walking: list[str] = []

    def step() -> None:
        facts: tuple[int, ...] = ()
        same = pronouns and len(writer.story) % 2 == 1
        if not same:
            walking[:] = rng.sample(world.people, group)
        here = {last[name].place for name in walking if name in last}
        place = rng.choice([place for place in world.places if place not in here])
        verb = rng.choice(world.moves)
        if same:
            facts = last[walking[0]].facts
            pronoun = world.pronouns.get(walking[0], world.phrases["they"]) if group == 1 else world.phrases["they"]
            position = writer.write("then", then=rng.choice(world.thens), pronoun=pronoun, verb=verb, place=place)
        elif group == 1:
            position = writer.write("move", person=walking[0], verb=verb, place=place)
        else:
            position = writer.write("together", person=walking[0], other=walking[1], verb=verb, place=place)
        for name in walking:
            last[name] = _Move(place, (*facts, position))

    def ask() -> None:
        person = writer.recent({name: move.facts[-1] for name, move in last.items()}, weights, max_age)
        assert person is not None  # every sentence is about a person
        writer.ask("where_person", last[person].place, *last[person].facts, person=person)

    writer.alternate(step, ask)


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
        recent = [(name, time) for name, time in moves[-MAX_AGE:]
                  if time and places[name][time] not in places[name][time + 1 :]]  # fmt: skip
        if not recent:
            return
        person, time = rng.choice(recent)
        before, place = places[person][time - 1 : time + 1]
        writer.ask(
            "where_person_before", before, facts[person, time], facts[person, time - 1], person=person, place=place
        )

    writer.alternate(step, ask)
