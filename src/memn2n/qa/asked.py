"""Questions as a model reads them: each unseen word stands as a known word, and words can be renamed at random."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa.answers import Answer
from memn2n.qa.predict import Prediction, most_probable, predict_mean
from memn2n.qa.stories import UNKNOWN_ANSWER, StorySet
from memn2n.qa.symmetries.classes import renamed
from memn2n.qa.symmetries.renaming import draw_renamings
from memn2n.qa.vocabulary import SPECIAL, UNKNOWN, answer_symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.candidates import Candidates
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.classes import Symmetries
    from memn2n.qa.symmetries.unseen import Notes, UnseenWords
    from memn2n.qa.vocabulary import Vocabulary

    Ints = npt.NDArray[np.int32]


class Asked:
    """Questions, encoded for the networks of a model.

    A word that the vocabulary does not have stands as the word that ``UnseenWords.lend`` lends it, in its story,
    values, question and right answer. Sentences that do not fit into the memory are not looked at.

    Args:
        examples: the questions.
        vocabulary: the words that the model knows.
        candidates: the answers that it chooses from, if they are not words of the vocabulary.
        unseen: places words that the vocabulary does not have; if None, they stay unknown.
        memory_size: how many sentences of a story the networks read, the latest ones; if None, all.
    """

    def __init__(
        self, examples: Sequence[Example], vocabulary: Vocabulary, candidates: Candidates | None = None,
        unseen: UnseenWords | None = None, memory_size: int | None = None,
    ) -> None:  # fmt: skip
        self.examples = examples
        self._vocabulary = vocabulary
        self._candidates = candidates
        self._unseen = unseen
        self._memory_size = memory_size
        self._placed: dict[int, tuple[tuple[str, str], ...]] = {}  # by question
        self.stories = StorySet.encode(examples, vocabulary, candidates)
        self._unknown = _have_unknown_words(self.stories)  # then, whether one stays unknown
        if unseen is not None and self._unknown.any():
            self.stories = self._with_lent_words()

    def predictions(self, networks: Sequence[Parameters], renamings: int = 1) -> Iterator[Prediction]:
        """Yield the predictions of an ensemble: the means over its networks and over renamings.

        Args:
            networks: the parameters of the networks.
            renamings: how many renamings of the exchangeable words to average over. The first one is as the questions
                are. The others are the same for all questions with the same symmetries; their answers are named back.

        Raises:
            ConfigError: as ``predict``; also if the vocabulary lacks an answer that a renaming makes.
        """
        if renamings == 1 or self._unseen is None:
            yield from predict_mean(networks, self.stories)
            return
        for symmetries, chosen in self._by_symmetries():
            ids = draw_renamings(symmetries, self._vocabulary, renamings - 1)
            stories = self.stories if len(chosen) == len(self.examples) else _some(self.stories, chosen)
            every = [stories, *(_renamed(stories, of_each) for of_each in ids)]
            for first, *others in zip(*(predict_mean(networks, one) for one in every), strict=True):
                probabilities, attention = first.probabilities.copy(), first.attention.copy()
                for of_each, other in zip(ids, others, strict=True):
                    columns = of_each[SPECIAL:] - SPECIAL if self._candidates is None else slice(None)
                    probabilities += other.probabilities[:, columns]
                    attention += other.attention
                yield Prediction(chosen[first.examples], probabilities / renamings, attention / renamings)

    def answers(self, networks: Sequence[Parameters], top: int, renamings: int = 1) -> list[Answer]:
        """The answers of an ensemble, in the words of the questions.

        Args:
            networks: the parameters of the networks.
            top: how many of the most probable answers to list.
            renamings: as in ``predictions``.
        """
        texts = self._vocabulary.words if self._candidates is None else self._candidates.texts
        memory_size = networks[0].config.memory_size
        answers: dict[int, Answer] = {}
        for chosen, probabilities, attention in self.predictions(networks, renamings):
            best = most_probable(probabilities, top)  # (batch, top)
            shares = np.take_along_axis(probabilities, best, 1)
            rows = zip(chosen.tolist(), best.tolist(), shares.tolist(), strict=True)
            for row, (i, columns, share) in enumerate(rows):
                story, question = self.examples[i].story, self.examples[i].question
                ranked = tuple(zip(self.named_back(i, [texts[column] for column in columns]), share, strict=True))
                answers[i] = Answer(
                    story=story, question=question, text=ranked[0][0], probability=ranked[0][1], top=ranked,
                    attention=_by_sentence(attention[:, row], len(story), memory_size),
                    dropped=tuple(range(len(story) - memory_size)),
                    unknown_words=self.unknown_words(i), placed=self.placed(i),
                )  # fmt: skip
        return [answers[i] for i in range(len(self.examples))]

    def named_back(self, i: int, answers: Sequence[str]) -> Sequence[str]:
        """Some answers to question ``i``, in the words of the question."""
        if i not in self._placed:
            return answers
        back = {known: word for word, known in self._placed[i]}
        return [renamed(answer, back) for answer in answers]

    def placed(self, i: int) -> tuple[tuple[str, str], ...]:
        """The unknown words of question ``i`` that could be placed, each with the known word that it stands as."""
        return self._placed.get(i, ())

    def unknown_words(self, i: int) -> tuple[str, ...]:
        """Each word of what is read that the vocabulary does not have and that was not placed, once.

        What is read are the sentences of the story that fit into the memory, and the question.
        """
        if not self._unknown[i]:
            return ()
        example, placed = self.examples[i], dict(self.placed(i))
        texts = (*example.story[self._dropped(i) :], example.question)
        words = map(self._vocabulary.unknown_words, texts)
        return tuple(dict.fromkeys(word for sentence in words for word in sentence if word not in placed))

    def _dropped(self, i: int) -> int:
        """The number of sentences of story ``i`` that do not fit into the memory."""
        return 0 if self._memory_size is None else max(0, len(self.examples[i].story) - self._memory_size)

    def _read(self, i: int) -> tuple[str, ...]:
        """The sentences of story ``i`` that are read, their values and the question."""
        one, dropped = self.examples[i], self._dropped(i)
        return (*one.story[dropped:], *one.values[dropped:], one.question)

    def _with_lent_words(self) -> StorySet:
        """The encoded questions, with a lent word for each unknown word that can be placed."""
        assert self._unseen is not None
        stories = self.stories
        story, starts, question = stories.story.tolist(), stories.story_start.tolist(), stories.question.tolist()
        values = None if stories.values is None else stories.values.tolist()
        answer = stories.answer.copy()
        words: list[int] = []
        ends: list[int] = []
        ids: dict[tuple[int | str | None, ...], int] = {}  # key: the id of a sentence, and the words that it is lent

        def rewrite(sentences: list[int], begin: int, notes: Sequence[Notes], lent: Mapping[str, str | None]) -> None:
            for position, note in enumerate(notes, begin):
                if note.unknown:
                    key = (sentences[position], *map(lent.get, note.unknown))
                    new = ids.get(key)
                    if new is None:
                        new = ids[key] = len(stories.sentence_start) - 1 + len(ends)
                        words.extend(self._vocabulary.ids_of([lent.get(word) or word for word in note.words]))
                        ends.append(len(stories.words) + len(words))
                    sentences[position] = new

        for i in np.flatnonzero(self._unknown).tolist():
            example = self.examples[i]
            notes = self._notes_of(self._read(i))
            lent = self._unseen.lend(notes, self._vocabulary, self._possible_tasks(notes))
            placed = tuple((word, known) for word, known in lent.items() if known)
            self._unknown[i] = len(placed) < len(lent)
            if placed:
                self._placed[i] = placed
                begin = starts[i] + self._dropped(i)
                sentences = starts[i + 1] - begin
                rewrite(story, begin, notes[:sentences], lent)
                if values is not None:
                    rewrite(values, begin, notes[sentences:-1] or notes[:sentences], lent)
                rewrite(question, i, notes[-1:], lent)
                if example.answer:
                    answer[i] = self._answer(i)
        return replace(
            stories, words=_frozen(np.append(stories.words, words)), story=_frozen(story), question=_frozen(question),
            sentence_start=_frozen(np.append(stories.sentence_start, ends)), answer=_frozen(answer),
            values=None if values is None else _frozen(values),
        )  # fmt: skip

    def _answer(self, i: int) -> int:
        """The id of the right answer to question ``i``, with the lent words."""
        symbol = answer_symbol(self.examples[i].answer, self._vocabulary.lowercase)
        answer = renamed(symbol, dict(self._placed[i]))
        if self.named_back(i, [answer]) != [symbol]:  # the answer is a word that was lent to another one
            return UNKNOWN_ANSWER
        known = (self._vocabulary if self._candidates is None else self._candidates).answer_id(answer)
        return UNKNOWN_ANSWER if known is None else known

    @cached_property
    def _kept_notes(self) -> dict[str, Notes]:
        assert self._unseen is not None
        return self._unseen.kept_notes(self._vocabulary)

    def _notes_of(self, texts: Iterable[str]) -> list[Notes]:
        assert self._unseen is not None
        kept = self._kept_notes
        found = []
        for text in texts:
            note = kept.get(text)
            if note is None:
                note = self._unseen.notes(text, self._vocabulary)
                if note.form:  # a sentence that is not too long
                    kept[text] = note
            found.append(note)
        return found

    def _possible_tasks(self, notes: Sequence[Notes]) -> frozenset[int]:
        assert self._unseen is not None
        return frozenset() if self._unseen.uniform else self._unseen.possible_tasks(note.form for note in notes)

    def _by_symmetries(self) -> Iterator[tuple[Symmetries, Longs]]:
        """Yield the positions of the questions that have the same symmetries."""
        assert self._unseen is not None
        if self._unseen.uniform:
            yield self._unseen.symmetries_of(frozenset()), np.arange(len(self.examples))
            return
        groups: dict[Symmetries, list[int]] = {}
        for i in range(len(self.examples)):
            possible = self._possible_tasks(self._notes_of(self._read(i)))
            groups.setdefault(self._unseen.symmetries_of(possible), []).append(i)
        for symmetries, chosen in groups.items():
            yield symmetries, np.array(chosen)


def _have_unknown_words(stories: StorySet) -> npt.NDArray[np.bool_]:
    """Whether each question has an unknown word, in its story, values or question."""
    unknown = stories.words == UNKNOWN
    if not unknown.any():
        return np.zeros(len(stories), np.bool_)
    if len(stories) == 1:
        return np.ones(1, np.bool_)
    of_sentence = _any(unknown, stories.sentence_start)
    found = of_sentence[stories.question]
    for sentences in (stories.story, stories.values):
        if sentences is not None:
            found |= _any(of_sentence[sentences], stories.story_start)
    return found


def _any(flags: npt.NDArray[np.bool_], start: Ints) -> npt.NDArray[np.bool_]:
    """Whether each part of ``flags``, from one position of ``start`` up to the next one, has one that is set."""
    number = np.concatenate([[0], np.cumsum(flags)])
    return np.diff(number[start]) > 0


def _renamed(stories: StorySet, ids: Ints) -> StorySet:
    """The same examples with another id for each word, also in the candidates."""
    candidates = None if stories.candidates is None else ids[stories.candidates].astype(np.int64)
    return replace(stories, words=_frozen(ids[stories.words]), candidates=candidates)


def _some(stories: StorySet, examples: Longs) -> StorySet:
    """Some of the examples, given as positions."""

    def parts(start: Ints) -> tuple[Longs, Ints]:
        length = np.diff(start)[examples]
        own = np.concatenate([[0], np.cumsum(length)])
        return np.repeat(start[examples] - own[:-1], length) + np.arange(own[-1]), _frozen(own)

    sentences, story_start = parts(stories.story_start)
    facts, support_start = parts(stories.support_start)
    return replace(
        stories, story=_frozen(stories.story[sentences]), story_start=story_start,
        question=_frozen(stories.question[examples]), answer=_frozen(stories.answer[examples]),
        support=_frozen(stories.support[facts]), support_start=support_start, task=_frozen(stories.task[examples]),
        values=None if stories.values is None else _frozen(stories.values[sentences]),
    )  # fmt: skip


def _frozen(ids: npt.ArrayLike) -> Ints:
    """An array of a StorySet: int32 and read-only."""
    array = np.array(ids, np.int32)
    array.flags.writeable = False
    return array


def _by_sentence(latest_first: npt.NDArray[np.float32], sentences: int, memory_size: int) -> npt.NDArray[np.float32]:
    """The attention on each sentence of a story, oldest first, from the attention on memory slots."""
    kept = min(sentences, memory_size)
    attention = np.ascontiguousarray(latest_first[:, :kept][:, ::-1])  # a copy, so that the batch's array can be freed
    return np.pad(attention, ((0, 0), (sentences - kept, 0))) if kept < sentences else attention
