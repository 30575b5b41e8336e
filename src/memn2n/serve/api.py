"""The routes of the API."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

import memn2n
from memn2n.errors import InputError
from memn2n.lm.answers import perplexity
from memn2n.serve.checks import check_questions, check_story, check_text, check_top
from memn2n.serve.metrics import CONTENT_TYPE
from memn2n.serve.models import Question
from memn2n.serve.refusals import RefusedError, json_response
from memn2n.serve.schemas import (
    AnswerRequest,
    AnswerResponse,
    AnswersRequest,
    AnswersResponse,
    ErrorResponse,
    ExamplesResponse,
    Health,
    ModelsResponse,
    NextWordsRequest,
    NextWordsResponse,
    ScoreRequest,
    ScoreResponse,
)

if TYPE_CHECKING:
    from memn2n.qa.answers import Answer
    from memn2n.serve.lanes import Lane
    from memn2n.serve.limits import Limits
    from memn2n.serve.metrics import Metrics
    from memn2n.serve.models import Models

_REFUSALS = {
    400: "The body is not JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such model.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "The request cannot be answered: `message` says why, and `field` where.",
    503: "Too many requests wait, or there was no answer in time: try again after `Retry-After` seconds.",
}
_ASKED: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "model": ErrorResponse} for status, text in _REFUSALS.items()
}
_READ: dict[int | str, dict[str, Any]] = {status: _ASKED[status] for status in (401, 422, 503)}


def routes(models: Models, limits: Limits, metrics: Metrics, examples: Lane[int, Any]) -> APIRouter:
    """The routes for these models; ``examples`` simulates stories for a seed."""
    router = APIRouter()

    @router.post("/api/answer", response_model=AnswerResponse, responses=_ASKED, tags=["stories"])
    async def answer(asked: AnswerRequest) -> Response:
        """Answer a question about a story, and tell where each hop looked."""
        model = models.qa(asked.model)
        check_top(asked.top, limits)
        check_story(asked, limits)
        (found,) = await model.answers([Question(asked.story, asked.question, asked.top)])
        metrics.asked(model.name)
        return json_response({"model": model.name, **_answer(found, asked.top, asked.attention)})

    @router.post("/api/answers", response_model=AnswersResponse, responses=_ASKED, tags=["stories"])
    async def answers(asked: AnswersRequest) -> Response:
        """Answer many questions at once, in their order."""
        model = models.qa(asked.model)
        check_questions(asked.questions, limits)
        check_top(asked.top, limits, len(asked.questions))
        found = await model.answers([Question(one.story, one.question, asked.top) for one in asked.questions])
        metrics.asked(model.name, len(asked.questions))
        told = [_answer(one, asked.top, asked.attention) for one in found]
        return json_response({"model": model.name, "answers": told})

    @router.post("/api/next-words", response_model=NextWordsResponse, responses=_ASKED, tags=["text"])
    async def next_words(asked: NextWordsRequest) -> Response:
        """Tell what may come after a text, and which of its words each hop looks at."""
        model = models.lm(asked.model)
        check_top(asked.top, limits)
        check_text(asked.text, model.model.vocabulary, limits)
        found = await model.next_words(asked.text, asked.top)
        metrics.asked(model.name)
        return json_response({"model": model.name, **found.to_dict()})

    @router.post("/api/score", response_model=ScoreResponse, responses=_ASKED, tags=["text"])
    async def score(asked: ScoreRequest) -> Response:
        """Tell how probable each word of a text is, given the words before it."""
        model = models.lm(asked.model)
        check_text(asked.text, model.model.vocabulary, limits)
        try:
            words = await model.score(asked.text)
        except InputError as error:
            raise RefusedError(422, "invalid", str(error), "text") from None
        metrics.asked(model.name)
        loss = -math.fsum(word.log_probability or 0.0 for word in words) / (len(words) - 1)
        told = {"words": [word.to_dict() for word in words], "loss": loss, "perplexity": perplexity(loss)}
        return json_response({"model": model.name, **told})

    @router.get("/api/models", response_model=ModelsResponse, responses=_READ, tags=["server"])
    async def list_models() -> Response:
        """Tell which models are served, and what requests may ask for."""
        told = [model.describe() for model in models.all]
        return json_response({"version": memn2n.__version__, "models": told, "limits": limits.to_dict()})

    @router.get("/api/examples", response_model=ExamplesResponse, responses=_READ, tags=["stories"])
    async def list_examples(
        seed: Annotated[int, Query(ge=0, le=2**31 - 1, description="Another seed, other stories.")] = 0,
    ) -> Response:
        """Simulate a story of each of bAbI's 20 skills, to try a model with."""
        (found,) = await examples.run([seed])
        return json_response({"examples": found})

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", response_model=Health, tags=["server"])
    async def health() -> Response:
        """Tell that the server is there."""
        return json_response({"status": "ok"})

    @router.get("/metrics", response_class=Response, responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        401: _ASKED[401],
    }, tags=["server"])  # fmt: skip
    async def read_metrics() -> Response:
        """Tell what the server has counted, for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router


def _answer(answer: Answer, top: int, attention: bool) -> dict[str, Any]:
    """``Answer.to_dict`` without its rounding, which takes as long as all the rest of it."""
    return {
        "prediction": answer.text,
        "probability": answer.probability,
        "top": answer.top[:top],
        "attention": answer.attention if attention else None,
        "dropped": answer.dropped,
        "unknown_words": answer.unknown_words,
    }
