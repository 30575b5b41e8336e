"""The symmetries of a data set: classes of words that can be exchanged, and words that must be swapped together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from memn2n.errors import ConfigError, Setting
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

_SEPARATORS = re.compile(r"([\s,;/|]+)")


class WordClass(NamedTuple):
    """Words any of which can be exchanged: every permutation of them is a symmetry.

    Args:
        words: two or more words, such as the names of persons.
        tasks: the labels of the tasks in which they can be exchanged; all tasks if empty.
    """

    words: tuple[str, ...]
    tasks: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty if it can."""
        if len(self.words) < 2:
            return f"a class has two or more words, not {len(self.words)}"
        return _repeated(self.words)


class Swap(NamedTuple):
    """Words that must be swapped together: each of ``first`` with the one of ``second`` at the same position.

    For example ``Swap(("north", "n"), ("south", "s"))``: a map with north and south swapped is another true map if "n"
    and "s" in the answers are swapped too.

    Args:
        first: words.
        second: as many other words.
        tasks: the labels of the tasks in which they can be swapped; all tasks if empty.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    tasks: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of both sides."""
        return (*self.first, *self.second)

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty if it can."""
        if not self.first or len(self.first) != len(self.second):
            return f"a swap has as many first as second words, not {len(self.first)} and {len(self.second)}"
        return _repeated(self.words)


class Conflict(NamedTuple):
    """Two classes or swaps that share a word although they must not."""

    earlier: int  # position
    later: int
    word: str
    problem: str


T = TypeVar("T", WordClass, Swap)


@dataclass(frozen=True)
class Symmetries:
    """The exchangeable words of a data set.

    Args:
        classes: the classes of words that can be exchanged.
        swaps: the words that must be swapped together. Swaps can share words: all their products are symmetries.

    Raises:
        ConfigError: if a class has fewer than two words, a word is in two classes of a task, the sides of a swap have
            different lengths, a word is in a swap and in a class of a task, or a value has another type.
    """

    classes: tuple[WordClass, ...] = ()
    swaps: tuple[Swap, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _checked("classes", self.classes, WordClass))
        object.__setattr__(self, "swaps", _checked("swaps", self.swaps, Swap))
        for part in self.parts:
            if part.problem:
                raise ConfigError(Setting("symmetries"), f": {part.problem}")
        found = self.conflict_of(self.parts)
        if found is not None:
            raise ConfigError(Setting("symmetries"), f": {found.problem}")

    @property
    def parts(self) -> tuple[WordClass | Swap, ...]:
        """The classes, then the swaps."""
        return (*self.classes, *self.swaps)

    @staticmethod
    def conflict_of(parts: Sequence[WordClass | Swap]) -> Conflict | None:
        """Two classes, or a class and a swap, that share a word in a task; None if there are none."""
        at: dict[str, list[int]] = {}
        for later, part in enumerate(parts):
            for word in part.words:
                for earlier in at.setdefault(word, []):
                    other = parts[earlier]
                    if isinstance(part, Swap) and isinstance(other, Swap):
                        continue
                    if _meet(part.tasks, other.tasks):
                        where = "a class and a swap" if isinstance(part, Swap) else "two classes"
                        return Conflict(earlier, later, word, f"the word {quoted(word)} is in {where}")
                at[word].append(later)
        return None

    def __bool__(self) -> bool:
        """Whether there is any symmetry."""
        return bool(self.parts)

    @property
    def words(self) -> frozenset[str]:
        """All words that can be exchanged for another one."""
        return frozenset(chain.from_iterable(part.words for part in self.parts))

    def of_task(self, task: str) -> Symmetries:
        """The symmetries that a task has, without the tasks' labels."""
        return Symmetries(
            tuple(WordClass(one.words) for one in self.classes if not one.tasks or task in one.tasks),
            tuple(Swap(one.first, one.second) for one in self.swaps if not one.tasks or task in one.tasks),
        )

    def of_all(self, tasks: Collection[str]) -> Symmetries:
        """The symmetries that all of some tasks have, without the tasks' labels."""
        return Symmetries(
            tuple(WordClass(one.words) for one in self.classes if not one.tasks or set(one.tasks) >= set(tasks)),
            tuple(Swap(one.first, one.second) for one in self.swaps if not one.tasks or set(one.tasks) >= set(tasks)),
        )

    def limited_to(self, tasks: Collection[str]) -> Symmetries:
        """The symmetries of some tasks, with the labels of these tasks only."""

        def limited(parts: Sequence[T]) -> tuple[T, ...]:
            return tuple(
                one._replace(tasks=tuple(task for task in one.tasks if task in tasks))
                for one in parts
                if not one.tasks or not set(one.tasks).isdisjoint(tasks)
            )

        return Symmetries(limited(self.classes), limited(self.swaps))

    def only_if(self, wanted: Callable[[WordClass | Swap], bool]) -> Symmetries:
        """The classes and swaps that are wanted."""
        return Symmetries(tuple(filter(wanted, self.classes)), tuple(filter(wanted, self.swaps)))

    def in_form(self, form: Callable[[str], str]) -> Symmetries:
        """The same symmetries with each word in another form, such as lower case."""
        return Symmetries(
            tuple(WordClass(tuple(map(form, one.words)), one.tasks) for one in self.classes),
            tuple(Swap(tuple(map(form, one.first)), tuple(map(form, one.second)), one.tasks) for one in self.swaps),
        )

    def summary(self) -> str:
        """The classes and swaps in one line, such as ``john mary | north n <> south s``; "" if there are none."""
        distinct = dict.fromkeys(" ".join(one.words) for one in self.classes)
        swaps = dict.fromkeys(f"{' '.join(one.first)} <> {' '.join(one.second)}" for one in self.swaps)
        return " | ".join((*distinct, *swaps))

    def to_dict(self) -> dict[str, Any]:
        """The symmetries as JSON or TOML values; ``from_dict`` reads them."""
        return {
            "class": [_without_empty({"words": list(one.words), "tasks": list(one.tasks)}) for one in self.classes],
            "swap": [
                _without_empty({"first": list(one.first), "second": list(one.second), "tasks": list(one.tasks)})
                for one in self.swaps
            ],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the symmetries from ``to_dict``'s values.

        Raises:
            ConfigError: as the constructor.
            KeyError, TypeError: if the values have another form.
        """
        return cls(
            tuple(WordClass(_strings(one["words"]), _strings(one.get("tasks", ()))) for one in values.get("class", ())),
            tuple(
                Swap(_strings(one["first"]), _strings(one["second"]), _strings(one.get("tasks", ())))
                for one in values.get("swap", ())
            ),
        )


def parts_of_answer(answer: str) -> list[str]:
    """The words of an answer and what separates them, in turn.

    >>> parts_of_answer("milk,football")
    ['milk', ',', 'football']
    """
    return _SEPARATORS.split(answer)


def renamed(answer: str, names: Mapping[str, str]) -> str:
    """An answer with each of its words replaced by the word that ``names`` has for it.

    >>> renamed("milk,football", {"milk": "apple", "apple": "milk"})
    'apple,football'
    """
    return names[answer] if answer in names else "".join(names.get(part, part) for part in parts_of_answer(answer))


def _checked(name: str, parts: Any, kind: type[T]) -> tuple[T, ...]:
    """The classes or swaps, with tuples for lists."""
    if not isinstance(parts, tuple | list) or not all(isinstance(part, kind) for part in parts):
        raise ConfigError(Setting("symmetries"), f": {name} must be a tuple of {kind.__name__}, not {quoted(parts)}")
    for part in parts:
        for field, values in zip(kind._fields, part, strict=True):
            if not isinstance(values, tuple | list) or not all(isinstance(value, str) for value in values):
                problem = f": {field} of a {kind.__name__} must be a tuple of strings, not {quoted(values)}"
                raise ConfigError(Setting("symmetries"), problem)
    return tuple(kind._make(map(tuple, part)) for part in parts)


def _repeated(words: tuple[str, ...]) -> str:
    twice = [word for i, word in enumerate(words) if word in words[:i]]
    return f"the word {quoted(twice[0])} occurs twice" if twice else ""


def _meet(tasks: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not tasks or not others or not set(tasks).isdisjoint(others)


def _without_empty(values: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: value for name, value in values.items() if value or name != "tasks"}


def _strings(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{values!r} is not a list of strings")
    return tuple(values)
