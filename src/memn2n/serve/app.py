"""The app: the API, its documentation, and the page."""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastapi_offline
from fastapi import FastAPI, Security
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

import memn2n
from memn2n.serve import refusals
from memn2n.serve.access import Access
from memn2n.serve.api import routes
from memn2n.serve.examples import examples
from memn2n.serve.guard import Guard
from memn2n.serve.lanes import Lane
from memn2n.serve.limits import Limits
from memn2n.serve.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from memn2n.serve.models import Models

_PAGE = Path(__file__).with_name("page")
_SWAGGER = Path(fastapi_offline.__file__).with_name("static")
_ABOUT = """\
End-to-end memory networks over HTTP: questions about stories, and what comes next in a text; each answer with the
attention that it came from. Every refusal is JSON: `{"error": {"code": ..., "message": ..., "field": ...}}`.
"""


def create_app(models: Models, access: Access | None = None, limits: Limits | None = None) -> Guard:
    """The ASGI app that serves some models.

    Args:
        models: who is asked.
        access: who may ask; by default only this machine.
        limits: what requests may ask for; those of ``models``' queues are their own.
    """
    access, limits = access or Access(), limits or Limits()
    metrics = Metrics(models)
    simulator: Lane[int, Any] = Lane(lambda seeds: [examples(seed) for seed in seeds], limits.queue, 1)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        for lane in (simulator, *(model.lane for model in models.all)):
            lane.close()

    app = FastAPI(
        title="memn2n", version=memn2n.__version__, description=_ABOUT, lifespan=lifespan, docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    refusals.install(app)
    known = [Security(HTTPBearer(auto_error=False))] if access.token else []  # the guard checks; this tells /docs
    app.include_router(routes(models, limits, metrics, simulator), dependencies=known)
    _add_documentation(app)
    _add_page(app)
    return Guard(app, access, limits, metrics)


def _add_page(app: FastAPI) -> None:
    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=_PAGE), name="page")


def _add_documentation(app: FastAPI) -> None:
    """Serve the OpenAPI document as a page at /docs, from files of this machine."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="memn2n: HTTP API",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="page/icon.svg",
    )
    content = bytes(page.body).decode()
    scripts = " ".join(f"'{_digest(script)}'" for script in re.findall(r"<script>(.*?)</script>", content, re.DOTALL))
    policy = (  # Swagger UI sets styles, and draws its arrows from data
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(content, headers={"content-security-policy": policy})

    app.mount("/docs", StaticFiles(directory=_SWAGGER), name="documentation")


def _digest(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
