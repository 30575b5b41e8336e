"""Task 20: a person's motive, the place where it makes them go, and the object that they take there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter


def motives(writer: StoryWriter) -> None:
    """Task 20: a person is tired, goes to the bedroom, and takes the pajamas; a question follows each sentence.

    Each object exists once: if somebody has taken it, the next person with the same motive does not get it.
    """
    rng, world = writer.rng, writer.world
    motive_of: dict[str, tuple[str, int]] = {}  # person -> motive, and the position of the sentence that states it
    moved: set[str] = set()
    free = {thing for _, thing in world.motives.values()}
    done: set[str] = set()
    while True:
        people = [name for name in world.people if name not in done]
        if not people:
            return
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
