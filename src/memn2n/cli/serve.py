"""``memn2n serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from memn2n.errors import ConfigError
from memn2n.serve.limits import Limits

_DEFAULT = Limits()


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR|NAME=DIR]...",
            help='Model directories, of stories or of text, named after their folders or NAME; or "stories", the model '
            "that comes with the package. That one by default.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="An address of this machine; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8321,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="MEMN2N_TOKEN", show_envvar=True,
            help="Answer only who sends it; needed with a host that others can reach. Others on this machine can see "
            "the option, but not the variable.",
        ),
    ] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Answer everybody, under whatever name.")] = False,
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a request.")] = _DEFAULT.body,
    max_questions: Annotated[int, typer.Option(min=1, help="Questions of a request.")] = _DEFAULT.questions,
    max_sentences: Annotated[int, typer.Option(min=1, help="Sentences of a story.")] = _DEFAULT.sentences,
    max_words: Annotated[int, typer.Option(min=1, help="Words of a story or text.")] = _DEFAULT.words,
    timeout: Annotated[float, typer.Option(help="Seconds from request to answer.")] = _DEFAULT.timeout,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait for a model.")] = _DEFAULT.queue,
) -> None:  # fmt: skip
    """Serve models as a web page and an HTTP API, documented at /docs. Ctrl-C ends it, after what was asked."""
    try:
        from memn2n.serve.app import create_app
        from memn2n.serve.server import listen, run
    except ImportError as error:
        if (error.name or "").startswith("memn2n"):
            raise
        raise ConfigError("the server needs its extra: pip install 'memn2n[serve]'") from None

    from memn2n.machine import torch_threads
    from memn2n.serve.access import access_to
    from memn2n.serve.models import load_models

    limits = Limits(body=max_body, questions=max_questions, sentences=max_sentences, words=max_words,
                    timeout=timeout, queue=queue)  # fmt: skip
    access = access_to(host, token, no_auth)
    with listen(host, port) as listening, torch_threads(1):
        served = load_models(models or [], limits)
        names = ", ".join(model.name for model in served.all)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}"

        def started() -> None:
            print(f"serving {names} at {address} (the API: {address}/docs); Ctrl-C ends it", flush=True)

        run(create_app(served, access, limits), listening, limits, started)
    print("stopped", flush=True)
