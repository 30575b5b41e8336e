"""The models that are served, by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from memn2n.errors import InputError
from memn2n.files.model_folder import kind_of
from memn2n.lm.model import MemoryLM
from memn2n.lm.training.run import KIND as LM
from memn2n.qa.model import KIND as QA
from memn2n.qa.pretrained import load_qa, names_pretrained
from memn2n.serve.lanes import Lane
from memn2n.serve.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memn2n.lm.answers import NextWords, WordScore
    from memn2n.lm.config import LMConfig
    from memn2n.qa.answers import Answer
    from memn2n.qa.config import NetworkConfig
    from memn2n.qa.model import StoryQA
    from memn2n.serve.limits import Limits

_AT_ONCE = 1024
"""Questions of a batch, which takes some 10 to 20 ms: single ones wait as long behind a request of many."""


class Question(NamedTuple):
    """What is asked."""

    story: Sequence[str]
    question: str
    top: int


class ServedQA:
    """A model of question answering, and its queue."""

    kind = QA
    what = "question answering"

    def __init__(self, name: str, model: StoryQA, limits: Limits) -> None:
        self.name = name
        self.model = model
        self.lane: Lane[Question, Answer] = Lane(self._answer, limits.queue, _AT_ONCE)

    async def answers(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers, each with as many of the most probable ones as the most that was asked for, or more.

        Raises:
            RefusedError: 503, if too many requests wait.
        """
        found: list[Answer] = []
        for start in range(0, len(questions), _AT_ONCE):  # between them, it is others' turn
            found += await self.lane.run(questions[start : start + _AT_ONCE])
        return found

    def describe(self) -> dict[str, Any]:
        """JSON values."""
        return _facts(self, self.model.network.config, len(self.model.vocabulary.words), len(self.model.networks))

    def _answer(self, questions: list[Question]) -> list[Answer]:
        top = max(question.top for question in questions)
        return self.model.answer_many([(story, text) for story, text, _ in questions], top=top)


class ServedLM:
    """A language model, and its queue."""

    kind = LM
    what = "language modelling"

    def __init__(self, name: str, model: MemoryLM, limits: Limits) -> None:
        self.name = name
        self.model = model
        self.lane: Lane[Callable[[], Any], Any] = Lane(lambda jobs: [job() for job in jobs], limits.queue, 1)

    async def next_words(self, text: str, top: int) -> NextWords:
        """What may come next.

        Raises:
            RefusedError: 503, if too many requests wait.
        """
        found: list[NextWords] = await self.lane.run([lambda: self.model.next_words(text, top=top)])
        return found[0]

    async def score(self, text: str) -> list[WordScore]:
        """The words of a text, each with its log-probability.

        Raises:
            InputError: if there are fewer than two words, or no known one.
            RefusedError: 503, if too many requests wait.
        """
        content = text.encode()
        found: list[list[WordScore]] = await self.lane.run(
            [lambda: list(self.model.score(self.model.read(content, "text")))]
        )
        return found[0]

    def describe(self) -> dict[str, Any]:
        """JSON values."""
        return _facts(self, self.model.network.config, len(self.model.vocabulary), 1)


Served = ServedQA | ServedLM
M = TypeVar("M", ServedQA, ServedLM)


class Models:
    """All models that are served, in order; the first of its kind is who is asked by default.

    Raises:
        InputError: if two have the same name.
    """

    def __init__(self, served: Iterable[Served]) -> None:
        self.all = tuple(served)
        names = [model.name for model in self.all]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two models are named {name}; name one of them: NAME=DIR")

    def qa(self, name: str | None) -> ServedQA:
        """The model of question answering of this name.

        Raises:
            RefusedError: 404, if there is none.
        """
        return self._one(ServedQA, name)

    def lm(self, name: str | None) -> ServedLM:
        """The language model of this name.

        Raises:
            RefusedError: 404, if there is none.
        """
        return self._one(ServedLM, name)

    def _one(self, kind: type[M], name: str | None) -> M:
        mine = [model for model in self.all if isinstance(model, kind)]
        for model in mine:
            if name in (None, model.name):
                return model
        there = f"there is: {', '.join(model.name for model in mine)}" if mine else "none is served"
        if any(name == model.name for model in self.all):
            message = f"{name!r} is a model of another kind; of {kind.what}, {there}"
        else:
            message = f"there is no model of {kind.what}{'' if name is None else f' named {name!r}'}; {there}"
        raise RefusedError(404, "unknown-model", message, "model")


def load_models(given: Sequence[str], limits: Limits) -> Models:
    """Load models to serve.

    Args:
        given: directories, or names of pretrained models, each named after its folder or, as NAME=DIR, otherwise; if
            there is none, the model that comes with the package.
        limits: of the queues.

    Raises:
        ModelError: if there is no model in a directory, or it is damaged.
        InputError: if two have the same name.
    """
    return Models(_load(one, limits) for one in given or ["stories"])


def _load(given: str, limits: Limits) -> Served:
    name, equals, place = given.partition("=")
    if not equals or not name or "/" in name:  # a folder's name may hold a sign of equality
        place = given
        name = Path(given).resolve().name
    if not name.isprintable():
        raise InputError(f"{place!r}: this folder's name cannot be shown; give the model another one: NAME=DIR")
    if not names_pretrained(place) and kind_of(place) == LM:
        return ServedLM(name, MemoryLM.load(place), limits)
    return ServedQA(name, load_qa(place), limits)


def _facts(served: Served, config: NetworkConfig | LMConfig, words: int, networks: int) -> dict[str, Any]:
    sizes = {"hops": config.hops, "dim": config.dim, "memory_size": config.memory_size}
    return {"name": served.name, "kind": served.kind, **sizes, "words": words, "networks": networks}
