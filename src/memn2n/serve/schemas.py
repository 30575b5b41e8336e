"""The JSON objects of requests and responses. The OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from memn2n.serve.limits import FIELDS

TOO_MANY_FIELDS = "too_many_fields"
"""Pydantic's type of the error for an object with more than ``FIELDS`` fields."""

_STORY = ["Mary moved to the bathroom.", "John went to the hallway."]
_QUESTION = "Where is Mary?"

ModelName = Annotated[
    str | None,
    Field(description="Name of the model; by default, the first model of the right kind.", examples=[None]),
]
Attention = Annotated[bool, Field(description="Whether to include the attention; without it, responses are shorter.")]
AnswerTop = Annotated[int, Field(ge=1, description="Number of most probable answers to include.")]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Request(_Fields):
    @model_validator(mode="before")
    @classmethod
    def _check_number_of_fields(cls, given: object) -> object:
        if isinstance(given, dict):
            inner = given.get("questions")
            objects = (given, *inner) if isinstance(inner, list) else (given,)
            if any(isinstance(one, dict) and len(one) > FIELDS for one in objects):
                raise PydanticCustomError(TOO_MANY_FIELDS, "an object has too many fields; /docs lists the fields")
        return given


class StoryQuestion(_Fields):
    """A question about a story."""

    story: Annotated[list[str], FailFast(), Field(description="Sentences, oldest first.", examples=[_STORY])]
    question: Annotated[str, Field(examples=[_QUESTION])]


class AnswerRequest(StoryQuestion, _Request):
    """A question about a story, for one model."""

    model: ModelName = None
    top: AnswerTop = 5
    attention: Attention = True


class AnswersRequest(_Request):
    """Many questions about stories, for one model."""

    questions: Annotated[list[StoryQuestion], FailFast(), Field(description="At least one question.")]
    model: ModelName = None
    top: AnswerTop = 5
    attention: Attention = True


class NextWordsRequest(_Request):
    """A text whose next word is to be predicted."""

    text: Annotated[
        str,
        Field(
            description="The words so far. If there are none, the first word of a sentence is predicted.",
            examples=["the company said"],
        ),
    ] = ""
    model: ModelName = None
    top: Annotated[int, Field(ge=1, description="Number of most probable words to include.")] = 10


class ScoreRequest(_Request):
    """A text whose words are to be scored."""

    text: Annotated[str, Field(description="A text of at least two words.", examples=["the company said it will"])]
    model: ModelName = None


class QAAnswer(BaseModel):
    """An answer, with the attention that led to it."""

    prediction: Annotated[str, Field(description="The answer.", examples=["bathroom"])]
    probability: Annotated[float, Field(description="Probability of the answer, 0 to 1.", examples=[0.98])]
    top: Annotated[
        list[list[str | float]],
        Field(
            description="The most probable answers, as pairs of answer and probability.",
            examples=[[["bathroom", 0.98], ["hallway", 0.02]]],
        ),
    ]
    attention: Annotated[
        list[list[float]] | None,
        Field(
            description="For each hop, the weight on each sentence. The rest of each hop is on empty memory slots.",
            examples=[[[0.93, 0.01], [0.97, 0.02], [0.99, 0.0]]],
        ),
    ]
    dropped: Annotated[
        list[int],
        Field(description="Positions, from 0, of the sentences that did not fit into the memory.", examples=[[]]),
    ]
    unknown_words: Annotated[
        list[str],
        Field(description="Words of the story and the question that are not in the vocabulary.", examples=[[]]),
    ]


class AnswerResponse(QAAnswer):
    """An answer, and the model that gave it."""

    model: Annotated[str, Field(examples=["stories"])]


class AnswersResponse(BaseModel):
    """Answers in the order of the questions."""

    model: Annotated[str, Field(examples=["stories"])]
    answers: list[QAAnswer]


class NextWord(BaseModel):
    """A possible next word."""

    word: Annotated[str, Field(examples=["it"])]
    probability: Annotated[float, Field(examples=[0.21])]


class NextWordsResponse(BaseModel):
    """The most probable next words, with the attention that led to them."""

    model: Annotated[str, Field(examples=["ptb"])]
    memory: Annotated[
        list[str],
        Field(description="The words in the memory, oldest first.", examples=[["the", "company", "said"]]),
    ]
    next: list[NextWord]
    attention: Annotated[
        list[list[float]],
        Field(description="For each hop, the weight on each word in the memory.", examples=[[[0.1, 0.2, 0.7]]]),
    ]
    unknown_words: Annotated[
        list[str], Field(description="Words of the text that are not in the vocabulary.", examples=[[]])
    ]


class ScoredWord(BaseModel):
    """A word of a text, with its probability."""

    word: Annotated[str, Field(examples=["company"])]
    log_probability: Annotated[
        float | None, Field(description="In nats, given the words before; null for the first word.", examples=[-4.2])
    ]
    bits: Annotated[float | None, Field(description="The log-probability in bits.", examples=[-6.06])]
    unknown: Annotated[bool, Field(description="Whether the word is not in the vocabulary.", examples=[False])]


class ScoreResponse(BaseModel):
    """The probability of each word of a text."""

    model: Annotated[str, Field(examples=["ptb"])]
    words: list[ScoredWord]
    loss: Annotated[float, Field(description="Mean cross-entropy, in nats a word.", examples=[4.9])]
    perplexity: Annotated[float, Field(description="exp(loss).", examples=[134.3])]


class ServedModel(BaseModel):
    """A model that is served."""

    name: Annotated[str, Field(examples=["stories"])]
    kind: Annotated[str, Field(description='"qa" (question answering) or "lm" (language modelling).', examples=["qa"])]
    hops: int
    dim: Annotated[int, Field(description="Size of the embeddings and the state.")]
    memory_size: Annotated[int, Field(description="Number of sentences (qa) or words (lm) that the memory holds.")]
    words: Annotated[int, Field(description="Number of words in the vocabulary.")]
    networks: Annotated[int, Field(description="Number of networks in the ensemble; 1 if it is none.")]


class ModelsResponse(BaseModel):
    """The models that are served, and the limits on requests."""

    version: Annotated[str, Field(description="Version of memn2n.")]
    models: list[ServedModel]
    limits: Annotated[dict[str, float], Field(description="The limits on requests.")]


class StoryExample(StoryQuestion):
    """A simulated story with a question and its answer."""

    task: Annotated[int, Field(description="Number of the bAbI task.")]
    skill: Annotated[str, Field(examples=["single supporting fact"])]
    answer: str
    support: Annotated[list[int], Field(description="Positions, from 0, of the supporting facts.")]


class ExamplesResponse(BaseModel):
    """One example for each skill."""

    examples: list[StoryExample]


class HealthResponse(BaseModel):
    """A sign that the server is running."""

    status: Annotated[str, Field(examples=["ok"])]


class ErrorDetails(BaseModel):
    """What is wrong with a request."""

    code: Annotated[str, Field(examples=["invalid"])]
    message: Annotated[str, Field(examples=["question is missing"])]
    field: Annotated[str | None, Field(description="The field that is wrong, if it is one.", examples=["question"])]


class ErrorResponse(BaseModel):
    """A response that says what is wrong with a request."""

    error: ErrorDetails
