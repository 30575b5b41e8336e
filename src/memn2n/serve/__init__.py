"""A web page and an HTTP API for saved models (extra ``serve``).

``Server`` runs them in a thread, for notebooks and programs. ``asgi_app`` returns the app for other ASGI servers.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memn2n.serve.app import asgi_app
    from memn2n.serve.server import Server

__all__ = ["Server", "asgi_app"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line loads this package without the extra."""
    if name == "Server":
        from memn2n.serve.server import Server

        return Server
    if name == "asgi_app":
        from memn2n.serve.app import asgi_app

        return asgi_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
