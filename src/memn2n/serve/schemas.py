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


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Request(_Fields):
    model: str | None = Field(
        None, description="Name of the model; by default, the first model of the right kind.", examples=[None]
    )

    @model_validator(mode="before")
    @classmethod
    def _check_number_of_fields(cls, given: object) -> object:
        if isinstance(given, dict):
            inner = given.get("questions")
            objects = (given, *inner) if isinstance(inner, list) else (given,)
            if any(isinstance(one, dict) and len(one) > FIELDS for one in objects):
                raise PydanticCustomError(TOO_MANY_FIELDS, "an object has too many fields; /docs lists the fields")
        return given


class _QARequest(_Request):
    top: int = Field(5, ge=1, description="Number of most probable answers to include.")
    renamings: int = Field(
        1, ge=1, description="Number of random renamings of the exchangeable words to average the answers over."
    )
    attention: bool = Field(True, description="Whether to include the attention; without it, responses are shorter.")


class StoryQuestion(_Fields):
    """A question about a story."""

    story: Annotated[list[str], FailFast()] = Field(description="Sentences, oldest first.", examples=[_STORY])
    question: str = Field(examples=[_QUESTION])


class AnswerRequest(_QARequest, StoryQuestion):
    """A question about a story, for one model."""


class AnswersRequest(_QARequest):
    """Many questions about stories, for one model."""

    questions: Annotated[list[StoryQuestion], FailFast()] = Field(description="At least one question.")


class NextWordsRequest(_Request):
    """A text whose next word is to be predicted."""

    text: str = Field(
        "",
        description="The words so far. If there are none, the first word of a sentence is predicted.",
        examples=["the company said"],
    )
    top: int = Field(10, ge=1, description="Number of most probable words to include.")


class ScoreRequest(_Request):
    """A text whose words are to be scored."""

    text: str = Field(description="A text of at least two words.", examples=["the company said it will"])


class QAAnswer(BaseModel):
    """An answer, with the attention that led to it."""

    prediction: str = Field(description="The answer.", examples=["bathroom"])
    probability: float = Field(description="Probability of the answer, 0 to 1.", examples=[0.98])
    top: list[list[str | float]] = Field(
        description="The most probable answers, as pairs of answer and probability.",
        examples=[[["bathroom", 0.98], ["hallway", 0.02]]],
    )
    attention: list[list[float]] | None = Field(
        description="For each hop, the weight on each sentence. The rest of each hop is on empty memory slots.",
        examples=[[[0.93, 0.01], [0.97, 0.02], [0.99, 0.0]]],
    )
    dropped: list[int] = Field(
        description="Positions, from 0, of the sentences that did not fit into the memory.", examples=[[]]
    )
    unknown_words: list[str] = Field(
        description="Words of the story and the question that are not in the vocabulary, and that no class of "
        "exchangeable words fits.", examples=[[]],
    )  # fmt: skip
    placed: list[list[str]] = Field(
        description="The other words that are not in the vocabulary, as pairs of the word and the known word that it "
        "stood as.", examples=[[]],
    )  # fmt: skip


class AnswerResponse(QAAnswer):
    """An answer, and the model that gave it."""

    model: str = Field(examples=["stories"])


class AnswersResponse(BaseModel):
    """Answers in the order of the questions."""

    model: str = Field(examples=["stories"])
    answers: list[QAAnswer]


class NextWord(BaseModel):
    """A possible next word."""

    word: str = Field(examples=["it"])
    probability: float = Field(examples=[0.21])


class NextWordsResponse(BaseModel):
    """The most probable next words, with the attention that led to them."""

    model: str = Field(examples=["ptb"])
    memory: list[str] = Field(description="The words in the memory, oldest first.",
                              examples=[["the", "company", "said"]])  # fmt: skip
    next: list[NextWord]
    attention: list[list[float]] = Field(
        description="For each hop, the weight on each word in the memory.", examples=[[[0.1, 0.2, 0.7]]]
    )
    unknown_words: list[str] = Field(description="Words of the text that are not in the vocabulary.", examples=[[]])


class ScoredWord(BaseModel):
    """A word of a text, with its probability."""

    word: str = Field(examples=["company"])
    log_probability: float | None = Field(
        description="In nats, given the words before; null for the first word.", examples=[-4.2]
    )
    bits: float | None = Field(description="The log-probability in bits.", examples=[-6.06])
    unknown: bool = Field(description="Whether the word is not in the vocabulary.", examples=[False])


class ScoreResponse(BaseModel):
    """The probability of each word of a text."""

    model: str = Field(examples=["ptb"])
    words: list[ScoredWord]
    loss: float = Field(description="Mean cross-entropy, in nats a word.", examples=[4.9])
    perplexity: float = Field(description="exp(loss).", examples=[134.3])


class ServedModel(BaseModel):
    """A model that is served."""

    name: str = Field(examples=["stories"])
    sha256: str | None = Field(
        description="SHA-256 of the model's file model.safetensors when it was loaded; null if it has no file."
    )
    kind: str = Field(description='"qa" (question answering) or "lm" (language modelling).', examples=["qa"])
    family: str = Field(description="The family of networks.", examples=["memn2n"])
    hops: int | None = Field(description="How often the network reads its memory; null if its family does not say.")
    dim: int | None = Field(description="Size of the embeddings and the state; null if its family does not say.")
    memory_size: int = Field(description="Number of sentences (qa) or words (lm) that the memory holds.")
    words: int = Field(description="Number of words in the vocabulary.")
    exchangeable: int = Field(
        description="Number of words that can be exchanged for others, such as names of persons, or swapped with "
        "others together, such as the directions of a compass."
    )
    networks: int = Field(description="Number of networks in the ensemble; 1 if it is none.")


class ModelsResponse(BaseModel):
    """The models that are served, and the limits on requests."""

    version: str = Field(description="Version of memn2n.")
    models: list[ServedModel]
    limits: dict[str, float] = Field(description="The limits on requests.")


class StoryExample(StoryQuestion):
    """A simulated story with a question and its answer."""

    task: int = Field(description="Number of the bAbI task.")
    skill: str = Field(examples=["single supporting fact"])
    answer: str
    support: list[int] = Field(description="Positions, from 0, of the supporting facts.")


class ExamplesResponse(BaseModel):
    """One example for each skill."""

    examples: list[StoryExample]


class HealthResponse(BaseModel):
    """A sign that the server is running."""

    status: str = Field(examples=["ok"])


class ErrorDetails(BaseModel):
    """What is wrong with a request."""

    code: str = Field(examples=["invalid"])
    message: str = Field(examples=["question is missing"])
    field: str | None = Field(description="The field that is wrong, if it is one.", examples=["question"])


class ErrorResponse(BaseModel):
    """A response that says what is wrong with a request."""

    error: ErrorDetails
