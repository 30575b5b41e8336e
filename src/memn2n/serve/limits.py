"""The server's limits: on one request, and on all requests together. deploy/nginx.conf repeats some of them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from memn2n.errors import ConfigError, Setting

HEADER_BYTES = 32 * 1024
"""Size of a request's first line and headers, in bytes."""

KEEP_ALIVE = 5
"""Seconds that a connection may stay open between two requests."""

BODIES = 16
"""Total size of the request bodies in memory, in multiples of ``Limits.body``."""

UNCOUNTED_BYTES = 64 * 1024
"""First bytes of each body, which do not count towards ``BODIES``: small requests are served beside large ones."""

DISCARDED_BODIES = 4
"""Size of a refused body that is read and discarded, in multiples of ``Limits.body``.

Most clients read the refusal only after they have sent the whole body.
"""

RESPONSE_PART = 64 * 1024
"""Bytes of a response that are handed to the HTTP server at once.

A client that stops reading keeps little more than this in memory after the timeout.
"""

TOP_TOTAL = 10
"""Answers in one response, over all of its questions, in multiples of ``Limits.questions``."""

BATCH = 1024
"""Questions that a model answers at once, in 10 to 20 ms. A single question waits this long behind a large request."""

FIELDS = 16
"""Fields of one JSON object. Pydantic would report each unknown field separately."""

COMBINING_MARKS = 30
"""Combining marks on one letter, as in Unicode's stream-safe text format (UAX #15).

The time for Unicode normalization grows with the square of this number.
"""

MESSAGE_CHARACTERS = 500
"""Length of an error message, which may quote the request."""


@dataclass(frozen=True)
class Limits:
    """Limits that the command line can change; ``/api/models`` lists them.

    Args:
        body: bytes of a request's body.
        questions: questions of a request.
        sentences: sentences of a story.
        words: words of a story with its question, or of a text.
        top: answers to a question, or next words of a text, in one response.
        timeout: seconds for a request's body to arrive, for its answer to be computed and for its response to be
            read, all together.
        queue: requests that may wait for one model.
        connections: open connections.

    Raises:
        ConfigError: if a limit is not positive and finite.
    """

    body: int = 4 * 2**20
    questions: int = 10_000
    sentences: int = 1_000
    words: int = 5_000
    top: int = 100
    timeout: float = 10.0
    queue: int = 512
    connections: int = 900

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < math.inf:
                raise ConfigError(Setting(field.name), f" is {value}: it must be positive")

    def to_dict(self) -> dict[str, float]:
        """The limits as a JSON object."""
        return asdict(self)
