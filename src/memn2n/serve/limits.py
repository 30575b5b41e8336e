"""What requests may ask for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from memn2n.errors import ConfigError, Setting


@dataclass(frozen=True)
class Limits:
    """Bounds of one request, and of all of them together.

    Args:
        body: bytes of a request's body; sixteen times as many may be in memory at a time, of all requests.
        questions: of a request.
        sentences: of a story.
        words: of a story with its question, or of a text.
        top: answers or next words told; fewer of many questions, ten times ``questions`` in all.
        timeout: seconds for a request's headers to come, and as many from there to the answer's last byte.
        queue: requests that wait for a model; a further one is refused.
        connections: open at a time.

    Raises:
        ConfigError: if one is not positive.
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
        """JSON values."""
        return asdict(self)
