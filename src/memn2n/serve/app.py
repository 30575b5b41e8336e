"""The ASGI app: the API, its documentation and the page."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
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
from memn2n.errors import ConfigError, Setting
from memn2n.serve import refusals
from memn2n.serve.access import Access, access_to
from memn2n.serve.api import routes
from memn2n.serve.batching import BatchQueue
from memn2n.serve.examples import examples
from memn2n.serve.guard import Guard
from memn2n.serve.limits import Limits
from memn2n.serve.metrics import RequestMetrics
from memn2n.serve.models import load_models
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from memn2n.lm.model import MemoryLM
    from memn2n.qa.model import StoryQA
    from memn2n.serve.models import Models

_PAGE = Path(__file__).with_name("page")
_SWAGGER = Path(fastapi_offline.__file__).with_name("static")
_ROOT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_DESCRIPTION = """\
End-to-end memory networks over HTTP. They answer questions about stories and predict the next word of a text. Each
answer comes with its attention weights. Each error is JSON: `{"error": {"code": ..., "message": ..., "field": ...}}`.
"""


def create_app(
    models: Models,
    access: Access | None = None,
    limits: Limits | None = None,
    on_start: Callable[[], None] | None = None,
    root_path: str = "",
) -> Guard:
    """The ASGI app that serves some models.

    Args:
        models: the models, with their queues.
        access: who may send requests; by default, only this machine.
        limits: the limits on requests.
        on_start: called once when the server starts. Its socket already listens then.
        root_path: the path that a proxy serves the app under, such as ``/memn2n``.

    Raises:
        ConfigError: for a root path that is not a path, or ends with a slash.
    """
    if not _ROOT_PATH.fullmatch(root_path):
        raise ConfigError(
            Setting("root_path"), f" is {quoted(root_path)}: write a path such as /memn2n, without a final slash"
        )
    access, limits = access or Access(), limits or Limits()
    metrics = RequestMetrics(models)
    simulator: BatchQueue[int, Any] = BatchQueue(lambda seeds: [examples(seed) for seed in seeds], limits.queue, 1)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if on_start is not None:
            on_start()
        yield
        for queue in (simulator, *(model.queue for model in models.all)):
            queue.close()

    app = FastAPI(
        title="memn2n", version=memn2n.__version__, description=_DESCRIPTION, lifespan=lifespan, docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    refusals.install(app)
    # The guard checks the token. This only adds a field for it to /docs.
    security = [Security(HTTPBearer(auto_error=False))] if access.token else []
    app.include_router(routes(models, limits, metrics, simulator), dependencies=security)
    _add_documentation(app)
    _add_page(app)
    return Guard(app, access, limits, metrics, root_path)


def asgi_app(
    models: Mapping[str, StoryQA | MemoryLM] | Iterable[str] | None = None,
    *,
    token: str | None = None,
    no_auth: bool = False,
    cors_origin: Iterable[str] = (),
    root_path: str = "",
    limits: Limits | None = None,
) -> Guard:
    """The app for an ASGI server, such as ``uvicorn --factory memn2n.serve:asgi_app``.

    Args:
        models: models by name, or directories and names of pretrained models; by default those in the environment
            variable MEMN2N_MODELS, which are written as arguments of ``memn2n serve``.
        token: must be sent with each request to the API; by default the environment variable MEMN2N_TOKEN.
        no_auth: answer all requests, with any host name.
        cors_origin: origins of web pages that may read the responses.
        root_path: the path that a proxy serves the app under; by default the one that the ASGI server names.
        limits: the limits on requests. Those on connections and on headers are the ASGI server's.

    Raises:
        ConfigError: if the settings contradict each other.
        InputError: if a model cannot be loaded, or two models have the same name.
    """
    limits = limits or Limits()
    if token is None and not no_auth:
        token = os.environ.get("MEMN2N_TOKEN")
    access = access_to("localhost", token, no_auth, cors_origin)
    if models is None:
        models = shlex.split(os.environ.get("MEMN2N_MODELS", ""))
    return create_app(load_models(models, limits), access, limits, root_path=root_path)


def _add_page(app: FastAPI) -> None:
    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=_PAGE), name="page")


def _add_documentation(app: FastAPI) -> None:
    """Add a page at /docs that shows the OpenAPI document. Its files come from this machine."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="memn2n: HTTP API",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="page/icon.svg",
    )
    content = bytes(page.body).decode()
    scripts = " ".join(f"'{_digest(script)}'" for script in re.findall(r"<script>(.*?)</script>", content, re.DOTALL))
    policy = (  # Swagger UI sets inline styles, and its arrows are data: URLs
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(content, headers={"content-security-policy": policy})

    app.mount("/docs", StaticFiles(directory=_SWAGGER), name="documentation")


def _digest(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
