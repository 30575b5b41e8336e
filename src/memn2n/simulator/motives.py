"""Task 20: why somebody goes somewhere, and what they get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller


def motives(teller: Teller) -> None:
    """Task 20: somebody is tired, goes to where one rests, and takes what one rests with; a question after each.

    There is one object of each kind: who comes later for the same one goes without.
    """
    dice, world = teller.dice, teller.world
    told: dict[str, tuple[str, int]] = {}  # person -> motive, and the sentence that tells it
    gone: set[str] = set()
    free = {thing for _, thing in world.motives.values()}
    done: set[str] = set()
    while True:
        waiting = [name for name in world.people if name not in done]
        if not waiting:
            return
        person = dice.one(waiting)
        if person not in told:
            motive = dice.one([*world.motives])
            told[person] = (motive, teller.say("is_motive", person=person, motive=motive))
            teller.ask("where_will", world.motives[motive][0], told[person][1], person=person)
            continue
        motive, fact = told[person]
        place, thing = world.motives[motive]
        if person not in gone:
            gone.add(person)
            teller.say("move", person=person, verb=dice.one(world.moves), place=place)
            teller.ask("why_go", motive, fact, person=person, place=place)
        else:
            teller.say("get_there", person=person, verb=dice.one(world.gets), object=thing)
            teller.ask("why_get", motive, fact, person=person, object=thing)
            free.remove(thing)
            done.add(person)
        done |= {name for name in gone if world.motives[told[name][0]][1] not in free}
