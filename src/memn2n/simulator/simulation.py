"""Simulate people who move between places and take, carry, drop and give objects (tasks 1 to 3 and 5 to 8)."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.simulator.story_writer import StoryWriter

_GIVE_WEIGHT = 4
"""Giving an object away is this many times as probable as dropping it, if somebody is there to receive it."""

_DROP_THERE = 0.2
"""Probability that a sentence about dropping an object ends in "there"."""


class Given(NamedTuple):
    """A person gave an object to a receiver; ``position`` is that of the sentence that says so."""

    position: int
    person: str
    object: str
    receiver: str


class Simulation:
    """Where people and objects are, and which sentences of the story say so.

    The attributes that hold sentences hold their positions in the story.

    Args:
        writer: writes the story.
        get_there: probability that a sentence about taking an object ends in "there".
        giving: whether people give objects to each other.
    """

    def __init__(self, writer: StoryWriter, get_there: float = 1, giving: bool = False) -> None:
        self.writer, self.world, self.rng = writer, writer.world, writer.rng
        self.get_there = get_there
        self.giving = giving
        self.place = {name: self.rng.choice(self.world.places) for name in (*self.world.people, *self.world.objects)}
        """Person, or object that nobody carries -> its place. At first no sentence states it."""
        self.carrier: dict[str, str] = {}
        """Object -> the person who carries it."""
        self.came: dict[str, int] = {}
        """Person -> the sentence about their last move."""
        self.taken: dict[str, int] = {}
        """Object -> the sentence in which it was last taken."""
        self.dropped: dict[str, tuple[int, int | None]] = {}
        """Object that was dropped and not taken again -> (the sentence about it, the one that states the place)."""
        self.carried_to: dict[str, list[tuple[str, int]]] = {}
        """Object -> (place, sentence) for each place to which it was carried since it was last taken."""
        self.handled: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        """Person -> object -> the sentences in which they took, dropped, gave or received it."""
        self.acted: dict[str, int] = {}
        """Person -> the sentence in which they last took, dropped or gave something."""
        self.gifts: list[Given] = []
        """All gifts, in order."""

    def move(self) -> None:
        """A random person moves to another place."""
        self._move(self.rng.choice(self.world.people))

    def step(self) -> None:
        """A random person does something that is possible: moves, or takes, drops or gives an object."""
        actions: list[Callable[[], None]] = []
        weights: list[float] = []
        for person in self.world.people:
            here = self.place[person]
            things = [name for name in self.world.objects if name not in self.carrier and self.place[name] == here]
            carried = [name for name, carrier in self.carrier.items() if carrier == person]
            others = [name for name in self.world.people if name != person and self.place[name] == here]
            actions.append(partial(self._move, person))
            weights.append(1 - 1 / len(self.world.places))  # as if a place were drawn that may be the present one
            if things:
                actions.append(partial(self._get, person, things))
                weights.append(1)
            if carried:
                actions.append(partial(self._drop, person, carried))
                weights.append(1)
            if self.giving and carried and others:
                actions.append(partial(self._give, person, carried, others))
                weights.append(_GIVE_WEIGHT)
        self.rng.weighted(actions, weights)()

    def _move(self, person: str) -> None:
        place = self.rng.choice([place for place in self.world.places if place != self.place[person]])
        position = self.writer.write("move", person=person, verb=self.rng.choice(self.world.moves), place=place)
        self.place[person] = place
        self.came[person] = position
        for name, carrier in self.carrier.items():
            if carrier == person:
                self.carried_to[name].append((place, position))

    def _get(self, person: str, things: list[str]) -> None:
        name = self.rng.choice(things)
        phrase = "get_there" if self.rng.chance(self.get_there) else "get"
        position = self.writer.write(phrase, person=person, verb=self.rng.choice(self.world.gets), object=name)
        self.carrier[name] = person
        self.taken[name] = position
        self.carried_to[name] = []
        self.dropped.pop(name, None)
        self._handle(person, name, position)

    def _drop(self, person: str, things: list[str]) -> None:
        name = self.rng.choice(things)
        phrase = "drop_there" if self.rng.chance(_DROP_THERE) else "drop"
        position = self.writer.write(phrase, person=person, verb=self.rng.choice(self.world.drops), object=name)
        del self.carrier[name]
        self.place[name] = self.place[person]
        self.dropped[name] = (position, self.came.get(person))
        self._handle(person, name, position)

    def _give(self, person: str, things: list[str], others: list[str]) -> None:
        name, receiver = self.rng.choice(things), self.rng.choice(others)
        verb = self.rng.choice(self.world.gives)
        position = self.writer.write("give", person=person, verb=verb, object=name, receiver=receiver)
        self.carrier[name] = receiver
        self.gifts.append(Given(position, person, name, receiver))
        self._handle(person, name, position)
        self.handled[receiver][name].append(position)

    def _handle(self, person: str, name: str, position: int) -> None:
        self.acted[person] = position
        self.handled[person][name].append(position)
