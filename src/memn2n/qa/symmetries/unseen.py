"""Words that training did not have, placed in a class of exchangeable words by the sentences that they occur in."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from zlib import crc32

from memn2n.qa.symmetries.classes import Symmetries, WordClass
from memn2n.qa.vocabulary import tokenize

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from memn2n.qa.stories import Example
    from memn2n.qa.vocabulary import Vocabulary

MOST_FRAMES = 20_000
"""Most frames, and most forms of sentences, that are kept: the most frequent ones."""

LONGEST = 50
"""Sentences with more words than this have no frames, whose size grows with the square of their length."""

_MOST_NOTES = 4096  # about 4 MB

_FOLLOWED = "!"
"""Begins the frame of a word by the sentence that follows: all words of a sentence have it in common."""

_ANY, _BLANK = ",", "?"
"""Stand in a frame for a word of any class or an unknown word, and for the word that was there. They are no words."""


class Notes(NamedTuple):
    """What placing needs to know of a sentence."""

    words: list[str]
    exchangeable: tuple[str, ...]  # its words that are in a class
    unknown: tuple[str, ...]  # its unknown words; one that occurs twice is there twice
    frames: tuple[tuple[str, str], ...]  # the unknown words with their frames; "" in a sentence that is too long
    form: str  # the sentence with ``_ANY`` for each word of a class and each unknown word
    before: str  # the frame that the sentence gives to the words of the sentence before; empty if training has none


@dataclass(frozen=True)
class UnseenWords:
    """The frames of a training set: in which sentences words of which class occur.

    A frame is a sentence with one word blanked. In it, one sign stands for every word of a class and for every unknown
    word. A word that the vocabulary does not have is placed in the class whose words training saw in the most of its
    frames, in the story and the question. Two classes of a task can have the same frames, such as the names of women
    and of men. Then the sentence that follows counts too: "he" says that the name before is a man's.

    Args:
        symmetries: the exchangeable words, in the form of the vocabulary.
        tasks: the labels of the tasks of the training data.
        frames: frame -> {position of a class: how many words of the class had this frame}.
        forms: form of a sentence -> the positions in ``tasks`` of the tasks that have such a sentence. Empty if all
            tasks have the same symmetries.
    """

    symmetries: Symmetries
    tasks: tuple[str, ...] = ()
    frames: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    forms: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, examples: Iterable[Example], symmetries: Symmetries, vocabulary: Vocabulary, earlier: Self | None = None
    ) -> Self:
        """Collect the frames of training examples.

        Args:
            examples: the training examples.
            symmetries: their exchangeable words, in the form of the vocabulary.
            vocabulary: the words that the model knows.
            earlier: the frames of an earlier training, which are added if it had the same symmetries.
        """
        if earlier is not None and earlier.symmetries != symmetries:
            earlier = None
        examples = list(examples)
        number: Counter[tuple[str, str]] = Counter()  # key: a task and a sentence
        for one in examples:
            number.update((one.task, text) for text in (*one.story, *one.values, one.question))
        tasks = tuple(dict.fromkeys((*(earlier.tasks if earlier else ()), *(task for task, _ in number))))
        empty = cls(symmetries, tasks)
        class_of = {
            task: {word: c for c, one in enumerate(empty.classes) if not one.tasks or task in one.tasks
                   for word in one.words}
            for task in tasks
        }  # fmt: skip
        frames = {frame: Counter(counts) for frame, counts in earlier.frames.items()} if earlier else {}
        forms = {form: set(of) for form, of in earlier.forms.items()} if earlier else {}
        form_number = Counter(forms.keys())
        for (task, text), times in number.items():
            words = tokenize(text, vocabulary.lowercase)
            if len(words) > LONGEST:
                continue
            classes = class_of[task]
            form = [_ANY if word in empty.words else word for word in words]
            for i, word in enumerate(words):
                if word in classes:
                    frames.setdefault(_frame(form, i), Counter())[classes[word]] += times
            if not empty.uniform:
                whole = " ".join(form)
                forms.setdefault(whole, set()).add(tasks.index(task))
                form_number[whole] += times
        alike = _alike(empty.classes, (counts for frame, counts in frames.items() if not frame.startswith(_FOLLOWED)))
        if alike:
            for frame, counts in empty._followers(examples, class_of, alike, vocabulary).items():
                frames.setdefault(frame, Counter()).update(counts)
        totals = Counter({frame: counts.total() for frame, counts in frames.items()})
        return cls(
            symmetries, tasks,
            {frame: dict(frames[frame]) for frame, _ in totals.most_common(MOST_FRAMES)},
            {form: frozenset(forms[form]) for form, _ in form_number.most_common(MOST_FRAMES)},
        )  # fmt: skip

    def _followers(
        self, examples: Iterable[Example], class_of: Mapping[str, Mapping[str, int]], alike: Iterable[frozenset[int]],
        vocabulary: Vocabulary,
    ) -> dict[str, Counter[int]]:  # fmt: skip
        """The frames by the sentence that follows, as far as they tell apart classes that have the same frames."""
        pairs: Counter[tuple[str, str, str]] = Counter()
        for one in examples:
            pairs.update((one.task, *two) for two in pairwise(one.story))
        found: dict[str, Counter[int]] = {}
        for (task, text, following), times in pairs.items():
            classes = {class_of[task].get(word) for word in tokenize(text, vocabulary.lowercase)}
            if not classes.isdisjoint(chain.from_iterable(alike)):
                counts = found.setdefault(_FOLLOWED + self.notes(following, vocabulary).form, Counter())
                counts.update({c: times for c in classes if c is not None})
        return {frame: counts for frame, counts in found.items()
                if any((counts[a] == 0) != (counts[b] == 0) for a, b in map(tuple, alike))}  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The frames as JSON values, without the symmetries; ``from_dict`` reads them."""
        return {
            "tasks": list(self.tasks),
            "frames": {frame: {str(c): n for c, n in counts.items()} for frame, counts in self.frames.items()},
            "forms": {form: sorted(tasks) for form, tasks in self.forms.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], symmetries: Symmetries) -> Self:
        """Make the frames from ``to_dict``'s values.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: if the values have another form, or do not fit the
                symmetries.
        """
        tasks = tuple(map(str, values["tasks"]))
        frames = {frame: {int(c): int(n) for c, n in counts.items()} for frame, counts in values["frames"].items()}
        forms = {form: frozenset(map(int, of)) for form, of in values["forms"].items()}
        classes = range(len(_classes(symmetries)))
        if not all(c in classes and n > 0 for counts in frames.values() for c, n in counts.items()):
            raise ValueError("a frame has a class that the symmetries do not have, or a number below 1")
        if not all(i in range(len(tasks)) for of in forms.values() for i in of):
            raise ValueError("a form has a task that is not there")
        return cls(symmetries, tasks, frames, forms)

    @cached_property
    def classes(self) -> tuple[WordClass, ...]:
        """The classes of exchangeable words, also those that are given as swaps of two words."""
        return _classes(self.symmetries)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all classes."""
        return frozenset(chain.from_iterable(one.words for one in self.classes))

    @cached_property
    def uniform(self) -> bool:
        """Whether all tasks of the training data have the same symmetries."""
        return all(not one.tasks or (self.tasks and {*self.tasks} <= {*one.tasks}) for one in self.symmetries.parts)

    def notes(self, text: str, vocabulary: Vocabulary) -> Notes:
        """What placing needs to know of a sentence."""
        words = tokenize(text, vocabulary.lowercase)
        unknown = vocabulary.unknown_of(words)
        exchangeable = [word for word in words if word in self.words]
        if len(words) > LONGEST:
            return Notes(words, tuple(exchangeable), tuple(unknown), tuple((word, "") for word in unknown), "", "")
        form = [_ANY if word in exchangeable or word in unknown else word for word in words]
        frames = [(word, _frame(form, i)) for i, word in enumerate(words) if word in unknown] if unknown else ()
        whole = " ".join(form)
        before = _FOLLOWED + whole
        return Notes(words, tuple(exchangeable), tuple(unknown), tuple(frames), whole,
                     before if before in self.frames else "")  # fmt: skip

    def kept_notes(self, vocabulary: Vocabulary) -> dict[str, Notes]:
        """The notes of sentences that were asked about before, to which new ones can be added.

        They are kept for one vocabulary, and until there are ``_MOST_NOTES``.
        """
        kept = self._kept_notes.get(vocabulary)
        if kept is None or len(kept) > _MOST_NOTES:
            self._kept_notes.clear()
            kept = self._kept_notes[vocabulary] = {}
        return kept

    @cached_property
    def _kept_notes(self) -> dict[Vocabulary, dict[str, Notes]]:
        return {}

    def possible_tasks(self, forms: Iterable[str]) -> frozenset[int]:
        """The tasks, as positions in ``tasks``, that have the most of some forms of sentences: those of a question."""
        found = [tasks for tasks in map(self.forms.get, forms) if tasks is not None]
        common = frozenset.intersection(*found) if found else frozenset()
        if common:
            return common
        number = Counter(chain.from_iterable(found))
        most = max(number.values(), default=0)
        return frozenset(task for task, n in number.items() if n == most)

    def symmetries_of(self, possible: frozenset[int]) -> Symmetries:
        """The symmetries that all of some tasks have; those that all tasks have if there is none."""
        if self.uniform:
            return self.symmetries
        labels = {self.tasks[i] for i in possible} or {*self.tasks}
        return Symmetries(
            tuple(one for one in self.symmetries.classes if not one.tasks or (labels and labels <= {*one.tasks})),
            tuple(one for one in self.symmetries.swaps if not one.tasks or (labels and labels <= {*one.tasks})),
        )

    def classes_of(self, frames: frozenset[str], possible: frozenset[int] = frozenset()) -> tuple[int, ...]:
        """The classes that fit a word best, as positions in ``classes``, best first.

        These are the classes that training saw in the most of the word's frames. If there are several, the one that
        more of the possible tasks have comes first, then the one that the sentences that follow speak for, then the one
        that is more frequent in the frames.

        Args:
            frames: the frames of the word.
            possible: from ``possible_tasks``.
        """
        found = self._classes.get((frames, possible))
        if found is None:
            if len(self._classes) >= MOST_FRAMES:
                self._classes.clear()
            found = self._classes[frames, possible] = self._rank_classes(frames, possible)
        return found

    @cached_property
    def _has_followers(self) -> bool:
        return any(frame.startswith(_FOLLOWED) for frame in self.frames)

    @cached_property
    def _classes(self) -> dict[tuple[frozenset[str], frozenset[int]], tuple[int, ...]]:
        return {}

    def _rank_classes(self, frames: frozenset[str], possible: frozenset[int]) -> tuple[int, ...]:
        covered: Counter[int] = Counter()
        share: defaultdict[tuple[bool, int], float] = defaultdict(float)
        for frame in sorted(frames):
            counts, followed = self.frames.get(frame, {}), frame.startswith(_FOLLOWED)
            total = sum(counts.values())
            for c, n in counts.items():
                covered[c] += not followed
                share[followed, c] += n / total
        most = max(covered.values(), default=0)
        labels = {self.tasks[i] for i in possible}

        def rank(c: int) -> tuple[float, ...]:
            of = self.classes[c].tasks
            return -(len(labels & {*of}) if of else len(labels)), -share[True, c], -share[False, c], c

        return tuple(sorted((c for c, n in covered.items() if n == most > 0), key=rank))

    def lend(
        self, notes: Sequence[Notes], vocabulary: Vocabulary, possible: frozenset[int] = frozenset()
    ) -> dict[str, str | None]:
        """Lend a word of its class to each unknown word that can be placed, first to those of the question itself.

        Args:
            notes: those of the sentences of the story in order, then of its values and the question.
            vocabulary: the words that can be lent.
            possible: from ``possible_tasks``.

        Returns:
            Unknown word -> a word of its class that the question does not use, in the order of the sentences. No word
            is lent twice. None for an unknown word that no frame places, or whose class has no free word.
        """
        frames: dict[str, list[str]] = {}
        used = set(vocabulary.unknown_of(self.words))  # a word that the vocabulary lacks would be read as unknown
        for note in notes:
            used.update(note.exchangeable)
            for word, frame in note.frames:
                if word in frames:
                    frames[word].append(frame)
                else:
                    frames[word] = [frame]
        if self._has_followers:
            for note, following in pairwise(notes):
                if following.before:
                    for word in note.unknown:
                        frames[word].append(following.before)
        lent: dict[str, str | None] = dict.fromkeys(frames)
        for word in dict.fromkeys((*notes[-1].unknown, *frames)):
            member = self._free(word, self.classes_of(frozenset(frames[word]), possible), used)
            if member is not None:
                lent[word] = member
                used.add(member)
        return lent

    def _free(self, unknown: str, classes: Iterable[int], used: Container[str]) -> str | None:
        """A word that is not used, from the first of some classes that has one.

        The choice depends on the unknown word, not on where the story has it: a network may prefer the first words of a
        class for the first words of a story.
        """
        for c in classes:
            free = [word for word in self.classes[c].words if word not in used]
            if free:
                return free[crc32(unknown.encode("utf-8", "surrogatepass")) % len(free)]
        return None


def _frame(form: list[str], position: int) -> str:
    """The form of a sentence with one position blanked."""
    there, form[position] = form[position], _BLANK
    frame = " ".join(form)
    form[position] = there
    return frame


def _classes(symmetries: Symmetries) -> tuple[WordClass, ...]:
    """The classes, then the words of the swaps of two words: those that such swaps connect are a class too."""
    connected: list[tuple[set[str], tuple[str, ...]]] = []
    for first, second, tasks in symmetries.swaps:
        if len(first) == 1:
            both = {*first, *second}
            meeting = [one for one in connected if one[1] == tasks and not both.isdisjoint(one[0])]
            connected = [one for one in connected if one not in meeting]
            connected.append((both.union(*(words for words, _ in meeting)), tasks))
    return (*symmetries.classes, *(WordClass(tuple(sorted(words)), tasks) for words, tasks in connected))


def _alike(classes: Sequence[WordClass], frames: Iterable[Mapping[int, int]]) -> set[frozenset[int]]:
    """The pairs of classes of a task that have a frame in common."""

    def meet(a: int, b: int) -> bool:
        of_a, of_b = classes[a].tasks, classes[b].tasks
        return not of_a or not of_b or not {*of_a}.isdisjoint(of_b)

    return {frozenset(two) for counts in frames for two in combinations(counts, 2) if meet(*two)}
