"""The routes of the HTTP API."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

import memn2n
from memn2n.errors import InputError
from memn2n.lm.answers import perplexity
from memn2n.serve import schemas
from memn2n.serve.bodies import checked_route
from memn2n.serve.checks import check_questions, check_renamings, check_story, check_text, check_top
from memn2n.serve.models import QueuedQuestion, ServedLM, ServedQA, describe
from memn2n.serve.refusals import RESPONSES, invalid, json_response

if TYPE_CHECKING:
    from memn2n.qa.answers import Answer
    from memn2n.serve.batching import BatchQueue
    from memn2n.serve.limits import Limits
    from memn2n.serve.metrics import RequestMetrics
    from memn2n.serve.models import Models

_GET_RESPONSES: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (401, 422, 503)}


def routes(models: Models, limits: Limits, metrics: RequestMetrics, examples: BatchQueue[int, Any]) -> APIRouter:
    """The routes for some models. ``examples`` simulates the example stories for a seed."""
    router = APIRouter(route_class=checked_route(limits))

    @router.post("/api/answer", response_model=schemas.AnswerResponse, responses=RESPONSES, tags=["stories"])
    async def answer(request: schemas.AnswerRequest) -> Response:
        """Answer a question about a story, with the attention of each hop."""
        model = models.get(ServedQA, request.model)
        check_top(request.top, limits)
        check_renamings(request.renamings, limits)
        check_story(request, limits)
        asked = QueuedQuestion(request.story, request.question, request.top, request.renamings)
        (result,) = await model.answers([asked])
        metrics.asked(model.name)
        return json_response({"model": model.name, **_answer(result, request.top, request.attention)})

    @router.post("/api/answers", response_model=schemas.AnswersResponse, responses=RESPONSES, tags=["stories"])
    async def answers(request: schemas.AnswersRequest) -> Response:
        """Answer many questions at once. The answers have the order of the questions."""
        model = models.get(ServedQA, request.model)
        await asyncio.to_thread(check_questions, request.questions, limits)  # long, so that others are answered
        check_top(request.top, limits, len(request.questions))
        check_renamings(request.renamings, limits, len(request.questions))
        results = await model.answers([QueuedQuestion(one.story, one.question, request.top, request.renamings)
                                       for one in request.questions])  # fmt: skip
        metrics.asked(model.name, len(request.questions))
        content = [_answer(result, request.top, request.attention) for result in results]
        return json_response({"model": model.name, "answers": content})

    @router.post("/api/next-words", response_model=schemas.NextWordsResponse, responses=RESPONSES, tags=["text"])
    async def next_words(request: schemas.NextWordsRequest) -> Response:
        """Predict the next word of a text, with the attention of each hop to the words before."""
        model = models.get(ServedLM, request.model)
        check_top(request.top, limits)
        check_text(request.text, model.model.vocabulary, limits)
        result = await model.next_words(request.text, request.top)
        metrics.asked(model.name)
        return json_response({"model": model.name, **result.to_dict()})

    @router.post("/api/score", response_model=schemas.ScoreResponse, responses=RESPONSES, tags=["text"])
    async def score(request: schemas.ScoreRequest) -> Response:
        """Compute the probability of each word of a text, given the words before it."""
        model = models.get(ServedLM, request.model)
        check_text(request.text, model.model.vocabulary, limits)
        try:
            words = await model.score(request.text)
        except InputError as error:
            raise invalid(str(error), "text") from None
        metrics.asked(model.name)
        loss = -math.fsum(word.log_probability or 0.0 for word in words) / (len(words) - 1)
        content = {"words": [word.to_dict() for word in words], "loss": loss, "perplexity": perplexity(loss)}
        return json_response({"model": model.name, **content})

    @router.get("/api/models", response_model=schemas.ModelsResponse, responses=_GET_RESPONSES, tags=["server"])
    async def list_models() -> Response:
        """List the models that are served, and the limits on requests."""
        content = [describe(model) for model in models.all]
        return json_response({"version": memn2n.__version__, "models": content, "limits": limits.to_dict()})

    @router.get("/api/examples", response_model=schemas.ExamplesResponse, responses=_GET_RESPONSES, tags=["stories"])
    async def list_examples(
        seed: Annotated[int, Query(ge=0, le=2**31 - 1, description="Each seed gives other stories.")] = 0,
    ) -> Response:
        """Simulate one story for each of bAbI's 20 skills, to try a model with."""
        (result,) = await examples.run([seed])
        return json_response({"examples": result})

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", response_model=schemas.HealthResponse, tags=["server"])
    async def health() -> Response:
        """Report that the server is running."""
        return json_response({"status": "ok"})

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", response_model=schemas.HealthResponse, responses={503: RESPONSES[503]}, tags=["server"])
    async def ready() -> Response:
        """Report that each model answers: it is asked a question."""
        await models.check()
        return json_response({"status": "ok"})

    @router.get("/metrics", response_class=Response, responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        401: RESPONSES[401],
    }, tags=["server"])  # fmt: skip
    async def read_metrics() -> Response:
        """Report the server's metrics, for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(answer: Answer, top: int, attention: bool) -> dict[str, Any]:
    """The fields of ``schemas.QAAnswer``.

    ``Answer.to_dict`` rounds the weights, which takes as long as everything else that it does.
    """
    return {
        "prediction": answer.text,
        "probability": answer.probability,
        "top": answer.top[:top],
        "attention": answer.attention if attention else None,
        "dropped": answer.dropped,
        "unknown_words": answer.unknown_words,
        "placed": answer.placed,
    }
