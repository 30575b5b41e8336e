"""The models that are served, by name."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from memn2n.errors import InputError
from memn2n.files.model_folder import WEIGHTS, kind_of
from memn2n.lm.config import KIND as LM
from memn2n.machine import need_torch
from memn2n.qa.config import FamilyConfig
from memn2n.qa.model import KIND as QA
from memn2n.qa.model import StoryQA
from memn2n.qa.networks import family_name
from memn2n.qa.predict import batch_size
from memn2n.qa.pretrained import folder_of, load_qa, names_pretrained
from memn2n.serve.batching import BatchQueue
from memn2n.serve.limits import READY_SECONDS
from memn2n.serve.refusals import not_ready, unknown_model
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memn2n.lm.answers import NextWords, WordScore
    from memn2n.lm.model import MemoryLM
    from memn2n.qa.answers import Answer
    from memn2n.serve.limits import Limits

_log = logging.getLogger(__name__)


class QueuedQuestion(NamedTuple):
    """A question in a model's queue."""

    story: Sequence[str]
    question: str
    top: int
    renamings: int = 1


class ServedQA:
    """A question answering model and its queue."""

    kind = QA
    task = "question answering"

    def __init__(self, name: str, model: StoryQA, limits: Limits, sha256: str | None = None) -> None:
        self.name = name
        self.sha256 = sha256
        self.model = model
        self._batch = batch_size(model.network.shape)
        self.queue: BatchQueue[QueuedQuestion, Answer] = BatchQueue(self._answer, limits.queue, self._batch)

    async def answers(self, questions: Sequence[QueuedQuestion]) -> list[Answer]:
        """The answers to some questions, in their order.

        ``Answer.top`` may be longer than asked for, because all questions of a batch get the largest ``top`` among
        them.

        Raises:
            RefusedError: 503, if too many requests wait.
        """
        answers: list[Answer] = []
        size = max(1, self._batch // max((question.renamings for question in questions), default=1))
        for start in range(0, len(questions), size):  # other requests get their turn between the batches
            answers += await self.queue.run(questions[start : start + size])
        return answers

    async def check(self) -> None:
        """Ask the model a question. Raises whatever it raises."""
        await self.answers([QueuedQuestion(["a"], "a", 1)])

    def _answer(self, questions: list[QueuedQuestion]) -> list[Answer]:
        top = max(question.top for question in questions)
        answers: dict[int, Answer] = {}
        for renamings in {question.renamings for question in questions}:
            chosen = [i for i, question in enumerate(questions) if question.renamings == renamings]
            asked = [(questions[i].story, questions[i].question) for i in chosen]
            answers |= zip(chosen, self.model.answer_many(asked, top=top, renamings=renamings), strict=True)
        return [answers[i] for i in range(len(questions))]


class ServedLM:
    """A language model and its queue."""

    kind = LM
    task = "language modelling"

    def __init__(self, name: str, model: MemoryLM, limits: Limits, sha256: str | None = None) -> None:
        self.name = name
        self.sha256 = sha256
        self.model = model
        self.queue: BatchQueue[Callable[[], Any], Any] = BatchQueue(lambda calls: [call() for call in calls],
                                                                    limits.queue, 1)  # fmt: skip

    async def next_words(self, text: str, top: int) -> NextWords:
        """The most probable next words of a text.

        Raises:
            RefusedError: 503, if too many requests wait.
        """
        (words,) = await self.queue.run([lambda: self.model.next_words(text, top=top)])
        return cast("NextWords", words)

    async def check(self) -> None:
        """Ask the model for a next word. Raises whatever it raises."""
        await self.next_words("", 1)

    async def score(self, text: str) -> list[WordScore]:
        """The words of a text, each with its log-probability.

        Raises:
            InputError: if there are fewer than two words, or no known one.
            RefusedError: 503, if too many requests wait.
        """
        content = text.encode()
        (words,) = await self.queue.run([lambda: list(self.model.score(self.model.read(content, "text")))])
        return cast("list[WordScore]", words)


Served = ServedQA | ServedLM
M = TypeVar("M", ServedQA, ServedLM)


class Models:
    """All models that are served. The first model of each kind is the default of its kind.

    Raises:
        InputError: if two models have the same name.
    """

    def __init__(self, served: Iterable[Served]) -> None:
        self.all = tuple(served)
        self._check: asyncio.Task[None] | None = None
        for name, number in Counter(model.name for model in self.all).items():
            if number > 1:
                raise InputError(f"two models are named {name}; give one of them another name: NAME=DIR")

    def get(self, kind: type[M], name: str | None) -> M:
        """The model of this kind with this name, by default the first of its kind.

        Raises:
            RefusedError: 404, if there is no such model.
        """
        candidates = [model for model in self.all if isinstance(model, kind)]
        for model in candidates:
            if name in (None, model.name):
                return model
        remedy = f"choose from {', '.join(model.name for model in candidates)}" if candidates else "none is served"
        if any(name == model.name for model in self.all):
            raise unknown_model(f"{quoted(name)} is not a {kind.task} model; {remedy}")
        raise unknown_model(
            f"there is no {kind.task} model{'' if name is None else f' named {quoted(name)}'}; {remedy}"
        )

    async def check(self) -> None:
        """Ask each model a question.

        Callers share a check that is under way, so that checks, which need no token, cannot fill the queues.

        Raises:
            RefusedError: 503, if a model does not answer.
        """
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._check_each())
        await asyncio.shield(self._check)

    async def _check_each(self) -> None:
        for model in self.all:
            try:
                async with asyncio.timeout(READY_SECONDS):
                    await model.check()
            except Exception:
                _log.exception("the model %s does not answer", model.name)
                raise not_ready(model.name) from None


def load_models(given: Mapping[str, StoryQA | MemoryLM] | Iterable[str], limits: Limits) -> Models:
    """Load models to serve.

    Args:
        given: models by name; or for each model, a directory or the name of a pretrained model. A model is named after
            its directory; NAME=DIR gives it another name. If there is none, the model that comes with the package is
            loaded.
        limits: the limits on the queues.

    Raises:
        ModelError: if a directory holds no model, or a damaged one.
        ConfigError: if there is a language model, and PyTorch is not installed.
        InputError: if two models have the same name.
    """
    if isinstance(given, Mapping):
        return Models(ServedQA(name, model, limits) if isinstance(model, StoryQA) else ServedLM(name, model, limits)
                      for name, model in given.items())  # fmt: skip
    given = [given] if isinstance(given, str) else list(given)
    return Models(_load(one, limits) for one in given or ["stories"])


def _load(given: str, limits: Limits) -> Served:
    name, equals, place = given.partition("=")
    if not equals or not name or "/" in name:  # the equals sign is part of a path, or there is none
        place = given
        name = Path(given).resolve().name
    if not name.isprintable():
        raise InputError(
            f"{quoted(place)}: the directory's name is not printable; give the model another name: NAME=DIR"
        )
    digest = _sha256(folder_of(place) / WEIGHTS)
    if not names_pretrained(place) and kind_of(place) == LM:
        need_torch(f"the language model {place}")
        from memn2n.lm.model import MemoryLM

        return ServedLM(name, MemoryLM.load(place), limits, digest)
    return ServedQA(name, load_qa(place), limits, digest)


def _sha256(path: Path) -> str | None:
    """The SHA-256 of a file; None if it cannot be read, of which loading the model gives the reason."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def describe(served: Served) -> dict[str, Any]:
    """The fields of ``schemas.ServedModel``."""
    config = served.model.network.config
    return {
        "name": served.name,
        "sha256": served.sha256,
        "kind": served.kind,
        "family": family_name(config) if isinstance(config, FamilyConfig) else "memn2n",
        "hops": getattr(config, "hops", None),
        "dim": getattr(config, "dim", None),
        "memory_size": config.memory_size,
        "words": len(served.model.vocabulary.words if isinstance(served, ServedQA) else served.model.vocabulary),
        "exchangeable": len(served.model.symmetries.words) if isinstance(served, ServedQA) else 0,
        "networks": len(served.model.networks) if isinstance(served, ServedQA) else 1,
    }
