"""Who may ask."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import ConfigError, Setting
from memn2n.serve.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLOSED = ("/api/", "/metrics")


class Access(NamedTuple):
    """What a request needs, to be let in.

    Args:
        token: must be sent as ``Authorization: Bearer TOKEN`` with what asks a model or reads the metrics. The page,
            the documentation and ``/healthz`` need none.
        local: the request must be addressed to this machine by a name of itself. A web site elsewhere could otherwise
            have its name lead here, and read the answers (DNS rebinding).
    """

    token: str | None = None
    local: bool = True

    def check(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Raise a RefusedError unless a request is let in.

        Args:
            path: what is asked for.
            headers: the request's, names in lower case.
        """
        if self.local and not is_loopback(_host_name(headers.get(b"host", b"").decode("latin-1"))):
            message = "without --token or --no-auth, this server answers to its machine's own names only, as localhost"
            raise RefusedError(403, "foreign-host", message)
        if self.token is None or not path.startswith(_CLOSED):
            return
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self.token.encode()):
            what = "this is not the token" if token else "this server wants its token"
            message = f"{what}: send the header authorization: Bearer TOKEN"
            raise RefusedError(401, "unauthorized", message, headers={"www-authenticate": "Bearer"})


def access_to(host: str, token: str | None, no_auth: bool) -> Access:
    """What a server on a host needs.

    Raises:
        ConfigError: if it can be reached from elsewhere, and neither a token nor ``no_auth`` is given; or if a token
            cannot be sent in a header.
    """
    if token is not None:
        if no_auth:
            raise ConfigError("a token (MEMN2N_TOKEN is one too) and --no-auth contradict each other: give one of them")
        if not token or not all("!" <= char <= "~" for char in token):
            raise ConfigError(
                Setting("token"), " is blank, or has other characters than ASCII's visible ones; choose another"
            )
        return Access(token, local=False)
    if no_auth:
        return Access(local=False)
    if not is_loopback(host):
        raise ConfigError(
            Setting("host"),
            f" is {host!r}, which others can reach: set a token with --token (or the variable MEMN2N_TOKEN), or "
            "let everybody ask with --no-auth",
        )
    return Access()


def is_loopback(host: str) -> bool:
    """Whether a host's name or address stands for the machine itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
