"""``memn2n serve``."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Annotated, Any

from typer import Argument, Option

from memn2n.cli.options import settings_options
from memn2n.errors import ConfigError, Setting
from memn2n.serve.limits import Limits
from memn2n.terminal import quoted


@settings_options(Limits)
def serve(
    models: Annotated[
        list[str] | None,
        Argument(
            metavar="[DIR|NAME=DIR]...",
            help="Model directories, for stories or for text. Each model is named after its directory, or NAME. "
            '"stories" is the model that comes with the package, and the default.',
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str,
        Option(
            help="Address to listen on; 0.0.0.0 for all addresses of this machine. If other machines can reach it, put "
            "a reverse proxy in front of the server (docs/serve.md)."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="Port to listen on; 0 selects a free one.")] = 8321,
    uds: Annotated[
        str | None,
        Option(metavar="PATH", help="Listen at this Unix domain socket, in place of --host and --port."),
    ] = None,
    uds_mode: Annotated[
        str, Option(metavar="OCTAL", help="Permissions of the socket's file, such as 660 for its group, too.")
    ] = "600",
    token: Annotated[
        str | None,
        Option(
            envvar="MEMN2N_TOKEN", show_envvar=True,
            help="Answer only requests with this token. Required if other machines can reach the host. Other users of "
            "this machine can see the option, but not the variable.",
        ),
    ] = None,
    no_auth: Annotated[bool, Option("--no-auth", help="Answer all requests, with any host name.")] = False,
    cors_origin: Annotated[
        list[str] | None,
        Option(metavar="ORIGIN", help="Let web pages of this origin, such as https://app.example, read the responses. "
               "The option can be repeated."),
    ] = None,
    root_path: Annotated[
        str, Option(metavar="PATH", help="The path that a reverse proxy serves this server under, such as /memn2n.")
    ] = "",
    access_log: Annotated[
        bool, Option("--access-log", help="Write a line for each request to standard error.")
    ] = False,
    *,
    settings: dict[str, Any],
) -> None:  # fmt: skip
    """Serve models as a web page and an HTTP API, documented at /docs. Ctrl-C finishes open requests and stops."""
    try:
        from memn2n.serve.server import Server
    except ImportError as error:
        if (error.name or "").startswith("memn2n"):
            raise
        raise ConfigError("the server needs the extra 'serve': pip install 'memn2n[serve]'") from None

    from memn2n.machine import torch_threads
    from memn2n.serve.models import ServedLM

    if not re.fullmatch("0?[0-7]{3}", uds_mode):
        raise ConfigError(Setting("uds_mode"), f" is {quoted(uds_mode)}: write three octal digits, such as 660")
    server = Server(
        models or [], host=host, port=port, uds=uds, uds_mode=int(uds_mode, 8), token=token,
        no_auth=no_auth, cors_origin=cors_origin or [],
        root_path=root_path, limits=Limits(**settings),
    )  # fmt: skip
    if access_log:
        _log_requests()

    def announce() -> None:
        names = ", ".join(model.name for model in server.models.all)
        documentation = "" if uds else f" (API: {server.url}/docs)"
        print(f"serving {names} at {server.url}{documentation}; Ctrl-C stops", flush=True)

    with ExitStack() as stack:
        if any(isinstance(model, ServedLM) for model in server.models.all):
            stack.enter_context(torch_threads(1))
        server.run(announce)
    print("stopped", flush=True)


def _log_requests() -> None:
    import logging

    from memn2n.serve.guard import ACCESS_LOG

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger(ACCESS_LOG)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
