"""What a request is refused with: JSON that has a code, a message, and the field that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request

RETRY = {"retry-after": "1"}
"""Header of an answer that says to try again, in seconds."""

TOO_MANY_FIELDS = "too_many_fields"
"""What ``schemas`` calls the error of an object that has so many fields that they are not looked at."""

_LONGEST = 500
"""Characters of a message."""

_HTTP = {  # for what FastAPI says of its own accord
    400: ("not-json", "the body is no JSON that can be read: too deep, not UTF-8, or a number of too many digits"),
    404: ("not-found", "there is nothing at this path; /docs tells what there is"),
    405: ("method-not-allowed", "this path takes another method; /docs tells which"),
}


class RefusedError(Exception):
    """A request that is not served.

    Args:
        status: of HTTP.
        code: a name that programs can tell it by.
        message: what is wrong, and the remedy.
        field: of the request's body, such as ``story[3]``.
        headers: further headers of the answer.
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
        """It, as an answer."""
        field = None if self.field is None else _shown(self.field)
        error = {"code": self.code, "message": _shown(self.message), "field": field}
        return json_response({"error": error}, self.status, self.headers)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of JSON; NumPy's arrays are lists in it."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, headers, media_type="application/json")


def install(app: FastAPI) -> None:
    """Let every error of an app be answered so."""

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return _invalid(error.errors(), request.headers.get("content-type", "")).response()
        return _refusal(error).response()

    for kind in (RefusedError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refused)


def _refusal(error: Exception) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, HTTPException):
        code, message = _HTTP.get(error.status_code, ("refused", str(error.detail)))
        return RefusedError(error.status_code, code, message, headers=error.headers)
    return RefusedError(500, "internal", "the server failed at this request; its log has the reason")


def _shown(text: str) -> str:
    """The text, shortened, and with halves of surrogate pairs written out: what was sent may stand in it."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return text.encode("utf-8", "backslashreplace").decode()


def _invalid(errors: Sequence[Any], content_type: str) -> RefusedError:
    """The refusal for the first unknown field, else for what pydantic found first."""
    unknown = (error for error in errors if error["type"] == "extra_forbidden")  # may be one that is missing, misspelt
    first = next(unknown, errors[0])
    kind, (place, *keys) = first["type"], first["loc"]
    if kind == "json_invalid":
        message = f"the body is not JSON: {first['ctx']['error']} (at character {keys[0]})"
        return RefusedError(400, "not-json", message)
    if place == "body" and not keys:
        if kind == TOO_MANY_FIELDS:
            return RefusedError(422, "too-many", first["msg"])
        if content_type.partition(";")[0].strip().lower() == "application/json":
            return RefusedError(422, "invalid", "the body must be a JSON object")
        return RefusedError(415, "not-json", "send JSON, with the header content-type: application/json")
    field = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    message = {
        "missing": f"{field} is missing",
        "extra_forbidden": f"there is no field {field}",
        "list_type": f"{field} must be a list: [...]",
        "string_type": f"{field} must be a text",
    }.get(kind, f"{field}: {first['msg']}")
    return RefusedError(422, "invalid", message, field)
