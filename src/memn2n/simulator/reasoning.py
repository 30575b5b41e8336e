"""Tasks 15, 16 and 20: what follows from an animal's kind, from others of its kind, and from a person's motive."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.random_choices import RandomChoices
    from memn2n.simulator.story_writer import StoryWriter

_KINDS = 4
"""Kinds of animals in a story of task 15."""

_NAMES = 4
"""Named animals in a story of task 15."""

_QUESTIONS = 4
"""Questions about a story of task 15."""

_COLORED = 4
"""Animals whose color is stated in a story of task 16; one more animal is asked about."""

_SAME_COLOR = 0.5
"""Probability that an animal gets the color of the last animal of its species; otherwise it gets a random color."""


def deduction(writer: StoryWriter) -> None:
    """Task 15: what is an animal afraid of? The story states its kind, and what each kind is afraid of."""
    rng, world = writer.rng, writer.world
    kinds = rng.sample(world.animals, _KINDS)
    names = rng.sample(world.creatures, _NAMES)
    fears: dict[str, tuple[str, int]] = {}  # kind -> the kind that it fears, and the position of the sentence
    kind_of: dict[str, tuple[str, int]] = {}  # name -> its kind, and the position of the sentence
    while len(fears) < len(kinds) or len(kind_of) < len(names):
        fears_left, names_left = len(kinds) - len(fears), len(names) - len(kind_of)
        names_ready = names_left * len(fears) / len(kinds)  # expected number whose kind already has its fear stated
        if rng.chance(fears_left / (fears_left + names_ready)):
            kind = kinds[len(fears)]
            feared = rng.choice([other for other in kinds if other != kind])
            position = writer.write("afraid", animals=world.animals[kind], others=world.animals[feared])
            fears[kind] = (feared, position)
        else:
            name, kind = names[len(kind_of)], rng.choice([*fears])
            kind_of[name] = (kind, writer.write("is_animal", name=name, animal=kind))
    for _ in range(_QUESTIONS):
        name = rng.choice(names)
        kind, kind_fact = kind_of[name]
        feared, fear_fact = fears[kind]
        writer.ask("what_afraid", feared, kind_fact, fear_fact, name=name)


def induction(writer: StoryWriter) -> None:
    """Task 16: what color is an animal? The story states its species, and the colors of other animals of the species.

    If these differ in color, the animal whose species was stated last decides, as in the bAbI files. As there, their
    number is never two, except in a world with only three animals.
    """
    rng, world = writer.rng, writer.world
    names = rng.sample(world.creatures, _COLORED + 1)
    alike, excluded = 1, (1, 3) if len(names) > 3 else (1,)  # animals of the species, the asked one included
    while alike in excluded:
        species = [rng.choice(world.species) for _ in names]
        order = _sentence_order(rng, len(names))
        asked = next(index for index in range(len(names)) if ("color", index) not in order)
        alike = species.count(species[asked])
    species_facts: dict[int, int] = {}
    colors: dict[int, tuple[str, int]] = {}
    for property_, index in order:
        if property_ == "species":
            species_facts[index] = writer.write("is_animal", name=names[index], animal=species[index])
            continue
        seen = [colors[other][0] for other in colors if species[other] == species[index]]
        color = seen[-1] if seen and rng.chance(_SAME_COLOR) else rng.choice(world.colors)
        colors[index] = (color, writer.write("is_color", name=names[index], color=color))
    like = max(index for index in colors if species[index] == species[asked])
    color, color_fact = colors[like]
    writer.ask("what_color", color, species_facts[asked], species_facts[like], color_fact, name=names[asked])


def _sentence_order(rng: RandomChoices, number: int) -> list[tuple[str, int]]:
    """(property, animal) for each sentence: every animal's species, and later the color of all animals but one."""
    order: list[tuple[str, int]] = []
    uncolored: list[int] = []
    introduced = 0
    while len(order) < 2 * number - 1:
        left = number - introduced
        if left and (len(order) - introduced == number - 1 or rng.chance(left / (left + len(uncolored)))):
            order.append(("species", introduced))
            uncolored.append(introduced)
            introduced += 1
        else:
            index = rng.choice(uncolored)
            uncolored.remove(index)
            order.append(("color", index))
    return order


def motives(writer: StoryWriter) -> None:
    """Task 20: a person is tired, goes to the bedroom, and takes the pajamas; a question follows each sentence.

    Each object exists once: if somebody has taken it, the next person with the same motive does not get it.
    """
    rng, world = writer.rng, writer.world
    motive_of: dict[str, tuple[str, int]] = {}  # person -> motive, and the position of the sentence that states it
    moved: set[str] = set()
    free = {thing for _, thing in world.motives.values()}
    done: set[str] = set()
    while people := [name for name in world.people if name not in done]:
        person = rng.choice(people)
        if person not in motive_of:
            motive = rng.choice([*world.motives])
            motive_of[person] = (motive, writer.write("is_motive", person=person, motive=motive))
            writer.ask("where_will", world.motives[motive][0], motive_of[person][1], person=person)
            continue
        motive, fact = motive_of[person]
        place, thing = world.motives[motive]
        if person not in moved:
            moved.add(person)
            writer.write("move", person=person, verb=rng.choice(world.moves), place=place)
            writer.ask("why_go", motive, fact, person=person, place=place)
        else:
            writer.write("get_there", person=person, verb=rng.choice(world.gets), object=thing)
            writer.ask("why_get", motive, fact, person=person, object=thing)
            free.remove(thing)
            done.add(person)
        done |= {name for name in moved if world.motives[motive_of[name][0]][1] not in free}
