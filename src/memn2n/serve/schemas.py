"""What requests and answers hold, as the OpenAPI document tells it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from memn2n.serve.refusals import TOO_MANY_FIELDS

_STORY = ["Mary moved to the bathroom.", "John went to the hallway."]
_QUESTION = "Where is Mary?"

ModelName = Annotated[
    str | None, Field(description="Who is asked; by default the first model of its kind.", examples=[None])
]
Attention = Annotated[bool, Field(description="Whether to tell the attention; without it, answers are shorter.")]
AnswerTop = Annotated[int, Field(ge=1, description="How many of the most probable answers to tell.")]


_MOST_FIELDS = 16
"""An object of more is refused before its fields are looked at: each unknown one would be an error of its own."""


_FEW = "an object has more fields than there are; /docs tells which there are"


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Request(_Fields):
    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, given: object) -> object:
        if isinstance(given, dict):
            inner = given.get("questions")
            objects = (given, *inner) if isinstance(inner, list) else (given,)
            if any(isinstance(one, dict) and len(one) > _MOST_FIELDS for one in objects):
                raise PydanticCustomError(TOO_MANY_FIELDS, _FEW)
        return given


class StoryQuestion(_Fields):
    """A question about a story."""

    story: Annotated[list[str], FailFast(), Field(description="Sentences, oldest first.", examples=[_STORY])]
    question: Annotated[str, Field(examples=[_QUESTION])]


class AnswerRequest(StoryQuestion, _Request):
    """A question, and whom to ask."""

    model: ModelName = None
    top: AnswerTop = 5
    attention: Attention = True


class AnswersRequest(_Request):
    """Many questions."""

    questions: Annotated[list[StoryQuestion], FailFast(), Field(description="At least one.")]
    model: ModelName = None
    top: AnswerTop = 5
    attention: Attention = True


class NextWordsRequest(_Request):
    """A text to go on from."""

    text: Annotated[
        str,
        Field(description="What was read; without a word, the beginning of a sentence.", examples=["the company said"]),
    ] = ""
    model: ModelName = None
    top: Annotated[int, Field(ge=1, description="How many of the most probable words to tell.")] = 10


class ScoreRequest(_Request):
    """A text to be scored."""

    text: Annotated[str, Field(description="Of a word or more.", examples=["the company said it will"])]
    model: ModelName = None


class QAAnswer(BaseModel):
    """An answer, and why it was given."""

    prediction: Annotated[str, Field(description="The answer.", examples=["bathroom"])]
    probability: Annotated[float, Field(description="How sure the network is of it, 0 to 1.", examples=[0.98])]
    top: Annotated[
        list[list[str | float]],
        Field(
            description="The most probable answers, each a pair of the answer and its probability.",
            examples=[[["bathroom", 0.98], ["hallway", 0.02]]],
        ),
    ]
    attention: Annotated[
        list[list[float]] | None,
        Field(
            description="Of each hop, the weight on each sentence; a hop's sum is 1 less what empty memory keeps.",
            examples=[[[0.93, 0.01], [0.97, 0.02], [0.99, 0.0]]],
        ),
    ]
    dropped: Annotated[
        list[int], Field(description="Positions of the sentences that memory had no room for.", examples=[[]])
    ]
    unknown_words: Annotated[
        list[str], Field(description="Words of story and question never seen in training.", examples=[[]])
    ]


class AnswerResponse(QAAnswer):
    """An answer, and who gave it."""

    model: Annotated[str, Field(examples=["stories"])]


class AnswersResponse(BaseModel):
    """The answers, in the order of the questions."""

    model: Annotated[str, Field(examples=["stories"])]
    answers: list[QAAnswer]


class NextWord(BaseModel):
    """A word that may come next."""

    word: Annotated[str, Field(examples=["it"])]
    probability: Annotated[float, Field(examples=[0.21])]


class NextWordsResponse(BaseModel):
    """What may come next, and why."""

    model: Annotated[str, Field(examples=["ptb"])]
    memory: Annotated[
        list[str],
        Field(description="The words that were read, oldest first.", examples=[["the", "company", "said"]]),
    ]
    next: list[NextWord]
    attention: Annotated[
        list[list[float]],
        Field(description="Of each hop, the weight on each word of memory.", examples=[[[0.1, 0.2, 0.7]]]),
    ]
    unknown_words: Annotated[list[str], Field(description="Words of the text never seen in training.", examples=[[]])]


class ScoredWord(BaseModel):
    """A word of a text."""

    word: Annotated[str, Field(examples=["company"])]
    log_probability: Annotated[
        float | None, Field(description="In nats, given the words before it; null for the first.", examples=[-4.2])
    ]
    bits: Annotated[float | None, Field(description="The log-probability in bits.", examples=[-6.06])]
    unknown: Annotated[bool, Field(description="Whether it was never seen in training.", examples=[False])]


class ScoreResponse(BaseModel):
    """How probable each word of a text is."""

    model: Annotated[str, Field(examples=["ptb"])]
    words: list[ScoredWord]
    loss: Annotated[float, Field(description="Mean cross-entropy, in nats a word.", examples=[4.9])]
    perplexity: Annotated[float, Field(description="exp(loss).", examples=[134.3])]


class ModelFacts(BaseModel):
    """A model that is served."""

    name: Annotated[str, Field(examples=["stories"])]
    kind: Annotated[str, Field(description='"qa": question answering, "lm": language modelling.', examples=["qa"])]
    hops: int
    dim: Annotated[int, Field(description="Size of embeddings and state.")]
    memory_size: Annotated[int, Field(description="Sentences, or words, that the memory holds.")]
    words: Annotated[int, Field(description="Size of the vocabulary.")]
    networks: Annotated[int, Field(description="More than one: an ensemble.")]


class ModelsResponse(BaseModel):
    """What is served."""

    version: Annotated[str, Field(description="Of memn2n.")]
    models: list[ModelFacts]
    limits: Annotated[dict[str, float], Field(description="What requests may ask for.")]


class StoryExample(StoryQuestion):
    """A simulated story, and a question about it."""

    task: Annotated[int, Field(description="The number of its task in bAbI.")]
    skill: Annotated[str, Field(examples=["single supporting fact"])]
    answer: str
    support: Annotated[list[int], Field(description="Positions of the sentences that the answer follows from.")]


class ExamplesResponse(BaseModel):
    """An example of each skill."""

    examples: list[StoryExample]


class Health(BaseModel):
    """That the server is there."""

    status: Annotated[str, Field(examples=["ok"])]


class Error(BaseModel):
    """What is wrong with a request."""

    code: Annotated[str, Field(examples=["invalid"])]
    message: Annotated[str, Field(examples=["question is missing"])]
    field: Annotated[str | None, Field(description="Of the request's body.", examples=["question"])]


class ErrorResponse(BaseModel):
    """A refusal."""

    error: Error
