"""Checks of a request's body before it is parsed, since Python's JSON parser stops all other requests meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from fastapi.routing import APIRoute

from memn2n.serve.limits import FIELDS, VALUE_BYTES
from memn2n.serve.refusals import compressed, too_many

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from fastapi import Request, Response

    from memn2n.serve.limits import Limits

_GZIP = b"\x1f\x8b"


def checked_route(limits: Limits) -> type[APIRoute]:
    """A class of routes that check the body of each request."""

    class CheckedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def check_and_handle(request: Request) -> Response:
                body = await request.body()
                encoding = request.headers.get("content-encoding", "identity").strip().lower()
                if body.startswith(_GZIP) or encoding not in ("", "identity"):
                    raise compressed()
                check_structure(body, limits)
                return await handle(request)

            return check_and_handle

    return CheckedRoute


def check_structure(body: bytes, limits: Limits) -> None:
    """Raise a RefusedError if a body of JSON has more values than requests within the limits need."""
    questions = limits.max_questions
    for characters, limit, what in (
        ("[{", 2 * questions + FIELDS, "lists and objects"),  # a question is an object with a list
        (":", 4 * questions + FIELDS, "fields"),
        (",", limits.max_body // VALUE_BYTES, "values"),
    ):
        if len(body) > limit and _more_than(body, characters, limit):
            raise too_many(f"the body has more than {limit} {what}; /docs shows the form of each request")


def _more_than(body: bytes, characters: str, limit: int) -> bool:
    """Whether JSON has more than ``limit`` of some characters outside its strings."""
    if sum(body.count(char.encode()) for char in characters) <= limit:
        return False  # most bodies, even if those in the strings are counted
    text = np.frombuffer(body.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    outside = text[~np.logical_xor.accumulate(text == ord('"'))]
    return sum(int(np.count_nonzero(outside == ord(char))) for char in characters) > limit
