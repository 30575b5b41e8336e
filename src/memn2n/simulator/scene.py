"""People who move among places, and take, carry, drop and give objects: the scene of tasks 1 to 3 and 5 to 8."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memn2n.simulator.teller import Teller

QUESTIONS = 5
"""Questions in a story."""

LATE = 5
"""Questions are about one of so many last sentences."""

RECENT = (5, 4, 3, 2)
"""How likely one is to be asked about, from the one told of last back."""

_GIVING = 4
"""How much likelier it is that somebody gives an object away, where that can be, than that they drop one."""

_MOST_STEPS = 1000
"""After so many steps a story ends, whatever was asked by then."""


class Given(NamedTuple):
    """Somebody gave an object to another one, in the sentence at a position."""

    position: int
    person: str
    object: str
    receiver: str


class Scene:
    """Where everybody and everything is; and what the story has told of it, as positions of its sentences.

    Args:
        teller: writes the story.
        there: how often a sentence of taking ends in "there".
        giving: whether objects are given.
    """

    def __init__(self, teller: Teller, there: float = 1, giving: bool = False) -> None:
        world, dice = teller.world, teller.dice
        self.teller = teller
        self.there = there
        self.giving = giving
        self.place = {name: dice.one(world.places) for name in (*world.people, *world.objects)}
        """Of everybody, and of each object that nobody carries; most of it is not told at first."""
        self.carrier: dict[str, str] = {}
        """Object -> who carries it."""
        self.came: dict[str, int] = {}
        """Person -> the last sentence of their moving."""
        self.taken: dict[str, int] = {}
        """Object -> the sentence of its being taken."""
        self.dropped: dict[str, tuple[int, int | None]] = {}
        """Object that lies where it was dropped -> that sentence, and the one that tells where that was."""
        self.way: dict[str, list[tuple[str, int]]] = {}
        """Object -> the places that it was carried to since it was taken, each with its sentence."""
        self.handled: dict[str, dict[str, list[int]]] = {}
        """Person -> object -> the sentences in which they took, dropped, gave or received it."""
        self.acted: dict[str, int] = {}
        """Person -> the last sentence of their taking, dropping or giving something."""
        self.gifts: list[Given] = []

    def move(self) -> None:
        """Somebody goes somewhere else."""
        self._move(self.teller.dice.one(self.teller.world.people))

    def step(self) -> None:
        """Somebody moves, or takes, drops or gives something: who can do more does more."""
        world, dice = self.teller.world, self.teller.dice
        deeds: list[Callable[[], None]] = []
        weights: list[float] = []
        for person in world.people:
            here = self.place[person]
            things = [name for name in world.objects if name not in self.carrier and self.place[name] == here]
            carried = [name for name, carrier in self.carrier.items() if carrier == person]
            others = [name for name in world.people if name != person and self.place[name] == here]
            deeds.append(partial(self._move, person))
            weights.append(1 - 1 / len(world.places))  # a place is drawn, and it may be the one where they are
            if things:
                deeds.append(partial(self._get, person, things))
                weights.append(1)
            if carried:
                deeds.append(partial(self._drop, person, carried))
                weights.append(1)
            if self.giving and carried and others:
                deeds.append(partial(self._give, person, carried, others))
                weights.append(_GIVING)
        dice.weighted(deeds, weights)()

    def _move(self, person: str) -> None:
        world, dice = self.teller.world, self.teller.dice
        place = dice.one([place for place in world.places if place != self.place[person]])
        position = self.teller.say("move", person=person, verb=dice.one(world.moves), place=place)
        self.place[person] = place
        self.came[person] = position
        for name, carrier in self.carrier.items():
            if carrier == person:
                self.way[name].append((place, position))

    def _get(self, person: str, things: list[str]) -> None:
        dice = self.teller.dice
        name = dice.one(things)
        phrase = "get_there" if dice.chance(self.there) else "get"
        position = self.teller.say(phrase, person=person, verb=dice.one(self.teller.world.gets), object=name)
        self.carrier[name] = person
        self.taken[name] = position
        self.way[name] = []
        self.dropped.pop(name, None)
        self._handle(person, name, position)

    def _drop(self, person: str, things: list[str]) -> None:
        dice = self.teller.dice
        name = dice.one(things)
        phrase = "drop_there" if dice.chance(0.2) else "drop"
        position = self.teller.say(phrase, person=person, verb=dice.one(self.teller.world.drops), object=name)
        del self.carrier[name]
        self.place[name] = self.place[person]
        self.dropped[name] = (position, self.came.get(person))
        self._handle(person, name, position)

    def _give(self, person: str, things: list[str], others: list[str]) -> None:
        dice = self.teller.dice
        name, receiver = dice.one(things), dice.one(others)
        verb = dice.one(self.teller.world.gives)
        position = self.teller.say("give", person=person, verb=verb, object=name, receiver=receiver)
        self.carrier[name] = receiver
        self.gifts.append(Given(position, person, name, receiver))
        self._handle(person, name, position)
        self.handled.setdefault(receiver, {}).setdefault(name, []).append(position)

    def _handle(self, person: str, name: str, position: int) -> None:
        self.acted[person] = position
        self.handled.setdefault(person, {}).setdefault(name, []).append(position)


def lately(teller: Teller, told: Mapping[str, int], weights: Sequence[float] = RECENT, late: int = LATE) -> str | None:
    """One of those of whom the last sentences tell, rather one told of later; None if they tell of none.

    Args:
        teller: of the story.
        told: name -> the last sentence that tells of it.
        weights: from the one told of last back.
        late: how many sentences these are.
    """
    names = sorted(told, key=told.__getitem__, reverse=True)
    names = [name for name in names if len(teller.story) - told[name] <= late]
    return teller.dice.weighted(names, weights) if names else None


def tell(teller: Teller, step: Callable[[], None], ask: Callable[[], None]) -> None:
    """Two steps, and a question if one can be asked; again, until so many were asked."""
    for _ in range(_MOST_STEPS // 2):
        step()
        step()
        ask()
        if len(teller.examples) >= QUESTIONS:
            return
