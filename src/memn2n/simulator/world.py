"""The world that stories happen in: its names, and where everybody is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memn2n.errors import InputError

if TYPE_CHECKING:
    import random


@dataclass(frozen=True)
class World:
    """The names and verbs that stories are written with; by default those of bAbI.

    Raises:
        InputError: if there is no person, no verb, or fewer than two places, or a name stands twice.
    """

    people: tuple[str, ...] = ("Daniel", "John", "Mary", "Sandra")
    places: tuple[str, ...] = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
    moves: tuple[str, ...] = ("went", "went back", "moved", "journeyed", "travelled")

    def __post_init__(self) -> None:
        for name, least in (("people", 1), ("places", 2), ("moves", 1)):
            names = getattr(self, name)
            if len(names) < least:
                raise InputError(f"a world needs {least} of {name} at least, this one has {len(names)}")
            if len(set(names)) < len(names):
                raise InputError(f"a name stands twice among the world's {name}")


@dataclass
class Whereabouts:
    """Who is where, and since which sentence of the story.

    Args:
        world: its names.
        rng: what decides who goes where.
    """

    world: World
    rng: random.Random
    story: list[str] = field(default_factory=list)
    place: dict[str, str] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)  # position in the story of a person's last move

    def move(self) -> None:
        """Somebody goes to a place where they are not."""
        person = self.rng.choice(self.world.people)
        place = self.rng.choice([place for place in self.world.places if place != self.place.get(person)])
        self.place[person] = place
        self.since[person] = len(self.story)
        self.story.append(f"{person} {self.rng.choice(self.world.moves)} to the {place}.")

    def recent(self) -> str:
        """Somebody whose place is known, rather one who moved lately (as in bAbI's files)."""
        people = sorted(self.since, key=lambda person: -self.since[person])
        return self.rng.choices(people, weights=range(len(people) + 1, 1, -1))[0]
