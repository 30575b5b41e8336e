"""Cross-origin requests: the responses that web pages of other origins may read (CORS, Fetch standard)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, Setting
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERY = "*"
"""Stands for every origin."""

_ORIGIN = re.compile(
    r"(?!http://[^/]*:80$|https://[^/]*:443$)[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",  # seconds
}


def check_origins(given: Iterable[str], every: bool) -> tuple[str, ...]:
    """The origins as a tuple.

    Args:
        given: origins, such as ``https://app.example``.
        every: whether "*" is allowed.

    Raises:
        ConfigError: for "*" if it is not allowed, or an origin that is not written as browsers send it.
    """
    origins = (given,) if isinstance(given, str) else tuple(given)
    for origin in origins:
        if origin == EVERY:
            if not every:
                raise ConfigError(
                    Setting("cors_origin"), " is '*', which lets every web site use this server: set ",
                    Setting("token"), " too, or allow everybody with ", Setting("no_auth"),
                )  # fmt: skip
        elif not _ORIGIN.fullmatch(origin):
            raise ConfigError(
                Setting("cors_origin"), f" is {quoted(origin)}: write it as browsers send it, such as "
                "https://app.example or http://localhost:3000: in lower case, without a path, a final slash or the "
                "default port",
            )  # fmt: skip
    return origins


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks, before a request, whether a page may send it."""
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def cross_origin_headers(origins: tuple[str, ...], method: str, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers of a response that let a page of an allowed origin read it.

    Args:
        origins: the allowed origins.
        method: the request's method.
        headers: the request's headers, with names in lower case.
    """
    if not origins:
        return {}
    found = {"vary": "origin"}
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and (origin in origins or EVERY in origins):
        found |= {"access-control-allow-origin": origin, "access-control-expose-headers": "retry-after"}
        if is_preflight(method, headers):
            found |= _PREFLIGHT
    return found
