"""``memn2n serve``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from typer import Argument, Option

from memn2n.cli.options import settings_options
from memn2n.errors import ConfigError
from memn2n.serve.limits import Limits


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
    token: Annotated[
        str | None,
        Option(
            envvar="MEMN2N_TOKEN", show_envvar=True,
            help="Answer only requests with this token. Required if other machines can reach the host. Other users of "
            "this machine can see the option, but not the variable.",
        ),
    ] = None,
    no_auth: Annotated[bool, Option("--no-auth", help="Answer all requests, with any host name.")] = False,
    *,
    settings: dict[str, Any],
) -> None:  # fmt: skip
    """Serve models as a web page and an HTTP API, documented at /docs. Ctrl-C finishes open requests and stops."""
    try:
        from memn2n.serve.app import create_app
        from memn2n.serve.server import listen, run
    except ImportError as error:
        if (error.name or "").startswith("memn2n"):
            raise
        raise ConfigError("the server needs the extra 'serve': pip install 'memn2n[serve]'") from None

    from memn2n.machine import torch_threads
    from memn2n.serve.access import access_to
    from memn2n.serve.models import ServedLM, load_models

    limits = Limits(**settings)
    access = access_to(host, token, no_auth)
    with listen(host, port, limits) as listening, ExitStack() as stack:
        served = load_models(models or [], limits)
        if any(isinstance(model, ServedLM) for model in served.all):
            stack.enter_context(torch_threads(1))

        def announce() -> None:
            names = ", ".join(model.name for model in served.all)
            address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
            print(f"serving {names} at {address} (API: {address}/docs); Ctrl-C stops", flush=True)

        run(create_app(served, access, limits, announce), listening, limits)
    print("stopped", flush=True)
