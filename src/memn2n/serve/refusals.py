"""Refusals: JSON responses with a status, a code, a message and the field of the request that is wrong.

Each status and code of the API is written here once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from memn2n.serve.limits import MESSAGE_CHARACTERS
from memn2n.serve.schemas import TOO_MANY_FIELDS, ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request

_RETRY = {"retry-after": "1"}  # seconds

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "model": ErrorResponse}
    for status, description in {
        400: "The body is not JSON.",
        401: "The token is missing or wrong.",
        404: "No such model is served.",
        408: "The body did not arrive in time.",
        413: "The body is too large.",
        415: "The header `content-type: application/json` is missing, or the body is compressed.",
        422: "The request cannot be answered: `message` says why, and `field` names the field that is wrong.",
        503: "Too many requests are waiting, or the answer took too long. Try again after `Retry-After` seconds.",
    }.items()
}
"""Descriptions for the OpenAPI document."""

_HTTP_ERRORS = {  # raised by FastAPI itself
    400: (
        "not-json",
        "the body cannot be read as JSON: it is nested too deeply, is not UTF-8 or has too long a number",
    ),
    404: ("not-found", "there is nothing at this path; /docs lists the paths"),
    405: ("method-not-allowed", "this path does not accept this method; /docs lists the methods"),
}


class RefusedError(Exception):
    """A request that is refused.

    Args:
        status: the HTTP status.
        code: the kind of error, for programs.
        message: what is wrong, and how to fix it.
        field: the field of the request's body, such as ``story[3]``.
        headers: further headers of the response.
    """

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers

    def response(self) -> Response:
        """The refusal as an HTTP response."""
        field = None if self.field is None else _printable(self.field)
        error = {"code": self.code, "message": _printable(self.message), "field": field}
        return json_response({"error": error}, self.status, self.headers)


def invalid(message: str, field: str | None = None) -> RefusedError:
    """A value of the request is wrong."""
    return RefusedError(422, "invalid", message, field)


def too_many(message: str, field: str | None = None) -> RefusedError:
    """The request has more of something than a limit allows."""
    return RefusedError(422, "too-many", message, field)


def unknown_model(message: str) -> RefusedError:
    """The request names a model that is not served."""
    return RefusedError(404, "unknown-model", message, "model")


def unauthorized(message: str) -> RefusedError:
    """The request lacks the token."""
    return RefusedError(401, "unauthorized", message, headers={"www-authenticate": "Bearer"})


def foreign_host() -> RefusedError:
    """The request names another host than this machine."""
    message = "without --token or --no-auth, this server accepts only localhost or a loopback address as its host name"
    return RefusedError(403, "foreign-host", message)


def too_large(limit: int) -> RefusedError:
    """The body has more than ``limit`` bytes."""
    return RefusedError(413, "too-large", f"the body is too large: at most {limit} bytes are allowed")


def compressed() -> RefusedError:
    """The body is compressed."""
    return RefusedError(415, "not-json", "the body is compressed: send it as plain JSON, without content-encoding")


def slow_body(seconds: float) -> RefusedError:
    """The body did not arrive in time."""
    return RefusedError(408, "timeout", f"the request did not arrive within {seconds:g} seconds")


def slow_answer(seconds: float) -> RefusedError:
    """The answer was not computed in time."""
    message = f"there was no answer within {seconds:g} seconds; try again, or send a smaller request"
    return RefusedError(503, "timeout", message, headers=_RETRY)


def busy(message: str) -> RefusedError:
    """The server has too much to do."""
    return RefusedError(503, "busy", f"{message}; try again", headers=_RETRY)


def not_ready(model: str) -> RefusedError:
    """A model does not answer."""
    message = f"the model {model} does not answer; see the server's log for the reason"
    return RefusedError(503, "not-ready", message, headers=_RETRY)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response. NumPy arrays become lists."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, headers, media_type="application/json")


def install(app: FastAPI) -> None:
    """Make an app answer each error with a refusal."""

    async def refuse(request: Request, error: Exception) -> Response:
        return _refusal(error, request.headers.get("content-type", "")).response()

    for kind in (RefusedError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refuse)


def _refusal(error: Exception, content_type: str) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, RequestValidationError):
        return _validation_refusal(error.errors(), content_type)
    if isinstance(error, HTTPException):
        code, message = _HTTP_ERRORS.get(error.status_code, ("refused", str(error.detail)))
        return RefusedError(error.status_code, code, message, headers=error.headers)
    return RefusedError(500, "internal", "the server failed at this request; see its log for the reason")


def _validation_refusal(errors: Sequence[Any], content_type: str) -> RefusedError:
    """The refusal for the first unknown field, else for the first error that pydantic found.

    A misspelt name of a field is two errors, an unknown field and a missing one. The unknown one helps more.
    """
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    kind, (place, *keys) = first["type"], first["loc"]
    if kind == "json_invalid":
        return RefusedError(400, "not-json", f"the body is not JSON: {first['ctx']['error']} (at character {keys[0]})")
    if place == "body" and not keys:
        if kind == TOO_MANY_FIELDS:
            return too_many(first["msg"])
        if content_type.partition(";")[0].strip().lower() == "application/json":
            return invalid("the body must be a JSON object")
        return RefusedError(415, "not-json", "send JSON, with the header content-type: application/json")
    field = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    messages = {
        "missing": f"{field} is missing",
        "extra_forbidden": f"there is no field {field}",
        "list_type": f"{field} must be a list: [...]",
        "string_type": f"{field} must be a string",
    }
    return invalid(messages.get(kind, f"{field}: {first['msg']}"), field)


def _printable(text: str) -> str:
    """The text, shortened, with lone surrogates escaped: it may quote the request."""
    text = text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}..."
    return text.encode("utf-8", "backslashreplace").decode()
