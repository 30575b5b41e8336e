"""Which symmetries a training uses: those that were given, those of an earlier model, or those found in the data."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Literal

from memn2n.errors import ConfigError, DataWarning, Setting
from memn2n.qa.stories import vocabulary_of
from memn2n.qa.symmetries.classes import Symmetries, parts_of_answer
from memn2n.qa.symmetries.renaming import renamed_answers
from memn2n.qa.vocabulary import answer_symbol
from memn2n.terminal import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from memn2n.qa.candidates import Candidates
    from memn2n.qa.stories import Example
    from memn2n.qa.vocabulary import Vocabulary


def choose_symmetries(
    given: Symmetries | Literal["auto", "none"], examples: Sequence[Example], candidates: Candidates | None,
    lowercase: bool, threads: int | None = None, known: Vocabulary | None = None,
) -> Symmetries:  # fmt: skip
    """The symmetries of a training, in the form of its vocabulary.

    Args:
        given: what the caller gave; "auto" finds them in the examples.
        examples: the training examples.
        candidates: the answers to choose from, if they are not words. Then only symmetries of all tasks are found.
        lowercase: whether case is ignored.
        threads: how many networks "auto" trains at a time; by default one for each core.
        known: the vocabulary, if it is not made of the examples; its words need not be in them.

    Raises:
        ConfigError: if ``given`` is something else, or has a word that the examples do not have.
    """
    if isinstance(given, Symmetries):
        same = given.in_form(partial(answer_symbol, lowercase=lowercase))
        foreign = foreign_word(same, examples, candidates, lowercase, known)
        if foreign is not None:
            problem = f": the word {quoted(foreign[1])} is not in the training data; leave it out"
            raise ConfigError(Setting("symmetries"), problem)
        if known is None:
            _warn_of_unknown_tasks(same, {example.task for example in examples})
        return same
    if given == "auto":
        from memn2n.qa.symmetries.finder import find_symmetries

        found = find_symmetries(examples, lowercase, threads=threads).symmetries
        if candidates is not None:
            return found.of_all({example.task for example in examples})
        return _with_known_answers(found, examples, lowercase, known)
    if str(given) != "none":
        problem = (
            f" is {quoted(given)}: it must be auto, none, or Symmetries, which memn2n.read_symmetries reads from a file"
        )
        raise ConfigError(Setting("symmetries"), problem)
    return Symmetries()


def _warn_of_unknown_tasks(symmetries: Symmetries, tasks: Collection[str]) -> None:
    unknown = sorted({task for part in symmetries.parts for task in part.tasks} - set(tasks))
    if unknown:
        message = f"the symmetries name {'a task' if len(unknown) == 1 else 'tasks'} that no training question has: "
        warnings.warn(f"{message}{listed(unknown)}", DataWarning, stacklevel=5)


def _with_known_answers(
    symmetries: Symmetries, examples: Sequence[Example], lowercase: bool, known: Vocabulary | None
) -> Symmetries:  # fmt: skip
    """The symmetries that were found, without those that a training would refuse.

    They are those with words that the vocabulary lacks; and those of words in answers of several words, if renaming
    made too many new answers, or answers that the vocabulary lacks.
    """
    words = None if known is None else set(known.words)
    if words is not None:
        symmetries = symmetries.only_if(lambda part: words.issuperset(part.words))
    try:
        new = renamed_answers(examples, symmetries, lowercase)
        if words is None or new <= words:
            return symmetries
    except ConfigError:
        pass
    several = (parts_of_answer(answer_symbol(example.answer, lowercase)) for example in examples)
    in_answers = {word for parts in several if len(parts) > 1 for word in parts}
    return symmetries.only_if(lambda part: in_answers.isdisjoint(part.words))


def foreign_word(
    symmetries: Symmetries, examples: Sequence[Example], candidates: Candidates | None, lowercase: bool,
    known: Vocabulary | None = None,
) -> tuple[int, str] | None:  # fmt: skip
    """A word that the examples do not have, with the position of its class or swap in ``parts``; None if there is none.

    The words of an answer count too: those between spaces and commas.
    """
    vocabulary = vocabulary_of(examples, lowercase, candidates) if known is None else known
    words = {part for entry in vocabulary.words for part in (entry, *parts_of_answer(entry))}
    for position, part in enumerate(symmetries.parts):
        for word in part.words:
            if word not in words:
                return position, word
    return None
