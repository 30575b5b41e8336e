"""Tasks 9 and 10: statements that a person is not in a place, or in one of two places."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

    Args:
        writer: writes the story.
        state_uncertain: writes a sentence about an uncertain place, for a person and the last statement about them.
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
