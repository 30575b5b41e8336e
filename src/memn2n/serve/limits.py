"""The server's limits: on one request, and on all requests together. deploy/nginx.conf repeats some of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from memn2n.settings import Range, Settings

_COUNT = Range(1, 2**31 - 1)

HEADER_BYTES = 32 * 1024
"""Size of a request's first line and headers, in bytes."""

KEEP_ALIVE = 5
"""Seconds that a connection may stay open between two requests."""

READY_SECONDS = 5
"""Seconds in which each model must answer a readiness check."""

BODIES = 16
"""Total size of the request bodies in memory, in multiples of ``Limits.max_body``."""

UNCOUNTED_BYTES = 64 * 1024
"""First bytes of each body, which do not count towards ``BODIES``: small requests are served beside large ones."""

DISCARDED_BODIES = 4
"""Size of a refused body that is read and discarded, in multiples of ``Limits.max_body``.

Most clients read the refusal only after they have sent the whole body.
"""

RESPONSE_PART = 64 * 1024
"""Bytes of a response that are handed to the HTTP server at once.

A client that stops reading keeps little more than this in memory after the timeout.
"""

TOP_TOTAL = 10
"""Answers in one response, over all of its questions, in multiples of ``Limits.max_questions``."""

FIELDS = 16
"""Fields of one JSON object. Pydantic would report each unknown field separately."""

VALUE_BYTES = 8
"""Bytes of each value in a body of JSON, on average, if the body is as large as ``Limits.max_body``."""

CHARACTERS = 16
"""Characters of one story with its question, or of one text, in multiples of ``Limits.max_words``.

It bounds the time in which the words of a text with too many of them are counted.
"""

COMBINING_MARKS = 30
"""Combining marks on one letter, as in Unicode's stream-safe text format (UAX #15).

A refusal of more of them needs less time in the event loop than bringing them to a normal form.
"""

MESSAGE_CHARACTERS = 500
"""Length of an error message, which may quote the request."""

LOGGED_CHARACTERS = 500
"""Length of a path in the access log."""


@dataclass(frozen=True)
class Limits(Settings):
    """Limits that the options of ``memn2n serve`` can change.

    Raises:
        ConfigError: for a value of the wrong type or range.
    """

    max_body: Annotated[int, _COUNT] = 4 * 2**20
    """Largest body of a request, in bytes."""

    max_questions: Annotated[int, _COUNT] = 10_000
    """Most questions in one request."""

    max_sentences: Annotated[int, _COUNT] = 1_000
    """Most sentences in one story."""

    max_words: Annotated[int, _COUNT] = 5_000
    """Most words in one story with its question, or in one text."""

    max_top: Annotated[int, _COUNT] = 100
    """Most answers to one question, or next words of one text, in a response."""

    max_renamings: Annotated[int, _COUNT] = 16
    """Most renamings over which the answers of a request are averaged. Each one costs as much as the answers alone."""

    max_connections: Annotated[int, _COUNT] = 900
    """Most open connections."""

    timeout: Annotated[float, Range(0, 86_400, above=True)] = 10.0
    """Seconds for a request's body to arrive, its answer to be computed and its response to be read, all together."""

    queue: Annotated[int, _COUNT] = 512
    """Most requests that may wait for one model."""

    def to_dict(self) -> dict[str, float]:
        """The limits as ``/api/models`` lists them."""
        return {name.removeprefix("max_"): value for name, value in asdict(self).items()}
